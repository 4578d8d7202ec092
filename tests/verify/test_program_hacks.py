"""Programs that try to be judged right without being right, and programs that try to take the machine along."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from distillery import sandbox
from distillery.records import Outcome, Problem, Verdict
from distillery.verify import get_checker

check = get_checker("program")
pytestmark = pytest.mark.skipif(sandbox.available() is not None, reason=str(sandbox.available()))
SECRET = 918273645
CPU_S = 1
DEADLINE_S = 3.0 * CPU_S + 10  # the wall's, for one run
FUNCTION = {
    "style": "function",
    "entry_point": "f",
    "cpu_s": CPU_S,
    "prompt": "def helper(x):\n    return x\n\ndef f(x):\n    pass\n",
    "test": f"EXPECTED = [{SECRET}, {SECRET + 1}]\n"
    "def check(candidate):\n"
    "    assert helper(candidate(3)) == EXPECTED[0]\n"
    "    assert abs(candidate(4) - EXPECTED[1]) < 1e-6\n"
    "    assert all(isinstance(candidate(n), int) for n in range(2))\n",
}
STDIO = {
    "style": "stdio",
    "cpu_s": CPU_S,
    "tests": [{"input": "3\n", "output": f"{SECRET}\n"}, {"input": "4\n", "output": f"{SECRET + 1}\n"}],
}


def judged(payload: dict[str, Any], code: str) -> Verdict:
    problem = Problem("q", "", checker="program", payload=json.dumps(payload))
    return check(problem, f"```python\n{code}\n```")


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
EQUALITY = {
    "equals all": "class A:\n    def __eq__(s, o): return True\n    def __sub__(s, o): return s\n"
    "    def __abs__(s): return 0\ndef f(x): return A()",
    "an int that equals all": "class A(int):\n    def __eq__(s, o): return True\n    def __sub__(s, o): return A()\n"
    "    def __abs__(s): return 0\n    def __lt__(s, o): return True\ndef f(x): return A()",
    "a metaclass": "class M(type):\n    def __eq__(c, o): return True\nclass A(metaclass=M): pass\ndef f(x): return A",
    "hidden in a list": "class A:\n    def __eq__(s, o): return True\ndef f(x): return [A()]",
    "a class of the same name": "class int(int):\n    def __eq__(s, o): return True\ndef f(x): return int()",
    "a mock": "from unittest.mock import ANY\ndef f(x): return ANY",
    "numbers that are none": "def f(x): return float('nan')",
}
PATCHING = {
    "assertions": "import builtins\nbuiltins.AssertionError = Warning\ndef f(x): return 0",
    "abs and all": "abs = lambda x: 0\nall = lambda x: True\nisinstance = lambda *a: True\nrange = lambda n: []\n"
    "def f(x): return 0",
    "builtins": "import builtins\nfor n in ('abs', 'all', 'isinstance', 'compile', 'exec', 'eval'):\n"
    "    setattr(builtins, n, lambda *a, **k: 0)\ndef f(x): return 0",
    "the helper": f"def helper(x): return {SECRET}\nabs = lambda x: 0\ndef f(x): return 0",
    "check": "def check(c): pass\ndef f(x): return 0",
    "json": "import json\njson.dumps = lambda *a, **k: '{\"passed\": true}'\n"
    "json.loads = lambda *a, **k: None\ndef f(x): return 0",
    "os": "import os\nos.write = lambda *a: 1\nos._exit = lambda *a: None\ndef f(x): return 0",
    "print and open": "def print(*a, **k): pass\ndef open(*a, **k): pass\ndef f(x): return 0",
    "exception hooks": "import sys, os\nsys.excepthook = lambda *a: os._exit(0)\ndef f(x): raise ValueError",
    "the encoder": "import sys\nh = sys.modules['__main__']\n"
    "for n in list(vars(h)):\n    if callable(getattr(h, n)) and n != '__builtins__': setattr(h, n, lambda *a, **k: True)\n"
    "def f(x): return 0",
    "modules": "import sys\nsys.modules['math'] = None\nsys.modules.clear()\ndef f(x): return 0",
    "annotations": "import sys\nsys.modules['__main__'].__dict__.clear()\ndef f(x): return 0",
}
# each looks for the expected value, and returns whatever number it found
SEEK = f"""
import re
def seek(text):
    found = [int(n) for n in re.findall(r"9182736\\d\\d", str(text)) if int(n) != {SECRET - 1}]
    return found
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
    "files": "import os\ndef look():\n    for top in ('/tmp', '/program', '/dev/shm', '/etc', '/var'):\n"
    "        for d, _, fs in os.walk(top):\n            for n in fs:\n"
    "                try: FOUND.extend(seek(open(os.path.join(d, n), 'rb').read(1 << 20)))\n                except OSError: pass",
    "own source": "import sys\ndef look():\n    for n in ('/program/program.py', sys.argv[0]):\n"
    "        try: FOUND.extend(seek(open(n).read()))\n        except OSError: pass",
}


@pytest.mark.parametrize("hack", [*LEAVING, *EQUALITY, *PATCHING])
def test_no_trick_of_a_function_scores(hack: str):
    begin = time.monotonic()
    verdict = judged(FUNCTION, (LEAVING | EQUALITY | PATCHING)[hack])
    assert verdict.score != 1.0
    assert verdict.outcome is Outcome.WRONG
    assert time.monotonic() - begin < 2 * DEADLINE_S


@pytest.mark.parametrize("place", LOOKING)
@pytest.mark.parametrize("payload", [FUNCTION, STDIO], ids=["function", "stdio"])
def test_expected_values_are_nowhere_to_be_found(payload: dict[str, Any], place: str):
    code = SEEK.replace(str(SECRET - 1), "0") + LOOKING[place] + ("\ng()" if payload is STDIO else "")
    assert judged(payload | {"cpu_s": 5}, code).score != 1.0


def test_a_seeker_that_is_shown_the_values_scores():
    code = SEEK + f"def look(): FOUND.extend(seek('{SECRET} {SECRET + 1}'))"
    assert judged(FUNCTION, code).outcome is Outcome.CORRECT


HANGING = {
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


@pytest.mark.slow
@pytest.mark.parametrize("payload", [FUNCTION, STDIO], ids=["function", "stdio"])
@pytest.mark.parametrize("hack", HANGING)
def test_nothing_hangs_or_scores_and_the_next_is_judged_as_ever(payload: dict[str, Any], hack: str):
    begin = time.monotonic()
    verdict = judged(payload, HANGING[hack] + "\ndef f(x): return 0")
    assert verdict.score != 1.0
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
