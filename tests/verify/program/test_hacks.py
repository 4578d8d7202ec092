import json
import time
from pathlib import Path
from typing import Any

import pytest

from distillery import sandbox
from distillery.records import Outcome, Problem, Verdict
from distillery.sandbox import Limits, local, run_python
from distillery.verify import get_checker
from distillery.verify.program.stdio_runs import run_on_inputs

check = get_checker("program").check
pytestmark = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))
SECRET = 918273645
CPU_S = 1
DEADLINE_S = 3.0 * CPU_S + 13  # the wall's, for one run
FUNCTION = {
    "style": "function",
    "entry_point": "f",
    "cpu_s": CPU_S,
    "test": f"EXPECTED = [{SECRET}, {SECRET + 1}]\n"
    "def check(candidate):\n"
    "    assert [candidate(3), candidate(4)] == EXPECTED\n",
}
STDIO = {
    "style": "stdio",
    "cpu_s": CPU_S,
    "tests": [{"input": "3\n", "output": f"{SECRET}\n"}, {"input": "4\n", "output": f"{SECRET + 1}\n"}],
}
BOTH = pytest.mark.parametrize("payload", [FUNCTION, STDIO], ids=["function", "stdio"])
ISOLATIONS = ["another user", "the same user"]


@pytest.fixture(params=ISOLATIONS)
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The two ways to keep a program from its judge: with root's rights, and without."""
    if request.param == "the same user":
        same_user(monkeypatch)
    elif not local.guarded(local.isolation()):
        pytest.skip("needs root")
    return request.param


def same_user(monkeypatch: pytest.MonkeyPatch) -> None:
    proc = ("--proc", "/proc") if "--proc" in local.isolation() else ()
    monkeypatch.setattr(local, "isolation", lambda: (*local.AS_USER, *proc))


def judged(payload: dict[str, Any], code: str) -> Verdict:
    problem = Problem("q", "", checker="program", payload=json.dumps(payload))
    return check(problem, f"```python\n{code}\n```")


def one_line(test: str, **payload: Any) -> dict[str, Any]:
    return {
        "style": "function",
        "entry_point": "f",
        "cpu_s": CPU_S,
        "test": f"def check(c):\n    {test}\n",
    } | payload


