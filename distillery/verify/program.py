r"""Programs judged by tests, in the sandbox: the last ```python block after the thought, or all that stands there.
Payload {"style": "function", "test": code, "entry_point": name, "prompt": code put before}: `test` asserts, or
defines check(candidate). Payload {"style": "stdio", "tests": [{"input", "output"}], "tolerance": x}: the whole output
counts, line by line, or what the payload's "checker" says, code with check(input, printed, expected) -> bool.
Payload "cpu_s" is the CPU time of a run, 10 by default; "memory_mb" its address space, 1024.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from distillery.reasoning import CLOSE, split
from distillery.records import Outcome, Problem, Verdict
from distillery.sandbox import Ended, Limits, Result, run_python, run_supervised
from distillery.verify.bundle import bundle
from distillery.verify.inputs import run_on_inputs

MAX_PROGRAM = 100_000  # characters
_CPU_S = 10
_MEMORY_MB = 1024
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*(?P<name>[\w+-]*)[^\n]*\n(?P<code>.*?)^[ \t]*```", re.DOTALL | re.MULTILINE
)
_PYTHON = ("python", "py", "python3", "")


def check(problem: Problem, text: str, /) -> Verdict:
    try:
        options = problem.options
        limits = _limits(options)
    except (TypeError, ValueError) as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    if missing := payload_fault(options):
        return Verdict(Outcome.NO_GOLD, detail=missing)
    if split(text).answer is None:
        return Verdict.no_answer("the thought was never closed")
    program = extract(text, str(options.get("entry_point", "")))
    if not program.strip():
        return Verdict.no_answer("no program after the thought")
    if len(program) > MAX_PROGRAM:
        return Verdict.of(False, program[:1000], f"a program of {len(program)} characters")
    run = _run_function if options["style"] == "function" else _run_stdio
    return run(program, options, limits)


def payload_fault(options: dict[str, Any]) -> str | None:
    """Why nothing could be run against these tests."""
    match options.get("style"):
        case "function":
            test = options.get("test")
            return (
                None if isinstance(test, str) and test.strip() else "payload: a function needs test, its code"
            )
        case "stdio":
            tests = options.get("tests")
            if not isinstance(options.get("checker", ""), str):
                return "payload: a checker is code, which defines check(input, printed, expected)"
            whole = isinstance(tests, list) and all(
                isinstance(test, dict)
                and isinstance(test.get("input"), str)
                and isinstance(test.get("output"), str)
                for test in tests
            )
            return (
                None if tests and whole else "payload: stdio needs tests, each with input and output as text"
            )
        case other:
            return f"payload: style is {other!r}; it can be 'function' or 'stdio'"


def extract(text: str, entry_point: str = "") -> str:
    """The last block that defines `entry_point`, else the last; without blocks all after the thought, unindented not."""
    answer = text.partition(CLOSE)[2] if CLOSE in text else text
    blocks = [found["code"] for found in _FENCE.finditer(answer) if found["name"].lower() in _PYTHON]
    name = re.split(r"\W", entry_point, maxsplit=1)[0]
    defining = [
        code
        for code in blocks
        if name and re.search(rf"\b(?:def|class)\s+{re.escape(name)}\b|\b{re.escape(name)}\s*=", code)
    ]
    if defining or blocks:
        return (defining or blocks)[-1]
    return answer.strip("\n")


def _limits(options: dict[str, Any]) -> Limits:
    cpu_s = int(options.get("cpu_s", _CPU_S))
    memory_bytes = int(options.get("memory_mb", _MEMORY_MB)) << 20
    # a busy machine is not the program's fault
    return Limits(cpu_s=cpu_s, wall_s=3.0 * cpu_s + 10, memory_bytes=memory_bytes)


def _run_function(program: str, options: dict[str, Any], limits: Limits) -> Verdict:
    prompt = str(options.get("prompt", ""))
    task = {
        "prompt": prompt,
        "program": "\n".join(filter(None, [prompt, program])),
        "entry_point": options.get("entry_point", ""),
        "test": options["test"],
        "nonce": secrets.token_hex(16),
    }
    found = run_supervised(bundle("harness", "wire", "confine"), stdin=json.dumps(task), limits=limits)
    report = _report(found, task["nonce"])
    if report is None:
        return _not_run(found, program) or Verdict(Outcome.ERROR, None, program, _last_line(found))
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


def _run_stdio(program: str, options: dict[str, Any], limits: Limits) -> Verdict:
    tests: list[dict[str, str]] = options["tests"]
    ran = run_on_inputs(program, [test["input"] for test in tests], limits)
    tolerance = float(options.get("tolerance", 0))
    for place, (test, found) in enumerate(zip(tests, ran, strict=False), start=1):
        if (verdict := _not_run(found, program)) is not None:
            return verdict
        where = f"test {place} of {len(tests)}"
        if found.returncode != 0:
            return Verdict.of(False, program, f"{where}: {_last_line(found)}")
        if "checker" not in options and not same_output(test["output"], found.stdout, tolerance=tolerance):
            return Verdict.of(
                False, program, f"{where}: printed {found.stdout[:80]!r}, not {test['output'][:80]!r}"
            )
    if len(ran) < len(tests):
        return Verdict(Outcome.ERROR, None, program, f"the sandbox ran {len(ran)} of {len(tests)} tests")
    return _referee(program, options, limits, [found.stdout for found in ran])


def _referee(program: str, options: dict[str, Any], limits: Limits, printed: list[str]) -> Verdict:
    if "checker" not in options:
        return Verdict.of(True, program)
    rows = [
        [test["input"], said, test["output"]] for test, said in zip(options["tests"], printed, strict=True)
    ]
    nonce = secrets.token_hex(16)
    task = {"checker": options["checker"], "rows": rows, "nonce": nonce}
    found = run_python(bundle("referee"), stdin=json.dumps(task), limits=limits)
    report = _report(found, nonce)
    if report is None or report["fault"]:
        said = report["detail"] if report else found.stderr[-300:] or found.outcome
        return Verdict(Outcome.ERROR, None, program, f"the payload's checker: {said}")
    return Verdict.of(report["passed"], program, report["detail"])


def same_output(expected: str, printed: str, *, tolerance: float = 0.0) -> bool:
    """All lines, as many and as they are but for trailing blanks; numbers within `tolerance`, absolute or relative."""
    wanted, given = _lines(expected), _lines(printed)
    if len(wanted) != len(given):
        return False
    return all(
        one == other or (tolerance > 0 and _near(one, other, tolerance))
        for one, other in zip(wanted, given, strict=True)
    )


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]


def _near(one: str, other: str, tolerance: float) -> bool:
    words, given = one.split(), other.split()
    return len(words) == len(given) and all(
        word == said or _near_numbers(word, said, tolerance) for word, said in zip(words, given, strict=True)
    )


def _near_numbers(one: str, other: str, tolerance: float) -> bool:
    try:
        expected, given = float(one), float(other)
    except ValueError:
        return False
    return abs(expected - given) <= tolerance * max(1.0, abs(expected))


def _not_run(found: Result, program: str) -> Verdict | None:
    """The verdict on a run that did not come to its end; None when it did."""
    match found.outcome:
        case Ended.FINISHED:
            return None
        case Ended.UNAVAILABLE | Ended.BROKEN:
            return Verdict(Outcome.ERROR, None, program, found.stderr[-400:] or "the sandbox could not start")
        case Ended.TIMEOUT:
            return Verdict(Outcome.TIMEOUT, None, program, f"stopped after {found.seconds:.1f} s of waiting")
        case Ended.CPU_LIMIT:
            return Verdict.of(False, program, "killed: CPU time or memory used up")
        case Ended.FLOODED:
            return Verdict.of(False, program, "killed for too much output")


def _last_line(found: Result) -> str:
    lines = [line for line in found.stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"ended with status {found.returncode} before its tests had"
