"""What test code may do with a program that it cannot touch."""

import json
from typing import Any

import pytest

from distillery import sandbox
from distillery.records import Outcome, Problem, Verdict
from distillery.verify import get_checker

check = get_checker("program").check
pytestmark = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))


def judged(test: str, code: str, **payload: Any) -> Verdict:
    problem = Problem(
        "q", "", checker="program", payload=json.dumps({"style": "function", "test": test} | payload)
    )
    return check(problem, f"```python\n{code}\n```")


VALUES = """
import collections, datetime, decimal, fractions, math
import numpy as np
for value in (
    None, True, 1, 2 ** 4000, -0.5, math.inf, 1j, "a\\ud800", b"x", bytearray(b"y"), (1, [2]), {1, (2,)}, frozenset([3]),
    {(1, 2): [3], "a": {"b": 1}}, range(2, 9, 3), collections.Counter("aab"), collections.OrderedDict(a=1),
    collections.deque([1, 2]), datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3), datetime.time(4),
    datetime.timedelta(1, 2), decimal.Decimal("1.10"), fractions.Fraction(1, 3), int, [], [[1], "b"],
):
    back = same(value)
    assert type(back) is type(value) and back == value, value
assert math.isnan(same(math.nan))
assert (same(np.array([[1.5, 2], [3, 4]])) == np.array([[1.5, 2], [3, 4]])).all()
assert same(np.float32(1.5)).dtype == np.float32
assert same(np.array([1j]))[0] == 1j
"""


def test_plain_values_come_back_as_they_went():
    assert judged(VALUES, "def same(value):\n    return value") == Verdict.of(
        True, "def same(value):\n    return value\n"
    )


LISTS = """
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
def list_node(values):
    head = None
    for value in reversed(values):
        head = ListNode(value, head)
    return head
def values(node):
    found = []
    while node:
        found.append(node.val)
        node = node.next
    return found
class Solution:
    def turn(self, head):
        pass
"""
TURN = """
class Solution:
    def turn(self, head):
        last = None
        while head:
            head.next, last, head = last, head, head.next
        return last
"""


@pytest.mark.slow
def test_objects_of_the_prompts_classes_travel_by_value_however_long_the_list():
    test = "def check(turn):\n    assert values(turn(list_node(range(20000)))) == list(range(20000))[::-1]\n"
    found = judged(test, TURN, prompt=LISTS, entry_point="Solution().turn")
    assert found.outcome is Outcome.CORRECT, found.detail
    assert (
        judged(
            test, TURN.replace("return last", "return head"), prompt=LISTS, entry_point="Solution().turn"
        ).score
        == 0
    )


