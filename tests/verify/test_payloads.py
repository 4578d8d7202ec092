"""Whatever a model or a data set writes, and wherever it stands in a row: it is never run outside a sandbox."""

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distillery.records import Problem, Verdict
from distillery.verify import CHECKERS
from distillery.verify.gold import gold_faults
from distillery.verify.pool.processes import close, judge
from tests.verify.test_properties import GOOD

SECRET = "sk-of-this-machine"
FORGE = (
    "[setattr(__import__('distillery.records', fromlist=['x']).Verdict, 'of', classmethod(lambda k, *a, **b: "
    "k(__import__('distillery.records', fromlist=['x']).Outcome.CORRECT, 1.0)))]"
)
RUNS = [  # {mark} is a file's path: it is there, or it names the secret, if one of these was run
    "open('{mark}', 'w')",
    "open('{mark}','w').write(__import__('os').environ['API_KEY'])",
    "__import__('os').system('touch {mark}')",
    "__import__('os').environ['API_KEY']",
    "__import__('subprocess').run(['touch', '{mark}'])",
    "__import__('pathlib').Path('{mark}').touch()",
    "__import__('numpy').save('{mark}', 1)",
    "__import__('pickle').loads(b\"cos\\nsystem\\n(S'touch {mark}'\\ntR.\")",
    "exec(\"open('{mark}', 'w')\")",
    "eval(compile(\"open('{mark}', 'w')\", 'x', 'eval'))",
    "(lambda f=open: f('{mark}', 'w'))()",
    "(f := open)('{mark}', 'w')",
    "[f for f in [open]][0]('{mark}', 'w')",
    "{{0: open}}[0]('{mark}', 'w')",
    "getattr(__import__('builtins'), 'op' + 'en')('{mark}', 'w')",
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen'][0](['touch', '{mark}'])",
    "(1).__class__.__mro__[-1].__subclasses__()[-1].__init__.__globals__['__builtins__']['open']('{mark}', 'w')",
    "f\"{{open('{mark}', 'w')}}\"",
    'f\'{{__import__("os").environ["API_KEY"]}}\'',
    "sympify(\"open('{mark}', 'w')\")",
    "S(\"__import__('os').system('touch {mark}')\")",
    "parse_expr(\"open('{mark}', 'w')\")",
    "lambdify(x, \"open('{mark}', 'w')\")(1)",
    "Symbol('x').__class__.__init__.__globals__['__builtins__']['open']('{mark}', 'w')",
    "np.lib.npyio.format.open_memmap('{mark}', 'w+', shape=(1,))",
    FORGE.replace("{", "{{").replace("}", "}}"),
]
TEXTS = [  # what other languages than Python take for code
    '!!python/object/apply:os.system ["touch {mark}"]',
    "cos\nsystem\n(S'touch {mark}'\ntR.",
    "{{0.__class__.__init__.__globals__}}",
    "%(API_KEY)s ${{API_KEY}} $(touch {mark}) `touch {mark}`",
    "{{{{ cycler.__init__.__globals__.os.environ['API_KEY'] }}}}",
    "{{% import os %}}{{{{ os.system('touch {mark}') }}}}",
    "\\input{{|touch {mark}}} \\write18{{touch {mark}}}",
    "\\immediate\\openout1={mark} \\write1{{x}}",
]
WRAPS: list[Callable[[str], str]] = [
    lambda run: run,
    lambda run: f"[{run}]",
    lambda run: f"({run}, 1)",
    lambda run: f'{{"a": {run}}}',
    lambda run: f"1 + {run}",
    lambda run: f"x*({run})",
    lambda run: f"{run} or 1",
    lambda run: f"2 if {run} else 3",
    lambda run: f"\\boxed{{{run}}}",
    lambda run: f"$\\frac{{{run}}}{{2}}$",
    lambda run: f"\\text{{{run}}}",
    lambda run: f"sin({run})",
    lambda run: f"1/2 # {run}\n{run}",
    lambda run: f"<answer>{run}</answer>",
    lambda run: f"'''{run}'''",
]

# tasks whose scorers evaluate what they are given, and an entry of each
PUZZLES: dict[str, dict[str, Any]] = {
    "countdown": {"answer": "94*4 - 61 - 6", "metadata": {"numbers": [94, 4, 61, 6], "target": 309}},
    "puzzle24": {"answer": "1*(7*4 - 4)", "metadata": {"numbers": [1, 7, 4, 4]}},
    "simple_integration": {"answer": "x**2 + C", "metadata": {"integrand": "2*x", "variable": "x"}},
    "polynomial_multiplication": {"answer": "x**2 - 1", "metadata": {}},
    "bitwise_arithmetic": {"answer": "0x3", "metadata": {"problem": "(0x1 + 0x2)"}},
    "number_sorting": {"answer": "['1', '2']", "metadata": {"direction": "ascending"}},
    "binary_matrix": {"answer": "0 1\n1 0", "metadata": {}},
    "spiral_matrix": {"answer": "1 2 3", "metadata": {}},
    "string_insertion": {"answer": "ABC", "metadata": {}},
    "n_queens": {"answer": "Q", "metadata": {"valid_answers": ["Q"]}},
    "codeio": {"answer": '{"a": 1}', "metadata": {}},
    "chain_sum": {"answer": "3", "metadata": {}},
}


