"""A program on many inputs: in one sandbox, up to the first that fails; remotely with a request for each."""

from __future__ import annotations

import json
from typing import Any

from distillery.sandbox import Ended, Limits, Result, chosen, guarded, is_remote, run_python
from distillery.verify.program.bundle import bundle


def run_on_inputs(program: str, inputs: list[str], limits: Limits) -> list[Result]:
    """In order; the last one may be a failure, and then the rest was not run."""
    if is_remote(chosen()):
        return _one_by_one(program, inputs, limits)
    task = json.dumps({"program": program, "inputs": inputs})
    found = run_python(bundle("supervisor"), stdin=task, limits=limits, supervised=True, runs=len(inputs))
    if found.outcome in (Ended.UNAVAILABLE, Ended.BROKEN):
        return [found]
    try:
        ran = _read(found.raw)
    except (ValueError, KeyError, TypeError):  # someone wrote between the reports
        return [tampered(found)]
    if len(ran) < len(inputs) and not (ran and _failed(ran[-1])):  # the supervisor came to no end
        ours = found.outcome not in (Ended.TIMEOUT, Ended.IDLE, Ended.FLOODED)
        ran.append(tampered(found) if ours else found)
    return ran


def tampered(found: Result) -> Result:
    """Instead of a report, which ours never fails to give: the program's doing where it is its equal."""
    if guarded(chosen()):
        return Result("", found.stderr or "the supervisor of the runs was lost", None, Ended.BROKEN)
    return Result("", "the program took what supervises it along", 1, Ended.FINISHED)


def _failed(result: Result) -> bool:
    return result.outcome is not Ended.FINISHED or result.returncode != 0


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