USES = [
    ("x = [3, 1, 2]\nassert f(x) is None\nassert x == [1, 2, 3]", "def f(x): x.sort()"),
    ("x = {'a': 1}\nf(other=x)\nassert x == {'b': 2}", "def f(other):\n    other.clear()\n    other['b'] = 2"),
    ("assert list(f(3)) == [0, 1, 2]\nassert next(f(3)) == 0", "def f(n): yield from range(n)"),
    ("from itertools import islice\nassert list(islice(f(), 200)) == list(range(200))", "import itertools\ndef f(): return itertools.count()"),
    ("assert f(lambda x: x + 1, [1, 2]) == [2, 3]", "def f(g, xs): return [g(x) for x in xs]"),
    ("assert f(2)(3) == 5", "def f(x): return lambda y: x + y"),
    ("s = Stack()\ns.push(1)\ns.push(2)\nassert s.items == [1, 2] and len(s) == 2 and s[0] == 1 and 2 in s\ns.items = []\nassert len(s) == 0\ns[0] = 5\nassert str(s) == 'stack'",
     "class Stack:\n    def __init__(self): self.items = []\n    def push(self, x): self.items.append(x)\n    def __len__(self): return len(self.items)\n    def __getitem__(self, n): return self.items[n]\n    def __contains__(self, x): return x in self.items\n    def __setitem__(self, n, x): pass\n    def __str__(self): return 'stack'"),
    ("try:\n    f(0)\n    raise SystemError\nexcept ZeroDivisionError as e:\n    assert 'zero' in str(e)", "def f(x): return 1 / x"),
    ("try:\n    f(0)\n    raise SystemError\nexcept RuntimeError as e:\n    assert 'Odd' in str(e)", "class Odd(Exception): pass\ndef f(x): raise Odd"),
    ("assert sum(1, 2) == 3", "def sum(a, b): return a + b"),
    ("assert math.isclose(f(), 3.14, abs_tol=0.01)", "import math\ndef f(): return math.pi"),
    ("assert f(node(1, node(2, None))) == 2", "import collections\nnode = collections.namedtuple('node', 'v next')\ndef f(n): return n[1][0]"),
    ("assert f(a) == 2\na.x = 3\nassert f(a) == 3", "class A:\n    x = 2\na = A()\ndef f(a): return a.x"),
    ("assert f(1).x == 2 and f(1) == (2, 0)", "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(a): return P(a + 1, 0)"),
    ("x = f(1)\nassert x == {1: [2]} and x[5] == []", "from collections import defaultdict\ndef f(a): return defaultdict(list, {1: [2]})"),
    ("assert list(f()) == [2 ** 70]", "import numpy as np\ndef f(): return np.array([2 ** 70])"),
    ("assert f() == 1 and f() + 2 == 3", "import numpy as np\ndef f(): return np.int8(1)"),
    ("assert f() == [2 ** 62]", "import numpy as np\ndef f(): return [np.int64(2 ** 62)]"),
    ("from itertools import islice\nassert list(islice(f(), 4)) == [6, 28, 496, 8128]", "def f():\n    n = 2\n    while True:\n        if sum(d for d in range(1, n) if n % d == 0) == n: yield n\n        n += 1"),
    ("got = []\ntry:\n    for x in f(): got.append(x)\nexcept ValueError: pass\nassert got == [1]", "def f():\n    yield 1\n    raise ValueError"),
    ("try:\n    f()\nexcept RuntimeError as e:\n    assert 'StopIteration' in str(e)", "def f(): raise StopIteration"),
    ("s = Bag()\ns.add(1)\nassert 1 in s and 2 not in s", "class Bag:\n    def __init__(self): self.x = []\n    def add(self, x): self.x.append(x)\n    def __contains__(self, x): return x in self.x"),
    ("assert f() == 7 and isinstance(f(), int)", "import enum\nclass E(enum.IntEnum):\n    A = 7\ndef f(): return E.A"),
]  # fmt: skip


@pytest.mark.parametrize(("test", "code"), USES)
def test_what_tests_do_with_programs_works_across_processes(test: str, code: str):
    found = judged(test, code)
    assert found.outcome is Outcome.CORRECT, found.detail


CHANGES = {  # what a function does to its argument, what it returns, and what is left of [3, 1]
    "x.sort()": "[1, 3]",
    "x.append(x.pop(0))": "[1, 3]",
    "x[:] = []": "[]",
    "x += [[0]]": "[3, 1, [0]]",
}
RETURNS = {"return 2": "== 2", "return x": "is not None", "return None": "is None", "return [x, {}]": "!= 7"}
AFTER = [
    "a = [3, 1]\nassert f(a) {said}\nassert a == {left}",
    "a = [3, 1]\nassert f(a) {said} and a == {left}",
    "a = [3, 1]\nassert f(x=a) {said}\nassert a == {left}",
    "def check(c):\n    a = [3, 1]\n    got = c(a)\n    assert got {said} and a == {left}\ncheck(f)",
    "a = [[3, 1], [3, 1]]\nfor one in a:\n    assert f(one) {said}\nassert a == [{left}] * 2",
    "a = [[3, 1], [3, 1]]\ngot = [f(one) for one in a]\nassert a == [{left}] * 2",
    "class TestF:\n    def test_f(self):\n        'It does.'\n        a = [3, 1]\n        f(a)\n        assert a == {left}",
    "a = [3, 1]\ntry:\n    g(a)\nexcept ValueError:\n    assert a == {left}",
]


