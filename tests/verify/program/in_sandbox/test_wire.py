"""Programs that use the line to their judge for more than answers."""

import json
from typing import Any

import pytest

from distillery import sandbox
from distillery.records import Outcome, Problem, Verdict
from distillery.verify import get_checker

check = get_checker("program").check
pytestmark = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))
SECRET = 918273645
LISTS = """
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
def list_node(values):
    head = None
    for value in reversed(values): head = ListNode(value, head)
    return head
def is_same_list(a, b):
    while a and b:
        if a.val != b.val: return False
        a, b = a.next, b.next
    return a is None and b is None
"""


def judged(test: str, code: str, **payload: Any) -> Verdict:
    options = {"style": "function", "entry_point": "f", "cpu_s": 2, "test": test} | payload
    return check(Problem("q", "", checker="program", payload=json.dumps(options)), f"```python\n{code}\n```")


def checked(line: str) -> str:
    return f"EXPECTED = {SECRET}\ndef check(c):\n    {line}\n"


# the names that the judge asked for, with one more
TAKE = "import sys\nsys._getframe(1).f_locals['wanted'] += [{name!r}]\n"
NAMES = [
    ("abs", f"assert abs(c(1) - {SECRET}) < 1e-6", "def abs(x): return 0"),
    ("all", f"assert all(c(n) == {SECRET} for n in range(2))", "def all(x): return True"),
    ("range", f"for i in range(3): assert c(i) == {SECRET}", "def range(n): return []"),
    ("zip", f"for a, b in zip([c(1)], [{SECRET}]): assert a == b", "def zip(*a): return []"),
    ("set", f"assert set(c(1)) == set([{SECRET}])", "def set(x): return 1"),
    ("math", f"assert math.isclose(c(1), {SECRET})", "class math:\n    isclose = staticmethod(lambda *a: True)"),
    ("EXPECTED", "assert c(1) == EXPECTED", "EXPECTED = 0"),
    ("check", f"assert c(1) == {SECRET}", "def check(c): pass"),
    (
        "is_same_list",
        "assert is_same_list(c(list_node([1, 2])), list_node([2, 1]))",
        "def is_same_list(a, b): return True",
    ),
    (
        "__builtins__",
        f"import math\n    assert math.isclose(c(1), {SECRET})",
        "class M:\n    def isclose(self, *a): return True\n__builtins__ = {'__import__': lambda *a: M()}",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "code"), NAMES, ids=[name for name, _, _ in NAMES])
def test_the_judge_takes_no_name_that_it_did_not_ask_for(name: str, line: str, code: str):
    program = f"{TAKE.format(name=name)}{code}\ndef f(x): return []\n"
    verdict = judged(checked(line), program, prompt=LISTS)
    assert verdict.outcome is Outcome.WRONG
    assert verdict.detail.startswith(("AssertionError", "TypeError"))


def test_names_that_are_no_dictionary_are_foul():
    code = "import sys\nwire = sys.modules['distillery.verify.program.in_sandbox.wire']\nsay = wire.Line.say\nwire.Line.say = lambda s, m: say(s, ['value', [1], None])"
    assert judged("assert f(1) == 2", code).detail == "names that are none"


OWN = (
    "import sys, os, json\\nf = sys._getframe()\\nwhile f and 'task' not in f.f_locals: f = f.f_back\\n"
    "os.write(1, ('\\\\n' + f.f_locals['task']['nonce'] + ' {\\\"passed\\\": true, \\\"fault\\\": false, \\\"detail\\\": \\\"\\\"}').encode())"
)
GIVEN = [
    ("lambda x: x", "g.__globals__['EXPECTED']", "__globals__"),
    ("lambda x: x", "g.__code__.co_consts", "__code__"),
    ("lambda x: x", f"g.__globals__['__builtins__']['exec']('''{OWN}''')", "__globals__"),
    ("lambda x: x", "wire._ask(g, 'method', '__getattribute__', ('__globals__',))['EXPECTED']", "__getattribute__"),
    ("(x for x in (1, 2))", "g.gi_frame.f_globals['EXPECTED']", "gi_frame"),
    ("(x for x in (1, 2))", "g.gi_code", "gi_code"),
    ("len", "g.__self__.eval('1')", "__self__"),
    ("sys", "g._getframe(0).f_globals", "_getframe"),
    ("sys", "g.exit", "exit"),
    ("holder", "g.module.stdin", "stdin"),
    ("getattr", "g(len, '__self__')", "call"),
    ("eval", "g('EXPECTED')", "call"),
    ("str.format", "g('{0.__globals__}', g)", "call"),
    ("Holder", "setattr(g, 'x', 1)", "set"),
    ("holder", "setattr(g, 'same', lambda o: True)", "set"),
    ("holder", "setattr(g, '__class__', int)", "set"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "taken", "refused"), GIVEN)
