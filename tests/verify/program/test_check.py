import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from distillery import sandbox
from distillery.records import Outcome, Problem
from distillery.sandbox import Ended, Result
from distillery.verify import get_checker
from distillery.verify.pool.processes import judge
from distillery.verify.program import check as program
from distillery.verify.program import stdio_runs as inputs
from distillery.verify.program.check import extract, same_output

check = get_checker("program").check
isolated = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))
ADD = {
    "style": "function",
    "entry_point": "add",
    "test": "def check(f):\n    assert f(1, 2) == 3\n    assert f(5, 5) == 10\n",
}
ECHO = {
    "style": "stdio",
    "tests": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5\n", "output": "10\n"}],
}


def problem(payload: dict[str, Any]) -> Problem:
    return Problem("q", "", checker="program", payload=json.dumps(payload))


def fenced(code: str) -> str:
    return f"<think>\nhm\n</think>\nHere it is:\n```python\n{code}\n```\nIt adds."


@isolated
@pytest.mark.parametrize(
    "code",
    [
        "def add(a, b):\n    return a + b",
        "add = lambda a, b: a + b",
        "import math\nprint('noise')\ndef add(a, b):\n    return int(math.fsum((a, b)))",
    ],
)
def test_a_right_function_passes(code: str):
    assert check(problem(ADD), fenced(code)).outcome is Outcome.CORRECT


@isolated
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def add(a, b):\n    return a - b", "AssertionError"),
        ("def add(a, b):\n    return 3", "AssertionError"),
        ("def sub(a, b):\n    return a + b", "NameError"),
        ("def add(a, b)\n    return a + b", "SyntaxError"),
        ("import os\nos._exit(0)", "before its tests"),
        ("import sys\nsys.exit(0)", "before its tests"),
        ("def add(a, b):\n    raise SystemExit", ""),
        ("class Any:\n    def __eq__(self, other): return True\ndef add(a, b): return Any()", ""),
        (
            "class Any(int):\n    def __eq__(self, other): return True\ndef add(a, b): return Any()",
            "",
        ),
        ("class Any:\n    def __eq__(self, other): return True\ndef add(a, b): return [Any()]", ""),
        (
            "def add(a, b):\n    import sys\n    f = sys._getframe()\n    while f: print(f.f_locals); f = f.f_back\n    return 0",
            "",
        ),
        (
            "import gc\ndef add(a, b):\n    print([o for o in gc.get_objects() if isinstance(o, dict)])\n    return 0",
            "",
        ),
        (
            "import builtins\nbuiltins.AssertionError = Warning\nbuiltins.compile = lambda *a: None\ndef add(a, b): return 0",
            "",
        ),
        ("import atexit, os\natexit.register(lambda: os._exit(0))\ndef add(a, b): return 0", ""),
        ("print('passed ' * 1000)", "NameError"),
        ("def add(a, b):\n    while True: pass", "CPU"),
    ],
)
def test_a_wrong_or_cheating_function_fails(code: str, why: str):
    verdict = check(problem(ADD | {"cpu_s": 1}), fenced(code))
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0)
    assert why in verdict.detail


@isolated
def test_a_test_of_bare_assertions_needs_no_entry_point():
    bare = {"style": "function", "test": "assert add(1, 2) == 3"}
    assert check(problem(bare), fenced("def add(a, b): return a + b")).outcome is Outcome.CORRECT
    assert check(problem(bare), fenced("def add(a, b): return a * b")).outcome is Outcome.WRONG
    cheat = "class Any:\n    def __eq__(self, other): return True\ndef add(a, b): return Any()"
    assert check(problem(bare), fenced(cheat)).outcome is Outcome.WRONG


@isolated
def test_a_prompt_comes_first_and_a_mere_body_completes_it():
    payload = ADD | {"prompt": "from math import fsum\n\ndef add(a, b):\n    '''Adds.'''\n"}
    assert check(problem(payload), "    return int(fsum([a, b]))\n").outcome is Outcome.CORRECT
    assert (
        check(problem(payload), fenced("def add(a, b): return int(fsum([a, b]))")).outcome is Outcome.CORRECT
    )


@isolated
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("a, b = map(int, input().split())\nprint(a + b)", Outcome.CORRECT),
        ("a, b = map(int, input().split())\nprint(a + b, end='  ')", Outcome.CORRECT),
        ("print(3)", Outcome.WRONG),
        ("a, b = map(int, input().split())\nprint(a + b)\nprint('and more')", Outcome.WRONG),
        ("", Outcome.NO_ANSWER),
        ("a, b = map(int, input().split())\nprint(a + b)\nraise SystemExit(1)", Outcome.WRONG),
        ("while True: print('x' * 1000)", Outcome.WRONG),
    ],
)
def test_a_program_must_print_just_the_expected_output(code: str, outcome: Outcome):
    assert check(problem(ECHO), fenced(code)).outcome is outcome