@pytest.mark.parametrize("test", AFTER)
@pytest.mark.parametrize("returned", RETURNS)
def test_what_a_function_did_to_its_arguments_is_seen_whatever_it_returns(test: str, returned: str):
    changes = dict(CHANGES) if returned == "return 2" else {"x.sort()": "[1, 3]"}
    for change, left in changes.items():
        code = f"def f(x):\n    {change}\n    {returned}\ndef g(x):\n    {change}\n    raise ValueError"
        found = judged(test.format(said=RETURNS[returned], left=left), code)
        assert found.outcome is Outcome.CORRECT, found.detail
        idle = f"def f(x):\n    {returned}\ndef g(x):\n    raise ValueError"
        assert judged(test.format(said=RETURNS[returned], left=left), idle).outcome is Outcome.WRONG


ASYNC = [
    "import asyncio\nassert asyncio.run(f(1)) == 2",
    "import asyncio\ndef check(c):\n    assert asyncio.run(c(1)) == 2\ncheck(f)",
    "import asyncio\nasync def g():\n    return await f(0), await f(1)\nassert asyncio.run(g()) == (1, 2)",
    "import asyncio\nasync def g():\n    return await asyncio.gather(f(0), f(1))\nassert asyncio.run(g()) == [1, 2]",
    "async def test_f():\n    assert await f(1) == 2",
    "import unittest\nclass T(unittest.IsolatedAsyncioTestCase):\n    async def test_f(self): self.assertEqual(await f(1), 2)",
]
SLOW = "import asyncio\nasync def f(x):\n    await asyncio.sleep(0.01)\n    return x + {}"


@pytest.mark.parametrize("test", ASYNC)
def test_an_asynchronous_function_is_run_where_the_test_waits_for_it(test: str):
    for code in ("async def f(x): return x + {}", SLOW):
        found = judged(test, code.format(1))
        assert found.outcome is Outcome.CORRECT, found.detail
        assert judged(test, code.format(2)).outcome is Outcome.WRONG


@pytest.mark.parametrize("test", ["assert f(1) == 2", "assert f(1)", "x = f(1)\nassert x == 2 or True"])
def test_a_test_that_does_not_wait_for_a_coroutine_judges_nothing(test: str):
    found = judged(test, "async def f(x): return x + 1")
    assert (found.outcome, found.score) == (Outcome.ERROR, None)
    assert "await" in found.detail


def test_an_asynchronous_generator_is_walked_through():
    test = (
        "import asyncio\nasync def g(): return [x async for x in f(3)]\nassert asyncio.run(g()) == [0, 1, 2]"
    )
    assert judged(test, "async def f(n):\n    for x in range(n): yield x").outcome is Outcome.CORRECT
    assert judged(test, "async def f(n):\n    yield 0").outcome is Outcome.WRONG


@pytest.mark.parametrize("digits", [4300, 4301, 20_000])
def test_a_number_may_be_as_long_as_it_is(digits: int):
    text = "1" + "0" * (digits - 1)
    assert judged(f"assert f() == {text!r}", f"def f(): return str(10 ** {digits - 1})").score == 1.0
    rows = [{"input": "", "output": f"{text}\n"}]
    for checker in ({}, {"checker": "def check(g, p, e): return int(p) == int(e)"}, {"tolerance": 1e-9}):
        payload = json.dumps({"style": "stdio", "tests": rows} | checker)
        problem = Problem("q", "", checker="program", payload=payload)
        assert check(problem, f"```python\nprint(10 ** {digits - 1})\n```").outcome is Outcome.CORRECT


