r"""Programs judged by tests, in the sandbox: the last ```python block after the thought, else all of it.

{"style": "function", "test": code, "entry_point": name, "prompt": code put before}: `test` asserts, or has
check(candidate). {"style": "stdio", "tests": [{"input", "output"}], "tolerance": x}: the output's lines
count, or what the payload's "checker" says, code with check(input, printed, expected) -> bool, which has to
accept the expected outputs. "cpu_s" is the CPU time of a run, 10 by default; "memory_mb" its address space,
1024. Null is as good as absent.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from itertools import repeat
from typing import Any

from distillery.reasoning import CLOSE, split
from distillery.records import Outcome, Problem, Verdict
from distillery.sandbox import Ended, Limits, Result, run_python
from distillery.verify.base import Checker
from distillery.verify.program.bundle import bundle
from distillery.verify.program.stdio_runs import run_on_inputs, tampered

MAX_PROGRAM = 100_000  # characters
_FENCE = re.compile(
    r"(?ms)^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<name>[\w+-]*)[^\n]*\n"
    r"(?P<code>.*?)(?:^[ \t]*(?P=fence)|\Z)"
)
_PYTHON = ("python", "py", "python3")


def check(problem: Problem, text: str, /) -> Verdict:
    try:
        options = {name: value for name, value in problem.options.items() if value is not None}
        limits, tolerance = _limits(options), _number(options, "tolerance", 0, least=0, most=0.5)
        _texts(options)
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    if missing := payload_fault(options):
        return Verdict(Outcome.NO_GOLD, detail=missing)
    if split(text).answer is None:
        return Verdict.no_answer("the thought was never closed")
    program = extract(text, options.get("entry_point", ""))
    if not program.strip():
        return Verdict.no_answer("no program after the thought")
    if len(program) > MAX_PROGRAM:
        return Verdict.of(False, program[:1000], f"a program of {len(program)} characters")
    if options["style"] == "function":
        return _run_function(program, options, limits)
    return _run_stdio(program, options, limits, tolerance)


def _limits(options: dict[str, Any]) -> Limits:
    cpu_s = math.ceil(_number(options, "cpu_s", 10, least=0.1, most=3600))
    memory_mb = math.ceil(_number(options, "memory_mb", 1024, least=64, most=1 << 20))
    # a busy machine is not the program's fault
    return Limits(cpu_s=cpu_s, wall_s=3.0 * cpu_s + 10, memory_bytes=memory_mb << 20)


def _number(options: dict[str, Any], name: str, default: float, *, least: float, most: float) -> float:
    value = options.get(name, default)
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(f"{name} is {str(value)[:80]!r}; it is a number from {least:g} to {most:g}")
    return value


def _texts(options: dict[str, Any]) -> None:
    for name in ("entry_point", "prompt", "checker"):
        if not isinstance(options.get(name, ""), str):
            raise ValueError(f"{name} is {str(options[name])[:80]!r}; it is text")  # noqa: TRY004 -- as it came


def payload_fault(options: dict[str, Any]) -> str | None:
    """Why nothing could be run against these tests."""
    match options.get("style"):
        case "function":
            test = options.get("test")
            whole = isinstance(test, str) and test.strip()
            return None if whole else "payload: a function needs test, its code"
        case "stdio":
            tests = options.get("tests")
            whole = isinstance(tests, list) and all(
                isinstance(test, dict) and {type(test.get(key)) for key in ("input", "output")} == {str}
                for test in tests
            )
            if not tests or not whole:
                return "payload: stdio needs tests, each with input and output as text"
            if options.get("checker") or any(test["output"].strip() for test in tests):
                return None
            return "payload: no test expects any output, so that a program that prints nothing would pass"
        case other:
            return f"payload: style is {other!r}; it can be 'function' or 'stdio'"


def extract(text: str, entry_point: str = "") -> str:
    """The last block that defines `entry_point`, else the last; without blocks all after the thought."""
    answer = text.partition(CLOSE)[2] if CLOSE in text else text
    found = [(one["name"].lower(), _flush(one["code"], one["indent"])) for one in _FENCE.finditer(answer)]
    ours = [(name, code) for name, code in found if name in (*_PYTHON, "")]
    name = re.split(r"\W", entry_point, maxsplit=1)[0]
    defines = re.compile(rf"\b(?:def|class)\s+{re.escape(name)}\b|\b{re.escape(name)}\s*=")
    blocks = [code for _, code in ours if name and defines.search(code)]
    # one without a name is often an example's output
    blocks = blocks or [code for label, code in ours if label]
    blocks = blocks or [code for _, code in ours] or [answer.strip("\n")]
    return blocks[-1].removeprefix("\ufeff")


def _flush(code: str, indent: str) -> str:
    """As it would stand outside the list item that it stands in; a mere body keeps its own indent."""
    return "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True)) if indent else code


def _run_function(program: str, options: dict[str, Any], limits: Limits) -> Verdict:
    task = {name: options.get(name, "") for name in ("prompt", "entry_point", "test")}
    task |= {"program": program, "nonce": secrets.token_hex(16)}
    found = run_python(bundle("function_judge"), stdin=json.dumps(task), limits=limits, supervised=True)
    report = _report(found, task["nonce"])
    if report is None:
        found = tampered(found) if found.outcome is Ended.FINISHED else found
        return _not_run(found, program) or Verdict.of(False, program, _last_line(found))
    if report["fault"]:
        return Verdict(Outcome.ERROR, None, program, f"payload: {report['detail']}"[:400])
    return Verdict.of(report["passed"], program, report["detail"])


def _report(found: Result, nonce: str) -> dict[str, Any] | None:
    """What a program of ours wrote at its end, which only it could; None: it came to none."""
    _, claimed, report = found.stdout.rpartition(nonce)
    try:
        return json.loads(report) if claimed else None
    except ValueError:
        return None


def _run_stdio(program: str, options: dict[str, Any], limits: Limits, tolerance: float) -> Verdict:
    tests: list[dict[str, str]] = options["tests"]
    ran = run_on_inputs(program, [test["input"] for test in tests], limits)
    for place, (test, found) in enumerate(zip(tests, ran, strict=False), start=1):
        if (verdict := _not_run(found, program)) is not None:
            return verdict
        where = f"test {place} of {len(tests)}"
        if found.returncode != 0:
            return Verdict.of(False, program, f"{where}: {_last_line(found)}")
        if not options.get("checker") and not same_output(test["output"], found.stdout, tolerance=tolerance):
            printed = f"{where}: printed {found.stdout[:80]!r}, not {test['output'][:80]!r}"
            return Verdict.of(False, program, printed)
    if len(ran) < len(tests):
        return Verdict(Outcome.ERROR, None, program, f"the sandbox ran {len(ran)} of {len(tests)} tests")
    return _referee(program, options, limits, [found.stdout for found in ran])


def _referee(program: str, options: dict[str, Any], limits: Limits, printed: list[str]) -> Verdict:
    if not options.get("checker"):
        return Verdict.of(True, program)
    tests, checker = options["tests"], options["checker"]
    rows = [[test["input"], said, test["output"]] for test, said in zip(tests, printed, strict=True)]
    found, report = _refereed(checker, rows, limits)
    if report is None and found.outcome in (Ended.CPU_LIMIT, Ended.IDLE, Ended.FLOODED):
        expected = [[given, wanted, wanted] for given, _, wanted in rows]
        if _refereed(checker, expected, limits)[1] is not None:
            return Verdict.of(False, program, "its output is more than the payload's checker can read")
    if report is None or report["fault"]:
        said = report["detail"] if report else found.stderr[-300:] or found.outcome
        return Verdict(Outcome.ERROR, None, program, f"the payload's checker: {said}")
    return Verdict.of(report["passed"], program, report["detail"])


def _refereed(checker: str, rows: list[list[str]], limits: Limits) -> tuple[Result, dict[str, Any] | None]:
    nonce = secrets.token_hex(16)
    task = {"checker": checker, "rows": rows, "nonce": nonce}
    found = run_python(bundle("payload_checker"), stdin=json.dumps(task), limits=limits)
    return found, _report(found, nonce)


def same_output(expected: str, printed: str, *, tolerance: float = 0.0) -> bool:
    """All lines but for trailing blanks; numbers within `tolerance`, absolute or relative."""
    wanted, given = ([line.rstrip() for line in text.rstrip().split("\n")] for text in (expected, printed))
    if wanted == given or not tolerance or len(wanted) != len(given):
        return wanted == given
    lines = [(one.split(), other.split()) for one, other in zip(wanted, given, strict=True) if one != other]
    return all(
        len(words) == len(said) and all(map(_near, words, said, repeat(tolerance))) for words, said in lines
    )


def _near(one: str, other: str, tolerance: float) -> bool:
    try:
        expected, given = float(one), float(other)
    except ValueError:
        return one == other
    near = abs(expected - given) <= tolerance * max(1.0, abs(expected))
    return one == other or (math.isfinite(expected) and near)


def _not_run(found: Result, program: str) -> Verdict | None:
    """The verdict on a run that did not come to its end; None when it did."""
    match found.outcome:
        case Ended.FINISHED:
            return None
        case Ended.UNAVAILABLE | Ended.BROKEN:
            return Verdict(Outcome.ERROR, None, program, found.stderr[-400:] or "the sandbox could not start")
        case Ended.TIMEOUT:
            return Verdict(Outcome.TIMEOUT, None, program, f"stopped after {found.seconds:.1f} s of waiting")
        case Ended.IDLE:
            return Verdict.of(False, program, f"stopped after {found.seconds:.1f} s, most of which it slept")
        case Ended.CPU_LIMIT:
            return Verdict.of(False, program, "killed: CPU time or memory used up")
        case Ended.FLOODED:
            return Verdict.of(False, program, "killed for too much output")


def _last_line(found: Result) -> str:
    lines = [line for line in found.stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"ended with status {found.returncode} before its tests had"


CHECKER = Checker(check, gold_fault=lambda problem: payload_fault(problem.options), threaded=True)