LEAVING = {
    "early exit": "import sys\nsys.exit(0)",
    "early _exit": "import os\nos._exit(0)",
    "exit in the function": "import os\ndef f(x): os._exit(0)",
    "SystemExit": "def f(x): raise SystemExit(0)",
    "atexit": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return 0",
    "atexit prints": "import atexit\natexit.register(print, 'passed: true')\ndef f(x): return 0",
    "kill the parent": "import os\nos.kill(os.getppid(), 9)\ndef f(x): return 0",
    "kill all": "import os\nos.kill(-1, 9)\ndef f(x): return 0",
    "stop by signal": "import os\nos.kill(os.getpid(), 9)",
    "generator exit": "def f(x): raise GeneratorExit",
}
ANY = """
class A:
    def __eq__(s, o): return True
    def __sub__(s, o): return s
    def __abs__(s): return s
    def __lt__(s, o): return True
    def __contains__(s, o): return True
    def same(s, o): return True
"""
SAME = f"assert c(1) == {SECRET}"
NEAR = f"assert abs(c(1) - {SECRET}) < 1e-6"
NODE = """
class Node:
    def __init__(self, value): self.value = value
    def same(self, other): return self.value == other.value
"""
# a line of a test, what makes it true in a process shared with it, and a prompt
SHARED = {
    "equals all": (SAME, f"{ANY}def f(x): return A()", ""),
    "an int that equals all": (SAME, f"{ANY}class B(A, int): pass\ndef f(x): return B()", ""),
    "a class that equals all": (SAME, "class M(type):\n    def __eq__(c, o): return True\nclass A(metaclass=M): pass\ndef f(x): return A", ""),
    "hidden in a list": (f"assert c(1) == [{SECRET}]", f"{ANY}def f(x): return [A()]", ""),
    "hidden in a dictionary": (f"assert c(1) == {{1: {SECRET}}}", f"{ANY}def f(x): return {{1: A()}}", ""),
    "no difference": (NEAR, f"{ANY}def f(x): return A()", ""),
    "an int without difference": (NEAR, f"{ANY}class B(A, int): pass\ndef f(x): return B()", ""),
    "contains all": (f"assert {SECRET} in c(1)", f"{ANY}def f(x): return A()", ""),
    "a mock": (SAME, "from unittest.mock import ANY\ndef f(x): return ANY", ""),
    "abs": (NEAR, "abs = lambda x: 0\ndef f(x): return 0", ""),
    "all": (f"assert all(c(n) == {SECRET} for n in (1, 2))", "all = lambda x: True\ndef f(x): return 0", ""),
    "isinstance": ("assert isinstance(c(1), str)", "isinstance = lambda *a: True\ndef f(x): return 0", ""),
    "range": (f"for n in range(3): assert c(n) == {SECRET}\n    c(0)", "range = lambda n: []\ndef f(x): return 0", ""),
    "zip": (f"for a, b in zip([c(1)], [{SECRET}]): assert a == b", "zip = lambda *a: []\ndef f(x): return 0", ""),
    "set": (f"assert set(c(1)) == set([{SECRET}])", "set = lambda x: 1\ndef f(x): return []", ""),
    "a module": (f"assert math.isclose(c(1), {SECRET})", "class math: isclose = staticmethod(lambda *a: True)\ndef f(x): return 0", ""),
    "builtins' abs": (NEAR, "import builtins\nbuiltins.abs = lambda x: 0\ndef f(x): return 0", ""),
    "builtins' all": (f"assert all(c(n) == {SECRET} for n in (1, 2))", "import builtins\nbuiltins.all = lambda x: True\ndef f(x): return 0", ""),
    "a module's function": (f"import math\n    assert math.isclose(c(1), {SECRET})", "import math\nmath.isclose = lambda *a: True\ndef f(x): return 0", ""),
    "the prompt's helper": (f"assert helper(c(1)) == {SECRET}", f"{ANY}def helper(x): return A()\ndef f(x): return 0", "def helper(x):\n    return x\n"),
    "the prompt's method": (f"assert c(1).same(Node({SECRET}))", "Node.same = lambda a, b: True\ndef f(x): return Node(0)", NODE),
    "an attribute for a method": (f"assert c(1).same(Node({SECRET}))", "def f(x):\n    found = Node(0)\n    found.same = lambda o: True\n    return found", NODE),
    "a trace": (SAME, "import sys\ndef f(x):\n    for n in sys._getframe(1).f_code.co_consts:\n        if type(n) is int and n > 9: return n", ""),
    "the caller's globals": (f"assert c(1) == EXPECTED\nEXPECTED = {SECRET}", "import sys\ndef f(x): return sys._getframe(1).f_globals['EXPECTED']", ""),
    "an early end": (SAME, "import sys\ndef f(x): sys.exit(0)", ""),
    "an early _exit": (SAME, "import os\ndef f(x): os._exit(0)", ""),
    "an end by an exit function": (SAME, "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return 0", ""),
    "an end by an exception hook": (SAME, "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\ndef f(x): return 0", ""),
    "the end of a map": (f"for a, b in zip(list(map(c, [1])), [{SECRET}]): assert a == b", "def f(x): raise StopIteration", ""),
    "half precision": (SAME, "import warnings; warnings.simplefilter('ignore')\nimport numpy as np\ndef f(x): return np.float16('inf')", ""),
    "single precision": ("assert c(1) == 1.5e39", "import warnings; warnings.simplefilter('ignore')\nimport numpy as np\ndef f(x): return np.float32('inf')", ""),
    "a number without an opposite": ("assert abs(c(1) - 0) < 1e-6", "import warnings; warnings.simplefilter('ignore')\nimport numpy as np\ndef f(x): return np.int64(-2**63)", ""),
    "arrays of nothing": ("import numpy as np\n    assert np.allclose(c(1), 0.5)", "import numpy as np\nclass A:\n    def __array__(s, *a, **k): return np.zeros(0)\ndef f(x): return A()", ""),
}  # fmt: skip
# what there is only here: the processes, and what our own side of them uses
OURS = {
    "modules": "import sys\nsys.modules.clear()\ndef f(x): return 0",
    "json": "import json\njson.dumps = lambda *a, **k: '{\"passed\": true}'\njson.loads = lambda *a, **k: None\ndef f(x): return 0",
    "os": "import os\nos.write = lambda *a: 1\nos._exit = lambda *a: None\ndef f(x): return 0",
    "everything of the main module": "import sys\nsys.modules['__main__'].__dict__.clear()\ndef f(x): return 0",
    "every function of ours": "import sys\nh = sys.modules['__main__']\nfor n in list(vars(h)):\n"
    "    if callable(getattr(h, n)) and n != '__builtins__': setattr(h, n, lambda *a, **k: True)\ndef f(x): return 0",
    "check": "def check(c): pass\ndef f(x): return 0",
    "assertions": "import builtins\nbuiltins.AssertionError = Warning\ndef f(x): return 0",
    "every built-in": "import builtins\nfor n in ('abs', 'all', 'isinstance', 'compile', 'exec', 'eval'):\n"
    "    setattr(builtins, n, lambda *a, **k: 0)\ndef f(x): return 0",
    "a report of one's own": "import os\nfor fd in range(64):\n    try: os.write(fd, b'{\"passed\": true}')\n"
    "    except OSError: pass\ndef f(x): return 0",
}


