"""Puzzles of reasoning-gym, scored by their own task: {"task": name, "entry": {the entry, metadata and all}}.

Many puzzles have more than one solution, so the gold is only an example. A task's partial credit is kept in
the detail; the verdict asks for the full score, or for the payload's "threshold". The scorers run in the
sandbox, where nothing that an answer or an entry says is run as code.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from distillery.installed.extras import require
from distillery.reasoning import split
from distillery.records import Outcome, Problem, Verdict
from distillery.sandbox import Limits, start_python
from distillery.verify.answer.places import marked
from distillery.verify.base import Checker, Errand
from distillery.verify.program.bundle import bundle

MAX_ANSWER = 100_000  # characters; the largest grids have a few thousand
_LIMITS = Limits(cpu_s=3600, memory_bytes=4 << 30, processes=1, file_bytes=0)


def decide(problem: Problem, text: str) -> Verdict | Errand:
    try:
        options = problem.options
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    if fault := _payload_fault(options):
        return Verdict(Outcome.NO_GOLD, detail=fault)
    answer = split(text).answer
    if answer is None:
        return Verdict.no_answer("the thought was never closed")
    found = marked(answer)
    extracted = (answer if found is None else found).strip()
    if not extracted:
        return Verdict.no_answer("nothing after the thought")
    if len(extracted) > MAX_ANSWER:
        return Verdict.of(False, extracted[:1000], f"an answer of {len(extracted)} characters")
    return _errand(problem, extracted)


def _errand(problem: Problem, answer: str | None) -> Errand:
    """Without an answer: only what the scorer makes of the entry."""
    asked = {name: problem.options.get(name) for name in ("task", "entry")}
    threshold = problem.options.get("threshold", 1.0)
    return Errand(json.dumps(asked | {"answer": answer, "threshold": threshold}), answer)


def gold_fault(problem: Problem) -> str | None:
    return _payload_fault(problem.options)


def gold_errand(problem: Problem) -> Errand:
    return _errand(problem, None)


def _payload_fault(options: dict[str, Any]) -> str | None:
    task, entry, threshold = options.get("task"), options.get("entry"), options.get("threshold", 1.0)
    if not isinstance(task, str) or not isinstance(entry, dict):
        return "payload: a puzzle needs task (a name) and entry (an object)"
    if type(threshold) not in (int, float) or not 0 < threshold <= 1:
        return f"payload: threshold is {str(threshold)[:80]!r}; it is a number over 0 and at most 1"
    gold = entry.get("answer")
    if isinstance(gold, str) and not gold.strip():
        return "the entry's answer is empty"
    return None


def prepare() -> None:
    require("reasoning_gym", "puzzles", where="puzzle")
    Scorers.start()


class Scorers:
    """This process's sandbox, which is started anew when it was lost."""

    mine: subprocess.Popen[bytes] | str = "not started"

    @classmethod
    def start(cls) -> None:
        cls.mine = start_python(bundle("server", of="puzzles"), limits=_LIMITS)

    @classmethod
    def ask(cls, row: dict[str, Any]) -> dict[str, Any]:
        if isinstance(cls.mine, str):
            cls.start()
        if isinstance(cls.mine, str):
            return {"error": cls.mine}
        assert cls.mine.stdin
        assert cls.mine.stdout
        try:
            data = memoryview(json.dumps(row).encode() + b"\n")
            while data:
                data = data[cls.mine.stdin.write(data) :]
            reply = cls.mine.stdout.readline()
        except BrokenPipeError:
            reply = b""
        if not reply.endswith(b"\n"):
            cls.end()
            return {"error": "the sandbox of the scorers was lost"}
        return json.loads(reply)

    @classmethod
    def end(cls) -> None:
        if isinstance(cls.mine, subprocess.Popen):
            with cls.mine as process:
                process.kill()
        cls.mine = "ended"


def work(task: str, entry: dict[str, Any], answer: str | None, threshold: float) -> Verdict:
    row = {"task": task, "entry": entry, "answer": answer, "threshold": threshold}
    match Scorers.ask(row):
        case {"no_gold": str(why)}:
            return Verdict(Outcome.NO_GOLD, None, answer, why)
        case {"score": int() | float() as score, "detail": str(detail)}:
            return Verdict.of(score >= threshold, answer, detail)
        case found:
            return Verdict(Outcome.ERROR, None, answer, str(found.get("error", found))[:400])


CHECKER = Checker(decide, gold_fault=gold_fault, gold_errand=gold_errand, prepare=prepare, work=work)