def test_a_function_that_returns_something_cannot_change_what_it_is_judged_by():
    test = "def right(x): return sorted(x)\nx = [3, 1]\nassert f(x) == right(x)"
    assert judged(test, "def f(x):\n    x.clear()\n    return []").outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("test", "payload"),
    [
        ("def check(:", {}),
        ("import no_such_module\nassert f()", {}),
        ("assert f()", {"prompt": "import no_such_module"}),
    ],
)
def test_a_test_that_cannot_run_is_not_the_programs_fault(test: str, payload: dict[str, Any]):
    found = judged(test, "def f(): return True", **payload)
    assert (found.outcome, found.score) == (Outcome.ERROR, None)


def test_a_module_that_only_the_program_lacks_is_its_own_fault():
    assert judged("assert f()", "import no_such_module\ndef f(): return True").outcome is Outcome.WRONG


FORGED = [
    "{'t': 'graph', 'v': {'t': 'o', 'v': 9}, 'o': []}",
    "{'t': 'numpy', 'v': ['O', [1], [1]]}",
    "{'t': 'yours', 'v': 12345}",
    "{'t': 'nothing'}",
    "{'t': 'set', 'v': [[1]]}",
    "{}",
]


@pytest.mark.parametrize("reply", FORGED)
def test_a_forged_reply_is_a_wrong_answer_even_where_a_test_forgives_all(reply: str):
    code = f"""
import json, os, struct
def f():
    data = json.dumps(["value", {reply}, None]).encode()
    for fd in range(3, 64):
        try: os.write(fd, struct.pack(">I", len(data)) + data)
        except OSError: pass
"""
    assert judged("try:\n    f()\nexcept Exception:\n    pass", code).outcome is Outcome.WRONG


