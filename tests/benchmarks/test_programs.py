"""Tests a second of the program checker, beside one subprocess for each test without any sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distillery import sandbox
from distillery.records import Outcome, Problem
from distillery.verify import get_checker
from distillery.verify.program.check import same_output

pytestmark = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))
STDIO = "n = int(input())\nprint(sum(i * i for i in range(n)))\n"
FUNCTION = "def f(n):\n    return sum(i * i for i in range(n))\n"
TESTS = 50
ROUNDS = 3
AIM = 5.0


def expected(n: int) -> int:
    return sum(i * i for i in range(n))


def one_subprocess_a_test(program: str, tests: list[dict[str, str]], folder: Path) -> float:
    file = folder / "program.py"
    file.write_text(program)
    begin = time.perf_counter()
    for test in tests:
        done = subprocess.run(
            [sys.executable, "-I", str(file)], input=test["input"], capture_output=True, text=True, check=True
        )
        assert same_output(test["output"], done.stdout)
    return len(tests) / (time.perf_counter() - begin)


def ours(program: str, payload: dict[str, object], count: int) -> float:
    problem = Problem("q", "", checker="program", payload=json.dumps(payload))
    check = get_checker("program").check
    begin = time.perf_counter()
    assert check(problem, f"```python\n{program}```").outcome is Outcome.CORRECT
    return count / (time.perf_counter() - begin)


@pytest.mark.slow
def test_programs_are_judged_faster_than_with_a_subprocess_for_each_test(tmp_path: Path):
    tests = [{"input": f"{n}\n", "output": f"{expected(n)}\n"} for n in range(TESTS)]
    asserts = "".join(f"    assert c({n}) == {expected(n)}\n" for n in range(TESTS))
    stdio = {"style": "stdio", "tests": tests}
    function = {"style": "function", "entry_point": "f", "test": f"def check(c):\n{asserts}"}
    found: dict[str, list[float]] = {"plain": [], "stdio": [], "function": []}
    ours(STDIO, stdio, TESTS)
    for _ in range(ROUNDS):
        found["plain"].append(one_subprocess_a_test(STDIO, tests, tmp_path))
        found["stdio"].append(ours(STDIO, stdio, TESTS))
        found["function"].append(ours(FUNCTION, function, TESTS))
    best = {name: max(rates) for name, rates in found.items()}
    print("\n".join(f"{name:10} {rate:9.1f} tests/s" for name, rate in best.items()))
    assert best["stdio"] >= AIM * best["plain"]
    assert best["function"] >= AIM * best["plain"]