@pytest.mark.parametrize("hack", SHARED)
def test_what_would_pass_in_the_tests_own_process_is_wrong(hack: str, isolation: str):
    test, code, prompt = SHARED[hack]
    verdict = judged(one_line(test, prompt=prompt), code)
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0), verdict.detail


@pytest.mark.parametrize("hack", SHARED)
def test_it_would_pass_in_the_tests_own_process(hack: str):
    test, code, prompt = SHARED[hack]
    trick = f"import math\n{prompt}\n{code}\n{one_line(test)['test']}\ncheck(f)\n"
    found = run_python(trick)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("hack", [*LEAVING, *OURS])
def test_no_trick_on_processes_scores(hack: str, isolation: str):
    begin = time.monotonic()
    verdict = judged(FUNCTION, (LEAVING | OURS)[hack])
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0), verdict.detail
    assert time.monotonic() - begin < 2 * DEADLINE_S


# by the first line of a test's output it is right, and by the second wrong
UNSURE = "x = int(input())\nprint({first} if x == 3 else 0, flush=True)\n"
TAMPERING = {
    "stop": "os.kill({it}, signal.SIGSTOP)",
    "kill": "os.kill({it}, signal.SIGKILL)",
    "terminate": "os.kill({it}, signal.SIGTERM)",
    "interrupt": "os.kill({it}, signal.SIGINT)",
    "CPU time": "resource.prlimit({it}, resource.RLIMIT_CPU, (0, 0))",
    "open files": "resource.prlimit({it}, resource.RLIMIT_NOFILE, (0, 0))",
    "file size": "resource.prlimit({it}, resource.RLIMIT_FSIZE, (0, 0))",
    "its output": "os.write(os.open('/proc/{it}/fd/1', os.O_WRONLY), b'garbage\\n')",
    "a report for it": 'os.write(os.open(\'/proc/{it}/fd/1\', os.O_WRONLY), b\'{{"status": 1, "ended": "timeout", '
    '"size": 0, "stderr": "", "seconds": 1}}\\n\')',
}