RIGHT, OTHER = "def f(x): return x + 1", "def f(x): return x"
CASE = "import unittest\nclass T(unittest.TestCase):\n    def test_one(self): self.assertEqual(f(1), 2)\n"
STYLES = {
    "a function": "def test_f():\n    assert f(1) == 2\n",
    "a function that the test calls": "def test_f(x=1):\n    assert f(x) == 2\ntest_f()\n",
    "a function with rows": "import pytest\n@pytest.mark.parametrize('x, y', [(1, 2), pytest.param(2, 3)])\ndef test_f(x, y):\n    assert f(x) == y\n",
    "a function with values": "import pytest\n@pytest.mark.parametrize('x', [1, pytest.param(2)])\ndef test_f(x):\n    assert f(x) == x + 1\n",
    "a class": "class TestF:\n    def test_f(self):\n        assert f(1) == 2\n",
    "a class with a beginning": "class TestF:\n    def setup_method(self, method): self.x = 1\n    def test_f(self): assert f(self.x) == 2\n",
    "a class with another beginning": "class TestF:\n    def setup_method(self): self.x = 1\n    def test_f(self): assert f(self.x) == 2\n",
    "cases": CASE,
    "cases with a guarded main": CASE + "if __name__ == '__main__':\n    unittest.main()\n",
    "cases with main": CASE + "unittest.main()\n",
    "cases with a main that returns": CASE + "unittest.main(argv=[''], exit=False)\n",
    "cases with a runner": CASE
    + "unittest.TextTestRunner().run(unittest.TestLoader().loadTestsFromTestCase(T))\n",
    "cases with parts": "import unittest\nclass T(unittest.TestCase):\n    def test_one(self):\n        for n in (1, 2):\n            with self.subTest(n=n): self.assertEqual(f(n), n + 1)\n",
    "cases in their order": "import unittest\nclass T(unittest.TestCase):\n    def setUp(self): self.x = 1\n    def test_one(self): self.assertEqual(f(self.x), 2)\n",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("entry_point", ["", "f"])
def test_tests_that_are_only_defined_are_run(style: str, entry_point: str):
    if "pytest" in STYLES[style]:
        pytest.importorskip("pytest")
    assert judged(STYLES[style], RIGHT, entry_point=entry_point).outcome is Outcome.CORRECT
    assert judged(STYLES[style], OTHER, entry_point=entry_point).outcome is Outcome.WRONG


IDLE = {
    "a check without an entry point": ("def check(c):\n    assert c(1) == 2\n", ""),
    "an empty check": ("def check(c):\n    pass\n", "f"),
    "a comment": ("# assert f(1) == 2\n", ""),
    "a skipped test": ("import pytest\n@pytest.mark.skip\ndef test_f(): assert f(1) == 2\n", ""),
    "a fixture": ("def test_f(tmp_path): assert f(1) == 2\n", ""),
    "cases without a test": ("import unittest\nclass T(unittest.TestCase): pass\n", ""),
}


@pytest.mark.parametrize("test", IDLE)
def test_a_test_that_never_calls_the_program_judges_nothing(test: str):
    code, entry_point = IDLE[test]
    for program in (RIGHT, OTHER):
        verdict = judged(code, program, entry_point=entry_point)
        assert (verdict.outcome, verdict.score) == (Outcome.ERROR, None)


def test_what_a_test_prints_is_nobodys():
    assert judged("print('x' * 5_000_000)\nassert f(1) == 2", RIGHT).outcome is Outcome.CORRECT


@pytest.mark.slow
def test_a_test_that_sleeps_is_not_the_programs_fault():
    verdict = judged("import time\ntime.sleep(60)\nassert f(1) == 2", RIGHT, cpu_s=1)
    assert (verdict.outcome, verdict.score) == (Outcome.ERROR, None)


def test_annotations_are_what_they_are_in_a_file_of_their_own():
    assert (
        judged("assert f(1) == 2", "def f(x: int): return x + f.__annotations__['x'](1)").outcome
        is Outcome.CORRECT
    )
    assert judged("assert f([1]) == 1", "def f(x: List[int]): return x[0]").outcome is Outcome.WRONG


PROMPTS = [
    ("class S:\n    def g(self, x):\n        raise NotImplementedError\n", "class S:\n    def g(self, x): return x + 1", "assert S().g(1) == 2"),
    ("def f(x):\n", "def f(x):\n    return x + 1", "assert f(1) == 2"),
    ("class S:\n    def g(self, x):\n", "class S:\n    def g(self, x):\n        return x + 1", "assert S().g(1) == 2"),
    ("import math\n", "from __future__ import annotations\ndef f(x): return x + 1", "assert f(1) == 2"),
    ("class N:\n    def __init__(self, v): self.v = v\n", "class N:\n    __slots__ = ('v',)\n    def __init__(self, v): self.v = v\ndef f(n): return N(n.v + 1)", "assert f(N(1)).v == 2"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "code", "test"), PROMPTS)
def test_a_whole_program_may_follow_a_prompt(prompt: str, code: str, test: str):
    found = judged(test, code, prompt=prompt)
    assert found.outcome is Outcome.CORRECT, found.detail


@pytest.mark.slow
def test_output_that_its_checker_cannot_bear_is_wrong_and_a_checker_that_bears_none_an_error():
    slow = "import re\ndef check(g, p, e): return bool(re.fullmatch('(a+)+b', p.strip())) or p == e"
    spin = "def check(g, p, e):\n    while True: pass"
    for checker, outcome in ((slow, Outcome.WRONG), (spin, Outcome.ERROR)):
        payload = {"style": "stdio", "tests": ROWS[:1], "checker": checker, "cpu_s": 1}
        problem = Problem("q", "", checker="program", payload=json.dumps(payload))
        assert check(problem, "```python\nprint('a' * 40)\n```").outcome is outcome


def test_a_prompt_that_ends_in_the_middle_of_a_function_is_completed():
    assert judged("assert f(1) == 2", "    return x + 1\n", prompt="def f(x):").outcome is Outcome.CORRECT


CHECKER = (
    "def check(given, printed, expected):\n    return sorted(printed.split()) == sorted(expected.split())"
)
ROWS = [{"input": "3\n", "output": "0 1 2"}, {"input": "2\n", "output": "0 1"}]


@pytest.mark.parametrize(
    ("checker", "code", "outcome"),
    [
        (CHECKER, "print(*reversed(range(int(input()))))", Outcome.CORRECT),
        (CHECKER, "print(0, 1, 2)", Outcome.WRONG),
        ("def check(g, p, e): return int(p[0]) >= 0", "print('many')", Outcome.WRONG),
        ("def check(g, p, e): return int(p) > 0", "print('many')", Outcome.ERROR),
        ("def check(g, p, e): return p == e or 1", "print('many')", Outcome.ERROR),
        ("def check(g, p, e):\n    import numpy\n    return numpy.bool_(True)", "print(1)", Outcome.ERROR),
        ("def check(g, p, e): return 1", "print(1)", Outcome.ERROR),
        ("def check(g, p, e): pass", "print(1)", Outcome.ERROR),
        ("def check(g, p, e): return False", "print(1)", Outcome.ERROR),
        ("def check(", "print(1)", Outcome.ERROR),
        ("import no_such_module", "print(1)", Outcome.ERROR),
        ("import sys\ndef check(g, p, e): sys.exit(0)", "print(1)", Outcome.ERROR),
        ("import sys\ndef check(g, p, e): return p == e or sys.exit(0)", "print(1)", Outcome.WRONG),
        ("import sys\nsys.exit(0)", "print(1)", Outcome.ERROR),
        (
            "from __future__ import division\nx: list[Odd]\ndef check(g, p, e): return True",
            "print(1)",
            Outcome.ERROR,
        ),
        (7, "print(1)", Outcome.ERROR),
    ],
)
def test_a_checker_of_ones_own_judges_what_is_printed(checker: Any, code: str, outcome: Outcome):
    payload = {"style": "stdio", "tests": ROWS, "checker": checker}
    problem = Problem("q", "", checker="program", payload=json.dumps(payload))
    assert check(problem, f"```python\n{code}\n```").outcome is outcome


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("import sys\nsys.exit('no')", Outcome.WRONG),
        ("import atexit\natexit.register(print, 'x')", Outcome.CORRECT),
        ("import threading\nthreading.Thread(target=print, args=('x',)).start()", Outcome.CORRECT),
        ("import os\nos.write(1, b'x')", Outcome.CORRECT),
        ("import sys\nprint('x')\nsys.stdout.close()", Outcome.CORRECT),
        ("import sys\nsys.stdout.buffer.write(b'x')\nsys.exit()", Outcome.CORRECT),
        ("if __name__ == '__main__':\n    print('x')", Outcome.CORRECT),
        ("import sys\nassert sys.stdin.read() == ''\nprint('x')", Outcome.CORRECT),
        ("o = open(1, 'w')\no.write('x')", Outcome.CORRECT),
        ("import io, sys\nw = io.TextIOWrapper(sys.stdout.buffer)\nw.write('x')", Outcome.CORRECT),
        ("import io, sys\nprint('x')\nsys.stdout = io.StringIO()\nprint('y')", Outcome.CORRECT),
        ("import pickle\nclass C: pass\npickle.loads(pickle.dumps(C()))\nprint('x')", Outcome.CORRECT),
        ("import __main__, os\n__main__.os.path.abspath(__file__)\nprint('x')", Outcome.CORRECT),
        ("class C:\n    x: int\nassert C.__annotations__['x'] is int\nprint('x')", Outcome.CORRECT),
        (
            "from multiprocessing import Pool\nif __name__ == '__main__':\n    with Pool(2) as p: print(*p.map(str, 'x'))",
            Outcome.CORRECT,
        ),
        ("def f(x: List[int]): pass\nprint('x')", Outcome.WRONG),
        ("print('x', flush=True)\n1/0", Outcome.WRONG),
        ("def (", Outcome.WRONG),
    ],
)
def test_a_forked_program_ends_as_programs_do(code: str, outcome: Outcome):
    payload = {"style": "stdio", "tests": [{"input": "", "output": "x\n"}] * 2}
    problem = Problem("q", "", checker="program", payload=json.dumps(payload))
    assert check(problem, f"```python\n{code}\n```").outcome is outcome