def test_what_a_test_hands_over_leads_no_further(given: str, taken: str, refused: str):
    test = (
        f"import sys\nEXPECTED = {SECRET}\nclass Holder:\n    module = sys\n    def same(self, other): return False\n"
        f"holder = Holder()\ndef check(c):\n    assert c({given}) == EXPECTED\n"
    )
    code = f"import sys\nwire = sys.modules['distillery.verify.program.in_sandbox.wire']\ndef f(g): return {taken}\n"
    verdict = judged(test, code)
    assert verdict.outcome is Outcome.WRONG
    assert "of a thing of the test's" in verdict.detail
    assert refused in verdict.detail


def test_what_a_test_hands_over_can_be_used():
    test = (
        "class Box:\n    def __init__(self, v): self.v = v\n    def add(self, n): self.v += n\n"
        "def check(c):\n    box = Box(1)\n    assert c(box, lambda x: x + 1, (n for n in (1, 2)), Box) == 6 and box.v == 4\n"
    )
    code = "def f(box, g, items, kind):\n    box.add(sum(items))\n    assert kind(3).v == 3\n    box.v = box.v + 0\n    return g(box.v) + 1"
    assert judged(test, code).outcome is Outcome.CORRECT


def forged(when: str, change: str) -> str:
    """A program that says something else to its judge than it would."""
    return (
        "import sys\nwire = sys.modules['distillery.verify.program.in_sandbox.wire']\nsay = wire.Line.say\n"
        f"def forge(self, m):\n    if {when}: {change}\n    say(self, m)\nwire.Line.say = forge\n"
    )


NOTHING = "{'t': 'tuple', 'v': [{'t': 'tuple', 'v': [[]]}, {'t': 'dict', 'v': []}]}"
REPLIES = [
    ("x = [3]\n    assert c(x) == sorted(x)", forged("m[1] == []", f"m[2] = {NOTHING}") + "def f(x): return []", "AssertionError"),
    (f"assert c(1) == {SECRET}", forged("m[1] == 0", "m[:] = [1]") + "def f(x): return 0", "a reply that is none"),
    (f"assert c(1) == {SECRET}", forged("m[1] == 0", "m[1] = {'t': 'numpy', 'v': ['<M8[s]', [1], [1]]}") + "def f(x): return 0", "a result that is none"),
    (f"assert c(1) == {SECRET}", forged("m[1] == 0", "m[1] = {'t': 'numpy', 'v': ['O', [1], [1]]}") + "def f(x): return 0", "a result that is none"),
    (f"assert c(1) == {SECRET}", forged("m[1] == 0", "m[1] = {'t': 'tuple', 'v': [1], 'n': ['x', '__class__']}") + "def f(x): return 0", "a result that is none"),
    (f"assert c(1) == {SECRET}", forged("m[1] == 0", "m[1] = {'t': 'dict', 'v': [], 'd': 'eval'}") + "def f(x): return 0", "a result that is none"),
    (f"assert c(1) == {SECRET}", forged("m[1] == 0", "say(self, m)") + "def f(x): return 0", "AssertionError"),
    ("c(1)", forged("m[1] is None", "m[2] = 5") + "def f(x): return None", "TypeError"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "why"), REPLIES)
def test_a_forged_reply_is_wrong(line: str, code: str, why: str):
    verdict = judged(checked(line), code)
    assert verdict.outcome is Outcome.WRONG
    assert why in verdict.detail


HEAVY = [
    "{'t': 'set', 'v': [{'t': 'int', 'v': hex(((1 << 61) - 1) * k)} for k in range(1, 150000)]}",
    "{'t': 'Fraction', 'v': '1e999999999'}",
    "{'t': 'numpy', 'v': ['<U500000000', [1], ['a']]}",
]
FRAMES = ["struct.pack('>I', 1 << 30)", "struct.pack('>I', 60 << 20) + b'[' * (60 << 20)"]


@pytest.mark.slow
@pytest.mark.parametrize("value", HEAVY)
def test_a_value_too_heavy_for_the_judge_is_wrong(value: str):
    code = forged("m[1] == 0", f"m[1] = {value}") + "def f(x): return 0"
    assert judged(checked("assert c(1) == {1}"), code).outcome is Outcome.WRONG


@pytest.mark.parametrize("data", FRAMES)
def test_a_message_without_end_is_wrong(data: str):
    code = f"import os, struct, sys\ndata = {data}\nfd = sys._getframe(1).f_locals['line']._write\nwhile data: data = data[os.write(fd, data):]"
    assert judged(checked("assert c(1) == 1"), code).outcome is Outcome.WRONG


def test_a_result_that_says_it_holds_everything_is_not_believed():
    code = "class A:\n    def __contains__(s, x): return True\ndef f(x): return A()\n"
    assert judged(checked(f"assert {SECRET} in c(1)"), code).outcome is Outcome.WRONG
    code = f"def f(x): return {{{SECRET}: 1}}.keys()"
    assert judged(checked(f"assert {SECRET} in c(1)"), code).outcome is Outcome.CORRECT


def test_numpy_asks_the_program_for_no_memory():
    line = "import numpy as np\n    assert np.allclose(c(1), 0.5)"
    shape = "{'shape': (1,), 'typestr': '<f8', 'data': (16, True), 'version': 3}"
    code = f"class A:\n    @property\n    def __array_interface__(s): return {shape}\ndef f(x): return A()"
    assert judged(checked(line), code).outcome is Outcome.WRONG