@pytest.mark.parametrize("whom", ["os.getppid()", "1"])
@pytest.mark.parametrize("how", TAMPERING)
def test_a_program_that_fights_its_supervisor_is_judged_all_the_same(how: str, whom: str, isolation: str):
    it = f"{{{whom}}}" if "/proc/" in TAMPERING[how] else whom
    trick = TAMPERING[how].format(it=it).replace("os.open('", "os.open(f'")
    code = f"import os, resource, signal\ntry: {trick}\nexcept OSError: pass\n"
    begin = time.monotonic()
    verdict = judged(STDIO, code + UNSURE.format(first=SECRET))
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0), verdict.detail
    verdict = judged(FUNCTION, code + "def f(x): return 0")
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0), verdict.detail
    assert time.monotonic() - begin < DEADLINE_S


# each looks for the expected value, and returns whatever number it found
SEEK = """
import re
def seek(text):
    return [int(n) for n in re.findall(r"9182736\\d\\d", str(text))]
FOUND = []
def f(x):
    try:
        look()
    except Exception:
        pass
    found = sorted(set(FOUND))
    return found[x - 3] if 3 <= x < 3 + len(found) else 0
def g():
    try:
        look()
    except Exception:
        pass
    found = sorted(set(FOUND))
    x = int(input())
    print(found[x - 3] if 3 <= x < 3 + len(found) else 0)
"""
LOOKING = {
    "frames": "import sys\ndef look():\n    f = sys._getframe()\n    while f:\n"
    "        FOUND.extend(seek(dict(f.f_locals)) + seek(dict(f.f_globals)))\n        f = f.f_back",
    "objects": "import gc\ndef look():\n    for o in gc.get_objects():\n        try: FOUND.extend(seek(repr(o)[:10**6]))\n"
    "        except Exception: pass",
    "code constants": "import gc, types\ndef look():\n    for o in gc.get_objects():\n"
    "        if isinstance(o, types.FunctionType): FOUND.extend(seek(o.__code__.co_consts))",
    "trace": "import sys\ndef t(f, e, a):\n    FOUND.extend(seek(dict(f.f_locals)))\n    return t\n"
    "def look():\n    sys.settrace(t)\n    f = sys._getframe()\n    while f: f.f_trace = t; f = f.f_back",
    "argv and environment": "import os, sys, glob\ndef look():\n    FOUND.extend(seek(sys.argv) + seek(dict(os.environ)) + seek(sys.orig_argv))\n"
    "    for p in glob.glob('/proc/*/cmdline') + glob.glob('/proc/*/environ'):\n"
    "        try: FOUND.extend(seek(open(p, 'rb').read()))\n        except OSError: pass",
    "descriptors": "import os\ndef look():\n    for n in range(128):\n        try:\n            os.set_blocking(n, False)\n"
    "            FOUND.extend(seek(os.read(n, 1 << 20)))\n        except OSError: pass",
    "descriptors of others": "import glob, os\ndef look():\n    for p in glob.glob('/proc/*/fd/*'):\n        try:\n"
    "            fd = os.open(p, os.O_RDONLY | os.O_NONBLOCK)\n            FOUND.extend(seek(os.read(fd, 1 << 20)))\n"
    "        except OSError: pass",
    "memory of others": "import glob\ndef look():\n    for p in glob.glob('/proc/[0-9]*'):\n        try:\n"
    "            for line in open(p + '/maps'):\n                if ' rw-p ' not in line: continue\n"
    "                a, b = (int(v, 16) for v in line.split()[0].split('-'))\n                m = open(p + '/mem', 'rb', 0)\n"
    "                m.seek(a)\n                FOUND.extend(seek(m.read(min(b - a, 1 << 22))))\n        except (OSError, ValueError): pass",
    "ptrace": "import ctypes, os\ndef look():\n    c = ctypes.CDLL(None)\n    for p in (os.getppid(),):\n"
    "        if c.ptrace(16, p, 0, 0) == 0: FOUND.extend([SECRET, SECRET + 1])".replace(
        "SECRET + 1", str(SECRET + 1)
    ).replace("SECRET", str(SECRET)),
    "files": "import os, sys\ndef look():\n    for top in ('/tmp', '/program', '/dev/shm', '/etc', '/var'):\n"
    "        for d, ds, fs in os.walk(top):\n"
    "            if d == sys.prefix: ds.clear(); continue\n"  # where Python itself may stand
    "            for n in fs:\n"
    "                try: FOUND.extend(seek(open(os.path.join(d, n), 'rb').read(1 << 20)))\n                except OSError: pass",
    "own source": "import sys\ndef look():\n    for n in ('/program/program.py', sys.argv[0]):\n"
    "        try: FOUND.extend(seek(open(n).read()))\n        except OSError: pass",
}


