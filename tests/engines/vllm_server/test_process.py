from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distillery.engines.vllm_server.process import ServerProcess, free_ports

# writes its own id, and those of a child and of a child that left its group, then waits
FAMILY = """
import os, subprocess, sys, time
from pathlib import Path
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(sleep)
leaver = subprocess.Popen(sleep, start_new_session=True)
Path(sys.argv[1]).with_suffix(".new").write_text(f"{os.getpid()} {child.pid} {leaver.pid}")
Path(sys.argv[1]).with_suffix(".new").rename(sys.argv[1])
if sys.argv[2:] == ["crash"]:
    os._exit(7)
time.sleep(600)
"""
# a parent of such a server, with a fork that holds whatever files it has open
PARENT = """
import os, sys, time
from pathlib import Path
from distillery.engines.vllm_server.process import ServerProcess
folder = Path(sys.argv[1])
server = ServerProcess([sys.executable, str(folder / "family.py"), str(folder / "ids")], env=os.environ, log=folder / "log")
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(5)"]) if "exec" in sys.argv else time.sleep(5)
    os._exit(0)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def ids(folder: Path) -> list[int]:
    until((folder / "ids").exists)
    return [int(word) for word in (folder / "ids").read_text().split()]


@pytest.fixture
def start(tmp_path):
    """Runs a program as a server; what is left of it is stopped."""
    (tmp_path / "family.py").write_text(FAMILY)
    servers = []

    def run(program, *arguments, **options):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        servers.append(ServerProcess(command, env=os.environ, log=tmp_path / "log", **options))
        return servers[-1]

    yield run
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("pass", "exit code 0"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9 (SIGKILL; often: out of memory)"),
        ("import os; os.kill(os.getpid(), 11)", "signal 11 (SIGSEGV)"),
        ("raise SystemExit(250)", "exit code 250"),
    ],
)
def test_how_a_server_ended_is_known(start, program, how):
    server = start(program)
    until(server.ended)
    assert server.ended() == how


def test_a_command_that_is_not_there_says_so_in_the_log(tmp_path):
    server = ServerProcess(["/no/such/server"], env=os.environ, log=tmp_path / "log")
    until(server.ended)
    server.stop()
    assert server.ended() == "exit code 127"
    assert server.tail() == "  /no/such/server: No such file or directory"


def test_a_server_has_its_environment_and_no_input(tmp_path, start, monkeypatch):
    monkeypatch.setenv("COLOUR", "blue")
    server = start("import os, sys; print(os.environ['COLOUR'], repr(sys.stdin.read()))")
    until(server.ended)
    assert server.tail() == "  blue ''"


def test_the_tail_is_the_last_twenty_lines_with_bars_at_their_last_state(start):
    server = start("print('load 1%\\rload 99%'); print(); [print('line', n) for n in range(19)]")
    until(server.ended)
    lines = server.tail().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (20, "  load 99%", "  line 18")


def test_a_silent_server_has_a_tail_too(start):
    server = start("pass")
    until(server.ended)
    assert server.tail() == "  (nothing)"


def test_the_first_errors_are_found_above_the_long_trace_that_ends_the_log(start):
    server = start(
        "print('(Worker pid=7) ERROR 11-22 [x.py:9] safetensors.SafetensorError: incomplete metadata')\n"
        "print('    raise RuntimeError(')\n"
        "for n in range(20): print('line', n)\n"
        "print('RuntimeError: see above')"
    )
    until(server.ended)
    assert server.causes() == (
        "  (Worker pid=7) ERROR 11-22 [x.py:9] safetensors.SafetensorError: incomplete metadata"
    )


def test_a_second_run_in_the_same_log_shows_only_its_own_end(start):
    until(start("print('first')").ended)
    server = start("print('second')")
    until(server.ended)
    assert server.tail() == "  second"


def test_stopping_ends_the_server_its_children_and_those_that_left_its_group(start, tmp_path):
    server = start(FAMILY, tmp_path / "ids")
    family = ids(tmp_path)
    assert all(map(is_alive, family))
    server.stop()
    server.stop()
    assert not any(map(is_alive, family))


def test_a_server_may_put_its_things_in_order_first(start, tmp_path):
    server = start(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('in order'), sys.exit()))\n"
        f"open({str(tmp_path / 'ids')!r}, 'w').close()\n"
        "time.sleep(600)"
    )
    until((tmp_path / "ids").exists)
    server.stop()
    assert server.tail() == "  in order"


def test_a_server_that_does_not_listen_is_killed_after_its_grace(start, tmp_path):
    server = start(
        "import os, signal, time; from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"Path({str(tmp_path / 'new')!r}).write_text(str(os.getpid()))\n"
        f"Path({str(tmp_path / 'new')!r}).rename({str(tmp_path / 'ids')!r})\n"
        "while True: time.sleep(1)",
        grace_s=0.3,
    )
    (pid,) = ids(tmp_path)
    began = time.monotonic()
    server.stop()
    assert not is_alive(pid)
    assert time.monotonic() - began < 5


def test_a_server_that_crashes_takes_its_children_with_it(start, tmp_path):
    server = start(FAMILY, tmp_path / "ids", "crash")
    until(server.ended)
    assert server.ended() == "exit code 7"
    assert not any(map(is_alive, ids(tmp_path)))


def test_a_keeper_that_is_killed_takes_the_server_with_it(start, tmp_path):
    server = start(FAMILY, tmp_path / "ids")
    pid = ids(tmp_path)[0]
    os.kill(server._keeper.pid, signal.SIGKILL)
    until(lambda: not is_alive(pid))
    assert server.ended() == "signal 9 (SIGKILL; often: out of memory)"
    for orphan in ids(tmp_path)[1:]:
        os.kill(orphan, signal.SIGKILL)


@pytest.mark.parametrize("how", ["exec", "fork"])
def test_nothing_outlives_a_parent_that_is_killed(tmp_path, how):
    (tmp_path / "family.py").write_text(FAMILY)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), how])
    family = ids(tmp_path)
    assert all(map(is_alive, family))
    parent.kill()
    parent.wait()
    until(lambda: not any(map(is_alive, family)))


def test_a_fork_that_holds_the_pipe_does_not_hold_up_the_end(start, tmp_path):
    server = start(FAMILY, tmp_path / "ids")
    family = ids(tmp_path)
    fork = os.fork()
    if fork == 0:
        time.sleep(30)
        os._exit(0)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5
    assert not any(map(is_alive, family))
    os.kill(fork, signal.SIGKILL)
    os.waitpid(fork, 0)


def test_an_interrupt_that_this_process_ignores_is_not_ignored_by_the_server(start):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = start("import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)")
    finally:
        signal.signal(signal.SIGINT, before)
    until(server.ended)
    assert server.tail() == "  True"


def test_ports_are_free_and_different():
    assert len(set(free_ports(8))) == 8
