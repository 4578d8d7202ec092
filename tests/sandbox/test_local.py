import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from distillery import sandbox
from distillery.sandbox import Ended, Limits, available, idle, local, run_python

isolated = pytest.mark.skipif(available() is not None, reason=str(available()))
BACKENDS = [pytest.param("bubblewrap", marks=isolated), "process"]


def test_where_bubblewrap_works_at_all_there_is_a_sandbox():
    bwrap = shutil.which("bwrap")
    granted = bwrap and subprocess.run(
        [bwrap, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"], capture_output=True
    )
    assert not granted or granted.returncode or available() is None


@isolated
def test_this_python_may_stand_in_a_folder_of_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    venv.EnvBuilder(symlinks=True).create(tmp_path / "mine")
    monkeypatch.setattr("sys.prefix", str(tmp_path / "mine"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "mine" / "bin" / "python"))
    local._mounts.cache_clear()
    try:
        found = run_python("import sys; print(sys.prefix); open('/tmp/mine', 'w')")
    finally:
        local._mounts.cache_clear()
    assert (found.stdout, found.stderr) == (f"{tmp_path / 'mine'}\n", "")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_reads_and_writes(backend: str):
    found = run_python("print(input()[::-1])", stdin="abc\n", backend=backend)
    assert (found.stdout, found.stderr, found.returncode, found.outcome) == ("cba\n", "", 0, Ended.FINISHED)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("code", "ended", "returncode", "said"),
    [
        ("import sys; sys.exit(3)", Ended.FINISHED, 3, ""),
        ("import os; os._exit(0)", Ended.FINISHED, 0, ""),
        ("1/0", Ended.FINISHED, 1, "ZeroDivisionError"),
        ("def (", Ended.FINISHED, 1, "SyntaxError"),
        ("x = bytearray(3 << 30)", Ended.FINISHED, 1, "MemoryError"),
        ("open('big', 'wb').write(bytes(30 << 20))", Ended.FINISHED, 1, "File too large"),
        ("[open('/dev/null') for _ in range(500)]", Ended.FINISHED, 1, "Too many open files"),
    ],
)
def test_how_a_program_ends_is_told(backend: str, code: str, ended: Ended, returncode: int, said: str):
    found = run_python(code, backend=backend)
    assert (found.outcome, found.returncode) == (ended, returncode)
    assert said in found.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_busy_loop_ends_by_its_cpu_time_and_a_sleeper_by_the_clock(backend: str):
    limits = Limits(cpu_s=1, wall_s=30)
    assert run_python("while True: pass", limits=limits, backend=backend).outcome is Ended.CPU_LIMIT
    begin = time.monotonic()
    found = run_python(
        "import time; print(1, flush=True); time.sleep(60)", limits=Limits(wall_s=1), backend=backend
    )
    assert (found.outcome, found.stdout) == (Ended.IDLE, "1\n")
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_flood_is_cut(backend: str):
    found = run_python("while True: print('x' * 1000)", limits=Limits(output_bytes=100_000), backend=backend)
    assert found.outcome is Ended.FLOODED
    assert len(found.stdout) < 1_000_000


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_megabyte_goes_in_and_out(backend: str):
    text = "0123456789" * 100_000
    assert (
        run_python("import sys; sys.stdout.write(sys.stdin.read())", stdin=text, backend=backend).stdout
        == text
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_that_does_not_read_its_input_is_not_waited_for(backend: str):
    assert run_python("print(1)", stdin="x" * 3_000_000, backend=backend).stdout == "1\n"


DAEMON = """
import os, sys
print("first", flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, ["python", "-c", "import time; time.sleep(20)", "daemon-of-this-test"])
    os._exit(0)
"""


@isolated
def test_a_daemonised_child_is_killed_and_not_waited_for():
    begin = time.monotonic()
    found = run_python(DAEMON)
    assert (found.outcome, found.stdout) == (Ended.FINISHED, "first\n")
    assert time.monotonic() - begin < 10
    sleepers = [p for p in Path("/proc").glob("[0-9]*/cmdline") if b"daemon-of-this-test" in _read(p)]
    assert sleepers == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
@isolated
def test_a_fork_bomb_is_contained():
    code = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
    begin = time.monotonic()
    found = run_python(code, limits=Limits(cpu_s=1, wall_s=3, processes=16))
    assert found.outcome in (Ended.TIMEOUT, Ended.CPU_LIMIT)
    assert time.monotonic() - begin < 15
    assert run_python("print(1)").stdout == "1\n"


@isolated
@pytest.mark.parametrize(
    "code",
    [
        "open('/usr/written', 'w')",
        "open('/etc/shadow').read()",
        "import os; os.setuid(0)",
        "import os; os.kill(1, 9)",
        "open('/program/program.py', 'a')",
        "import os; os.listdir('/root/.ssh')",
        "open('/root/written', 'w')",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    ],
)
def test_a_way_out_is_closed(code: str):
    assert run_python(code).returncode != 0


@isolated
def test_a_program_has_no_network_but_its_own_loopback():
    assert run_python("import socket; print(socket.if_nameindex())").stdout == "[(1, 'lo')]\n"


@isolated
def test_a_program_sees_no_process_but_its_own_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    code = "import os; print(sorted(int(n) for n in os.listdir('/proc') if n.isdigit())); print(dict(os.environ)); print(os.getuid())"
    processes, environment, user = run_python(code).stdout.splitlines()
    assert len(eval(processes)) <= 3
    assert "s3cret" not in environment
    assert user != "0"


SLEEPER = """
import os, sys, time
sys.stdout.flush()
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        os.execv(sys.executable, ["python", "-c", "import time; time.sleep(20)", "sleeper-of-this-test"])
time.sleep(20)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_children_that_left_the_group_end_with_their_program(backend: str):
    assert run_python(SLEEPER, limits=Limits(wall_s=1.5), backend=backend).outcome is Ended.IDLE
    deadline = time.monotonic() + 5  # the kernel ends a namespace in its own time
    while left := [p for p in Path("/proc").glob("[0-9]*/cmdline") if b"sleeper-of-this-test" in _read(p)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("found", "ended"),
    [
        ((0.1, 0.2), Ended.IDLE),  # it slept
        ((0.3, 0.7), Ended.TIMEOUT),  # it stood in line
        ((2.5, 0.0), Ended.CPU_LIMIT),  # its processes together
        (None, Ended.TIMEOUT),  # who knows
    ],
)
def test_why_a_program_is_not_done_in_time(
    monkeypatch: pytest.MonkeyPatch, found: tuple[float, float] | None, ended: Ended
):
    monkeypatch.setattr(idle, "shares", lambda _, **__: found)
    limits = Limits(cpu_s=1, wall_s=1)
    assert run_python("import time; time.sleep(60)", limits=limits, backend="process").outcome is ended


def test_what_a_process_and_its_children_had_is_known():
    code = "import os, time; os.fork(); end = time.process_time() + 0.3\nwhile time.process_time() < end: pass\nprint(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
        found = idle.shares(process.pid)
        for pid in reversed(list(idle.family(process.pid))):
            os.kill(pid, signal.SIGKILL)
    assert lines == [b"\n", b"\n"]
    assert found
    assert 0.5 < found[0] < 5
    assert found[1] >= 0
    assert idle.shares(process.pid) is None


@isolated
def test_shared_memory_can_be_had():
    code = "from multiprocessing import Value; v = Value('i', 7); print(v.value)"
    assert run_python(code).stdout == "7\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_is_the_main_module(backend: str):
    code = "import pickle, __main__\nclass C: x = 3\nassert __main__.C is C\nprint(pickle.loads(pickle.dumps(C())).x, sorted(n for n in globals() if n[:2] != '__'))"
    assert run_python(code, backend=backend).stdout == "3 ['C', 'pickle']\n"


@isolated
def test_what_one_program_writes_no_other_finds():
    assert run_python("open('/tmp/note', 'w').write('x'); print(open('/tmp/note').read())").stdout == "x\n"
    assert run_python("import os; print(os.path.exists('/tmp/note'))").stdout == "False\n"


def test_without_bubblewrap_nothing_runs_and_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    sandbox.available.cache_clear()
    monkeypatch.setattr(sandbox.local.shutil, "which", lambda _: None)
    found = run_python("open('/tmp/ran', 'w')")
    sandbox.available.cache_clear()
    assert (found.outcome, found.returncode) == (Ended.UNAVAILABLE, None)
    assert "install bubblewrap" in found.stderr


def test_a_bubblewrap_that_refuses_everything_is_no_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    for cached in (sandbox.available, sandbox.local.isolation):
        cached.cache_clear()
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    reason = available()
    for cached in (sandbox.available, sandbox.local.isolation):
        cached.cache_clear()
    assert reason
    assert "refused" in reason


@pytest.mark.parametrize("backend", BACKENDS)
def test_equal_programs_print_equal_sets(backend: str):
    code = "print({str(n) for n in range(20)})"
    assert run_python(code, backend=backend).stdout == run_python(code, backend=backend).stdout