PLANTED = {
    "frames": "def around():\n    mine = SECRET\n    look()\nlook_there = around",
    "objects": "kept = [[SECRET]]",
    "code constants": "def constant(): return (SECRET)",
    "trace": "def around():\n    mine = SECRET\n    look()\n    return mine\nlook_there = around",
    "argv and environment": "import os\nos.environ['X'] = 'SECRET'",
    "descriptors": "import os\nr, w = os.pipe()\nos.write(w, b'SECRET')",
    "descriptors of others": "import os\nos.write(os.memfd_create('x'), b'SECRET')",
    "memory of others": "kept = ['x' + str(SECRET)] * 9",
    "ptrace": "import os, time\nchild = os.fork()\nif child == 0: time.sleep(9); os._exit(0)\nos.getppid = lambda: child",
    "files": "open('/tmp/x', 'w').write('SECRET')",
    "own source": "import sys\nopen('/tmp/x', 'w').write('SECRET')\nsys.argv[0] = '/tmp/x'",
}


@pytest.mark.parametrize("place", LOOKING)
@BOTH
def test_expected_values_are_nowhere_to_be_found(payload: dict[str, Any], place: str, isolation: str):
    code = SEEK + LOOKING[place] + ("\ng()" if payload is STDIO else "")
    assert judged(payload | {"cpu_s": 5}, code).outcome is Outcome.WRONG


@pytest.mark.parametrize("place", LOOKING)
def test_where_they_are_they_would_be_found(place: str, monkeypatch: pytest.MonkeyPatch):
    same_user(monkeypatch)
    plant = PLANTED[place].replace("SECRET", str(SECRET))
    found = run_python(
        f"{SEEK}\n{LOOKING[place]}\nlook_there = look\n{plant}\nlook_there()\nprint({SECRET} in FOUND)"
    )
    assert found.stdout == "True\n", found.stderr


def test_a_seeker_that_is_shown_the_values_scores():
    code = SEEK + f"def look(): FOUND.extend(seek('{SECRET} {SECRET + 1}'))"
    assert judged(FUNCTION, code).outcome is Outcome.CORRECT


HANGING = {
    "sleep": "import time\ntime.sleep(99)",
    "a crowd that stands in line": "import os, time\nfor _ in range(25):\n    if os.fork() == 0:\n"
    "        for _ in range(13):\n            time.sleep(1 - time.time() % 1)\n            begin = time.process_time()\n"
    "            while time.process_time() - begin < 0.005: pass\n        time.sleep(99)\ntime.sleep(99)",
    "stop": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "thread bomb": "import threading, time\nwhile True:\n    try: threading.Thread(target=time.sleep, args=(99,)).start()\n"
    "    except RuntimeError: pass",
    "endless threads": "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin).start()",
    "sleeping thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()",
    "output flood": "while True: print('x' * 100000)",
    "error flood": "import sys\nwhile True: sys.stderr.write('x' * 100000)",
    "daemon with the output": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(99)",
    "double fork": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(99)\n    os._exit(0)\nos._exit(0)",
    "infinite recursion": "def r(): return r()\nr()",
    "unlimited recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef r(): return r()\nr()",
    "deaf to signals": "import signal, time\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    "all memory": "x = []\nwhile True: x.append(bytearray(1 << 24))",
    "a long integer": "x = 10 ** 10 ** 9",
    "a regex": "import re\nre.match('(a+)+$', 'a' * 64 + 'b')",
    "all files": "import itertools\nfor n in itertools.count(): open(f'/tmp/{n}', 'wb').write(bytes(1 << 20))",
}