@pytest.mark.parametrize(
    ("expected", "printed", "tolerance", "same"),
    [
        ("1\n2\n", "1\n2", 0.0, True),
        ("1\n2\n", "1 \n2\n\n", 0.0, True),
        ("1\n2\n", "1", 0.0, False),
        ("1", "1\n2", 0.0, False),
        ("a b", "a  b", 0.0, False),
        ("0.3333", "0.3334", 1e-3, True),
        ("x 1000000", "x 1000001", 1e-5, True),
        ("0.3333", "0.34", 1e-3, False),
        ("0.3", "zero", 1e-3, False),
        ("1 2", "1", 1e-3, False),
        ("1", "nan", 1e-3, False),
        ("inf", "0", 1e-3, False),
        ("inf", "inf", 1e-3, True),
        ("7" * 400, "0", 1e-3, False),
        ("0", "1e999", 1e-3, False),
    ],
)
def test_outputs_are_compared_whole(expected: str, printed: str, tolerance: float, same: bool):
    assert same_output(expected, printed, tolerance=tolerance) is same


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("```python\na = 1\n```\nthen\n```python\nb = 2\n```", "", "b = 2\n"),
        ("```python\ndef f(): 1\n```\nUse it:\n```python\nprint(f())\n```", "f", "def f(): 1\n"),
        ("<think>```python\nwrong\n```</think>```py\nright\n```", "", "right\n"),
        ("```cpp\nint x;\n```\n```\ny = 1\n```", "", "y = 1\n"),
        ("<think>x</think>\n    return 1\n", "f", "    return 1"),
        ("print(1)", "", "print(1)"),
        ("```python\na = 1\n```\nIt prints:\n```\n7\n```", "", "a = 1\n"),
        ("```python\na = 1\n```\nor\n```\ndef f(): 1\n```", "f", "def f(): 1\n"),
        ("1. So:\n\n   ```python\n   if a:\n       b\n   ```\n", "", "if a:\n    b\n"),
        ("So:\n```python\na = 1\n", "", "a = 1\n"),
        ("~~~python\na = '```'\n~~~", "", "a = '```'\n"),
        ("````python\na = 1\n```\n````", "", "a = 1\n```\n"),
        ("```python\n\ufeffa = 1\n```", "", "a = 1\n"),
    ],
)
def test_the_last_block_that_fits_is_the_program(text: str, name: str, code: str):
    assert extract(text, name) == code


def test_an_unclosed_thought_has_no_program():
    assert check(problem(ECHO), "<think>```python\nprint(1)\n```").outcome is Outcome.NO_ANSWER


def test_a_program_beyond_all_measure_is_wrong():
    assert check(problem(ECHO), fenced("x = 1\n" * 100_000)).outcome is Outcome.WRONG


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"style": "essay"},
        {"style": "function"},
        {"style": "stdio"},
        {"style": "stdio", "tests": []},
        {"style": "stdio", "tests": [{"input": 1}]},
        {"style": "stdio", "tests": [{"input": "1", "output": ""}, {"input": "2", "output": " \n"}]},
    ],
)
def test_without_tests_there_is_nothing_to_judge_by(payload: dict[str, Any]):
    assert check(problem(payload), "print(1)").outcome is Outcome.NO_GOLD


def test_an_unreadable_payload_is_an_error():
    assert check(Problem("q", "", payload="[]"), "print(1)").outcome is Outcome.ERROR


@pytest.mark.parametrize("payload", [ADD, ECHO], ids=["function", "stdio"])
@pytest.mark.parametrize(
    "option",
    [
        {"tolerance": "tight"},
        {"tolerance": -1},
        {"tolerance": 1},
        {"tolerance": float("nan")},
        {"cpu_s": "long"},
        {"cpu_s": float("inf")},
        {"cpu_s": -1},
        {"cpu_s": 0},
        {"cpu_s": True},
        {"memory_mb": 1e30},
        {"memory_mb": -5},
        {"memory_mb": 0},
        {"entry_point": 3},
        {"prompt": ["x"]},
        {"checker": {}},
    ],
    ids=str,
)
def test_an_option_that_makes_no_sense_is_an_error_that_names_it(
    payload: dict[str, Any], option: dict[str, Any]
):
    verdict = judge([(problem(payload | option), fenced("print(1)"))])[0]
    assert (verdict.outcome, verdict.score) == (Outcome.ERROR, None)
    assert next(iter(option)) in verdict.detail