def puzzle(task: str, entry: dict[str, Any]) -> Problem:
    return Problem("q", "", checker="puzzle", payload=json.dumps({"task": task, "entry": entry}))


def planted(value: Any, text: str) -> list[Any]:
    """The value with the text in the place of each of its leaves in turn."""
    if isinstance(value, dict):
        return [value | {name: new} for name, its in value.items() for new in planted(its, text)]
    if isinstance(value, list):
        places = enumerate(value)
        return [
            [*value[:place], new, *value[place + 1 :]] for place, its in places for new in planted(its, text)
        ]
    return [text]


def rows_with(text: str, checker: str, good: Problem, completion: str) -> list[tuple[Problem, str]]:
    """The text as the answer, the question, the gold, and each part of the payload."""
    thought = "<think>t</think>"
    payloads = [replace(good, payload=json.dumps(one)) for one in planted(good.options, text)]
    return [
        (good, thought + text),
        (good, f"{thought}<answer>{text}</answer>"),
        (good, f"{thought}\n```python\n{text}\n```"),
        (replace(good, question=text), completion),
        (replace(good, gold=text), completion),
        (replace(good, gold=text), thought + text),
        *((problem, completion) for problem in payloads),
        *((problem, thought + text) for problem in payloads),
    ]


def payloads(mark: Path) -> list[str]:
    runs = [run.format(mark=mark) for run in RUNS]
    return [wrap(run) for run in runs for wrap in WRAPS] + [text.format(mark=mark) for text in TEXTS]


def judged(rows: list[tuple[Problem, str]]) -> list[Verdict]:
    """One worker for all of them: what one of them changed there, the next would show."""
    return judge(rows, workers=1, deadline_s=30)


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("API_KEY", SECRET)
    monkeypatch.chdir(tmp_path)
    close()  # the next workers have the key, and stand here
    return tmp_path / "ran"


CONTROL = [
    *GOOD.values(),
    *((problem, "<think>t</think>certainly not this") for problem, _ in GOOD.values()),
    *((puzzle(task, entry), f"<answer>{entry['answer']}</answer>") for task, entry in PUZZLES.items()),
    *((puzzle(task, entry), "<answer>5</answer>") for task, entry in PUZZLES.items()),
]


def leave_no_trace(rows: list[tuple[Problem, str]], mark: Path) -> None:
    before, environment, names = judged(CONTROL), dict(os.environ), dict(vars(Verdict))
    verdicts = judged(rows)
    faults = gold_faults([problem for problem, _ in rows], workers=1, deadline_s=30)
    assert list(mark.parent.iterdir()) == []
    assert SECRET not in repr([verdicts, faults])
    assert judged(CONTROL) == before
    assert (dict(os.environ), dict(vars(Verdict))) == (environment, names)


SHARE = {"program": 40}  # rows, where each takes a process of its own; else 400


@pytest.mark.slow
@pytest.mark.parametrize("checker", sorted(set(CHECKERS) - {"puzzle"}))
def test_nothing_that_stands_in_a_row_is_run(checker: str, watched: Path):
    good, completion = GOOD[checker]
    rows = [row for text in payloads(watched) for row in rows_with(text, checker, good, completion)]
    random.Random(checker).shuffle(rows)
    leave_no_trace(rows[: SHARE.get(checker, 400)], watched)


@pytest.mark.slow
@pytest.mark.parametrize("task", sorted(PUZZLES))
def test_nothing_that_stands_in_a_puzzle_is_run(task: str, watched: Path):
    entry = PUZZLES[task]
    good, completion = puzzle(task, entry), f"<answer>{entry['answer']}</answer>"
    rows = [row for text in payloads(watched) for row in rows_with(text, "puzzle", good, completion)]
    random.Random(task).shuffle(rows)
    leave_no_trace(rows[:200], watched)


@pytest.mark.parametrize("task", sorted(PUZZLES))
def test_no_payload_is_ever_a_right_answer(task: str, watched: Path):
    texts = random.Random(task).sample(payloads(watched), 40)
    verdicts = judged([(puzzle(task, PUZZLES[task]), f"<answer>{text}</answer>") for text in texts])
    assert {verdict.outcome for verdict in verdicts} == {"wrong"}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_payloads_run_where_something_runs_them(watched: Path):
    """Else the tests above would say nothing."""
    ran = 0
    for run in RUNS[:1] + RUNS[2:3] + RUNS[8:16]:
        watched.unlink(missing_ok=True)
        eval(run.format(mark=watched))
        ran += watched.exists()
    assert ran >= 8