SLEEPING = ("sleep", "stop", "sleeping thread", "a crowd that stands in line")


@pytest.mark.slow
def test_the_runs_of_a_program_may_sleep_so_much_together_and_no_more(isolation: str):
    limits = Limits(cpu_s=1, wall_s=3)
    ran = run_on_inputs("import time\ntime.sleep(0.8)", ["\n"] * 9, limits)
    assert [found.outcome for found in ran] == [sandbox.Ended.FINISHED] * 2 + [sandbox.Ended.IDLE]


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("hack", HANGING)
def test_nothing_hangs_or_scores_and_the_next_is_judged_as_ever(
    payload: dict[str, Any], hack: str, isolation: str
):
    if hack == "fork bomb" and isolation == "the same user":
        pytest.skip("the limit on processes counts all of that user, this machine's included")
    begin = time.monotonic()
    verdict = judged(payload, HANGING[hack] + "\ndef f(x): return 0")
    assert verdict.score != 1.0
    assert not (hack in SLEEPING and verdict.score is None), verdict
    assert time.monotonic() - begin < 2 * DEADLINE_S
    right = f"def f(x): return {SECRET} + x - 3\n"
    again = judged(payload | {"cpu_s": 10}, right + ("print(f(int(input())))" if payload is STDIO else ""))
    assert again.outcome is Outcome.CORRECT


def test_a_process_left_behind_does_not_hold_up_a_right_program():
    left = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(99)\n    os._exit(0)\n"
    right = f"def f(x): return {SECRET} + x - 3\n"
    begin = time.monotonic()
    assert judged(FUNCTION, left + right).outcome is Outcome.CORRECT
    assert judged(STDIO, left + right + "print(f(int(input())))").outcome is Outcome.CORRECT
    assert time.monotonic() - begin < DEADLINE_S


def test_one_megabyte_passes_and_is_compared_whole():
    text = "0123456789" * 100_000
    payload = {"style": "stdio", "tests": [{"input": f"{text}\n", "output": text}]}
    assert judged(payload, "print(input())").outcome is Outcome.CORRECT
    assert judged(payload, "print(input()[:-1])").outcome is Outcome.WRONG
    long = {
        "style": "function",
        "entry_point": "f",
        "test": "def check(f):\n    assert f('x' * 10**6) == 'x' * 10**6",
    }
    assert judged(long, "def f(x): return x").outcome is Outcome.CORRECT


def test_what_one_test_leaves_in_memory_no_other_finds(tmp_path: Path):
    code = "import builtins\nbuiltins.n = getattr(builtins, 'n', 0) + 1\nprint(builtins.n)"
    tests = [{"input": "", "output": "1\n"}] * 3
    assert judged({"style": "stdio", "tests": tests}, code).outcome is Outcome.CORRECT


def test_nothing_of_a_program_outlives_its_judge_in_a_plain_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("DISTILLERY_SANDBOX", "process")
    note = tmp_path / "pid"
    code = (
        f"import os, threading, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\n"
        f"threading.Thread(target=time.sleep, args=(60,)).start()\ndef f(x): return {SECRET} + x - 3\n"
    )
    assert judged(FUNCTION, code).outcome is Outcome.CORRECT
    process = Path("/proc", note.read_text(), "stat")
    assert not process.exists() or process.read_text().rpartition(")")[2].split()[0] in "ZX"
