"""A program on many inputs: in one sandbox, up to the first that fails; remotely with a request for each."""

from __future__ import annotations

import json
from typing import Any

from distillery.sandbox import Ended, Limits, Result, chosen, is_remote, run_python, run_supervised
from distillery.verify.bundle import bundle


def run_on_inputs(program: str, inputs: list[str], limits: Limits) -> list[Result]:
    """In order; the last one may be a failure, and then the rest was not run."""
    if is_remote(chosen()):
        return _one_by_one(program, inputs, limits)
    task = json.dumps({"program": program, "inputs": inputs})
    found = run_supervised(bundle("supervisor", "confine"), stdin=task, limits=limits, runs=len(inputs))
    if found.outcome in (Ended.UNAVAILABLE, Ended.BROKEN):
        return [found]
    ran = _read(found.raw)
    if len(ran) < len(inputs) and not (ran and _failed(ran[-1])):
        ran.append(_lost(found))
    return ran


def _failed(result: Result) -> bool:
    return result.outcome is not Ended.FINISHED or result.returncode != 0


def _lost(found: Result) -> Result:
    """The supervisor came to no end: it waits no longer than the program may, so this machine is at fault."""
    if found.outcome in (Ended.TIMEOUT, Ended.FLOODED):
        return found
    return Result("", found.stderr or "the supervisor of the runs was lost", None, Ended.BROKEN)


def _one_by_one(program: str, inputs: list[str], limits: Limits) -> list[Result]:
    ran: list[Result] = []
    for text in inputs:
        ran.append(run_python(program, stdin=text, limits=limits))
        if _failed(ran[-1]):
            break
    return ran


def _read(data: bytes) -> list[Result]:
    ran: list[Result] = []
    place = 0
    while (end := data.find(b"\n", place)) >= 0:
        report: dict[str, Any] = json.loads(data[place:end])
        place = end + 1 + report["size"]
        if place > len(data):
            break
        stdout = data[end + 1 : place].decode(errors="replace")
        ended = Ended(report["ended"])
        ran.append(Result(stdout, report["stderr"], report["status"], ended, report["seconds"]))
    return ran