@isolated
def test_an_option_that_is_null_is_absent():
    absent = dict.fromkeys(("tolerance", "cpu_s", "memory_mb", "entry_point", "prompt", "checker"))
    code = "a, b = map(int, input().split())\nprint(a + b)"
    assert check(problem(absent | ECHO), fenced(code)).outcome is Outcome.CORRECT
    code = "def add(a, b): return a + b"
    assert check(problem(absent | ADD), fenced(code)).outcome is Outcome.CORRECT


@isolated
@pytest.mark.parametrize("payload", [ADD, ECHO], ids=["function", "stdio"])
def test_the_least_memory_that_can_be_asked_for_is_enough_to_begin(payload: dict[str, Any]):
    code = (
        "def add(a, b): return a + b\nif __name__ == '__main__':\n    print(add(*map(int, input().split())))"
    )
    assert check(problem(payload | {"memory_mb": 64}), fenced(code)).outcome is Outcome.CORRECT


def test_equal_rows_are_run_once(monkeypatch: pytest.MonkeyPatch):
    ran: list[str] = []

    def run(*_: object, stdin: str, **__: object) -> Result:
        ran.append(stdin)
        return Result("", "install it", None, Ended.UNAVAILABLE)

    monkeypatch.setattr(program, "run_python", run)
    one, other = (problem(ADD), fenced("x = 1")), (problem(ADD), fenced("x = 2"))
    assert [v.outcome for v in judge([one, other, one, one])] == [Outcome.ERROR] * 4
    assert len(ran) == 2


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [(Ended.UNAVAILABLE, Outcome.ERROR), (Ended.BROKEN, Outcome.ERROR), (Ended.TIMEOUT, Outcome.TIMEOUT)],
)
def test_a_sandbox_at_fault_is_never_a_wrong_answer(
    monkeypatch: pytest.MonkeyPatch, ended: Ended, outcome: Outcome
):
    for module in (program, inputs):
        monkeypatch.setattr(module, "run_python", lambda *_, **__: Result("", "install it", None, ended))
    for payload in (ADD, ECHO):
        verdict = check(problem(payload), fenced("print(1)"))
        assert (verdict.outcome, verdict.score) == (outcome, None)


@pytest.mark.parametrize("ended", [Ended.IDLE, Ended.CPU_LIMIT, Ended.FLOODED])
def test_a_program_that_uses_up_what_it_has_is_wrong(monkeypatch: pytest.MonkeyPatch, ended: Ended):
    for module in (program, inputs):
        monkeypatch.setattr(module, "run_python", lambda *_, **__: Result("", "", -9, ended))
    monkeypatch.setattr(inputs, "guarded", lambda _: False)
    for payload in (ADD, ECHO):
        verdict = check(problem(payload), fenced("print(1)"))
        assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0)


@pytest.mark.parametrize(("guarded", "outcome"), [(True, Outcome.ERROR), (False, Outcome.WRONG)])
@pytest.mark.parametrize("raw", [b"", b"garbage\n", b'{"status": 0}\n'])
def test_a_supervisor_that_is_lost_is_its_programs_doing_where_it_could_do_it(
    monkeypatch: pytest.MonkeyPatch, guarded: bool, outcome: Outcome, raw: bytes
):
    lost = Result(raw.decode(), "", -15, Ended.FINISHED, raw=raw)
    for module in (program, inputs):
        monkeypatch.setattr(module, "run_python", lambda *_, **__: lost)
    monkeypatch.setattr(inputs, "guarded", lambda _: guarded)
    for payload in (ADD, ECHO):
        assert check(problem(payload), fenced("print(1)")).outcome is outcome


def _rows(path: Path, count: int) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(lines, count)]


@pytest.mark.slow
@isolated
def test_reference_solutions_of_real_sets_pass(real_data: Path):
    pairs = [
        (
            problem({"style": "function", **{k: row[k] for k in ("entry_point", "test", "prompt")}}),
            row["prompt"] + row["canonical_solution"],
        )
        for row in _rows(real_data / "code_humaneval_plus_104.jsonl.gz", 12)
    ]
    pairs += [
        (
            problem({"style": "function", "test": "\n".join([row["test_setup_code"], *row["test_list"]])}),
            row["code"],
        )
        for row in _rows(real_data / "code_mbpp_974.jsonl.gz", 12)
    ]
    pairs += [
        (
            problem({"style": "function", **{k: row[k] for k in ("entry_point", "test", "prompt")}}),
            row["completion"],
        )
        for row in _rows(real_data / "code_leetcode_train.jsonl.gz", 12)
    ]
    verdicts = judge([(one, fenced(code)) for one, code in pairs])
    assert [verdict.detail for verdict in verdicts if verdict.outcome is not Outcome.CORRECT] == []
