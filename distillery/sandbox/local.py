"""Runs a program on this machine: in bubblewrap, or as a plain process where that is asked for by name.

Covered by bubblewrap: no network, no files but a read-only system and Python, a private /tmp, no view of
other processes, no privileges, everything killed with it; by rlimits: CPU and memory of each process, their
number, file sizes, output. Not covered: the memory of all of them and of unnamed files, kernel bugs, timing.
"""

from __future__ import annotations

import itertools
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from distillery.sandbox.idle import family, overdue
from distillery.sandbox.result import Ended, Limits, Result

INSTALL = (
    "install bubblewrap (apt-get install bubblewrap, dnf install bubblewrap) and allow it to make namespaces;"
    " in Docker that takes --security-opt seccomp=unconfined, or --cap-add SYS_ADMIN"
)
_BOOT = (
    Path(__file__).with_name("confine.py").read_text(encoding="utf-8")
    + """
import json, sys
def begin():
    settings, file = json.loads(sys.argv[1]), sys.argv[2]
    sys.argv[:] = [file]
    if settings["supervised"]:
        sys.argv.append(json.dumps(settings))
    else:
        confine(settings, settings["uid"])
    write_all(2, b"\\x06")
    with open(file, encoding="utf-8") as text:
        code = compile(text.read(), "program.py", "exec", dont_inherit=True)
    space = globals()
    for name in [name for name in space if name[:2] != "__"]:
        del space[name]
    exec(code, space)
begin()
"""
)
_STARTED = b"\x06"  # first on stderr: the limits hold and the program begins
_PROGRAM = "/program/program.py"
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    # the order of a set of strings is an output like any other, and must not change; with 1, and not with 0,
    # it is the one that some published tests expect of their own reference solutions
    "PYTHONHASHSEED": "1",
}
_MOST_OUTPUT = 64 << 20  # of many runs together
_GRACE_S = 3.0  # beyond the time of a run, to start it and for a supervisor to say what became of it
_GUARDED = "CAP_SETUID"  # among the flags: a supervisor has another user than what it runs
_uids = itertools.count()

_APART = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
_CAPABILITIES = ("--cap-add", _GUARDED, "--cap-add", "CAP_SETGID", "--cap-add", "CAP_KILL")
AS_ROOT = (*_APART, "--cap-drop", "ALL", *_CAPABILITIES)
AS_USER = ("--unshare-user", "--uid", "65534", "--gid", "65534", *_APART, "--cap-drop", "ALL")


@lru_cache(maxsize=1)
def available() -> str | None:
    """Why no sandbox can be had here, and what to do about it; None when one can."""
    if not shutil.which("bwrap"):
        return f"no sandbox: bwrap is not on the PATH; {INSTALL}"
    if not isolation():
        return f"no sandbox: bwrap is here but refused every way to isolate a program; {INSTALL}"
    return None


@lru_cache(maxsize=1)
def isolation() -> tuple[str, ...]:
    """The strictest set of flags that this machine grants, found by trying; () when it grants none."""
    for who in (AS_ROOT, AS_USER) if os.geteuid() == 0 else (AS_USER,):
        # some containers forbid a new /proc; without one is stricter still
        for proc in (("--proc", "/proc"), ()):
            flags = (*who, *proc)
            found = run("print(6 * 7)", "", Limits(), flags)
            if found.outcome is Ended.FINISHED and found.stdout == "42\n":
                return flags
    return ()


def run(
    code: str, stdin: str, limits: Limits, flags: tuple[str, ...], *, supervised: bool = False, runs: int = 1
) -> Result:
    """Without flags: a plain process."""
    begin = time.monotonic()
    with _command(code, limits, flags, supervised=supervised) as (argv, fds, folder):
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=fds,
                start_new_session=True,
                cwd=folder,
                env=_ENVIRONMENT,
            )
        except OSError as error:
            return Result("", str(error), None, Ended.BROKEN)
        most = min(limits.output_bytes * runs, max(limits.output_bytes, _MOST_OUTPUT))
        most += (runs > 1) * (runs << 13)
        streams = _Streams(process, stdin.encode(errors="surrogatepass"), most)
        grace_s = _GRACE_S if supervised else 0.0
        try:
            deadline = begin + limits.wall_s * runs + grace_s
            ended = streams.pump(quiet_s=limits.wall_s + grace_s, deadline=deadline)
            if ended is Ended.TIMEOUT:
                ended = _overdue(process.pid, time.monotonic() - streams.heard, limits, flags, supervised)
        finally:
            _end(process, sealed=bool(flags))
    stderr = bytes(streams.stderr)
    returncode: int = process.returncode
    if flags and returncode > 128:  # bubblewrap reports a signal as 128 + its number, as shells do
        returncode = 128 - returncode
    if not stderr.startswith(_STARTED) and ended is Ended.FINISHED:
        return Result("", stderr.decode(errors="replace"), returncode, Ended.BROKEN)
    if ended is Ended.FINISHED and returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        ended = Ended.CPU_LIMIT
    stdout, said = bytes(streams.stdout), stderr.removeprefix(_STARTED).decode(errors="replace")
    seconds = time.monotonic() - begin
    return Result(stdout.decode(errors="replace"), said, returncode, ended, seconds, stdout)


def start(code: str, limits: Limits, flags: tuple[str, ...]) -> subprocess.Popen[bytes] | str:
    """A program of ours that stays and confines others itself, in a sandbox where nothing can be written.

    It has written its first line when it is returned; a text says why it came to none.
    """
    with _command(code, limits, flags, supervised=True) as (argv, fds, folder):
        sealed = [part for place in ("/tmp", "/dev/shm", "/dev", "/") for part in ("--remount-ro", place)]
        if flags:
            argv[argv.index("--") : argv.index("--")] = sealed
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=fds,
            start_new_session=True,
            cwd=folder,
            env=_ENVIRONMENT,
            bufsize=0,
        )
        assert process.stdout
        assert process.stderr
        if process.stdout.readline():
            process.stderr.read(len(_STARTED))
            return process
        said = process.stderr.read().removeprefix(_STARTED).decode(errors="replace").strip()
        _end(process, sealed=bool(flags))
        return said[-400:] or "the sandbox could not start"


def _overdue(pid: int, elapsed_s: float, limits: Limits, flags: tuple[str, ...], supervised: bool) -> Ended:
    """A supervisor may use as much CPU time as the program; bubblewrap is before them, once or twice."""
    apart = 0 if not flags else 1 if supervised and not guarded(flags) else 2
    return Ended(overdue(pid, elapsed_s, 2.0 * limits.cpu_s, generations=apart + supervised))


def guarded(flags: tuple[str, ...]) -> bool:
    """Whether nothing that a program does can touch its supervisor: it has a user of its own."""
    return _GUARDED in flags


@contextmanager
def _command(
    code: str, limits: Limits, flags: tuple[str, ...], *, supervised: bool
) -> Generator[tuple[list[str], tuple[int, ...], str]]:
    """What to start, which descriptors it needs, and where."""
    # a user of its own for each run, as the limit on processes counts by user and spares root
    uid = 200_000 + 2 * ((os.getpid() * 64 + next(_uids)) % 50_000) if guarded(flags) else 0
    settings = json.dumps(asdict(limits) | {"uid": uid, "supervised": supervised, "sealed": bool(flags)})
    python = [sys.executable, "-s", "-P", "-B", "-c", _BOOT, settings]
    if not flags:
        with tempfile.TemporaryDirectory(prefix="program-") as folder:
            file = Path(folder, "program.py")
            file.write_text(code, encoding="utf-8", errors="surrogatepass")
            yield [*python, str(file)], (), folder
        return
    fd = os.memfd_create("program")
    try:
        os.write(fd, code.encode(errors="surrogatepass"))
        os.lseek(fd, 0, os.SEEK_SET)
        system = ["--die-with-parent", "--new-session", "--hostname", "sandbox", *flags, *_mounts()]
        if supervised and not guarded(flags):
            system.append("--as-pid-1")  # whom no process of the sandbox can kill or stop
        program = ["--perms", "0444", "--ro-bind-data", str(fd), _PROGRAM, "--chdir", "/tmp"]
        yield [shutil.which("bwrap") or "bwrap", *system, *program, "--", *python, _PROGRAM], (fd,), "/"
    finally:
        os.close(fd)


@lru_cache(maxsize=1)
def _mounts() -> tuple[str, ...]:
    """A read-only system and this Python; of /etc only what the loader needs."""
    prefixes = [one for one in dict.fromkeys((sys.base_prefix, sys.prefix)) if not one.startswith("/usr/")]
    folders = ["/etc", "/program", *(str(up) for prefix in prefixes for up in reversed(Path(prefix).parents))]
    mounts = ["--dev", "/dev"]
    for folder in ("/tmp", "/dev/shm"):  # first, as this Python may stand in a folder of /tmp
        # memory that a program writes to files is memory as well
        mounts += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", folder]
    for folder in dict.fromkeys(folders):  # bwrap makes missing parents for root's eyes only
        mounts += ["--dir", folder] if folder != "/" else []
    mounts += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        path = Path(name)
        if path.is_symlink():
            mounts += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            mounts += ["--ro-bind", name, name]
    mounts += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for prefix in prefixes:
        mounts += ["--ro-bind", prefix, prefix]
    return tuple(mounts)


class _Streams:
    """Feeds a process and reads it, neither blocking nor without bound."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, most: int) -> None:
        self.process = process
        self.stdout, self.stderr = bytearray(), bytearray()
        self._stdin = memoryview(stdin)
        self._most = most
        self.heard = time.monotonic()
        self._open = selectors.DefaultSelector()
        assert process.stdin
        assert process.stdout
        assert process.stderr
        os.set_blocking(process.stdin.fileno(), False)
        self._open.register(process.stdin, selectors.EVENT_WRITE)
        self._open.register(process.stdout, selectors.EVENT_READ, self.stdout)
        self._open.register(process.stderr, selectors.EVENT_READ, self.stderr)

    def pump(self, *, quiet_s: float, deadline: float) -> Ended:
        """Until it has ended, though a child that lives on may hold its output. `quiet_s`: without a word."""
        with self._open:
            ended_at = None
            while self._open.get_map():
                now = time.monotonic()
                if ended_at is None and self.process.poll() is not None:
                    ended_at = now
                if now >= min(deadline, self.heard + quiet_s):
                    return Ended.TIMEOUT if ended_at is None else Ended.FINISHED
                if ended_at is not None and now > ended_at + 0.2:
                    return Ended.FINISHED
                for key, _ in self._open.select(min(0.05, deadline - now)):
                    self._serve(key)
                if max(len(self.stdout), len(self.stderr)) > self._most:
                    return Ended.FLOODED
            return self._wait(min(deadline, self.heard + quiet_s))

    def _wait(self, deadline: float) -> Ended:
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Ended.TIMEOUT
        return Ended.FINISHED

    def _serve(self, key: selectors.SelectorKey) -> None:
        if key.data is not None:
            chunk = os.read(key.fd, 1 << 16)
            key.data.extend(chunk)
            self.heard = time.monotonic() if key.data is self.stdout else self.heard
            if not chunk:
                self._open.unregister(key.fileobj)
            return
        try:
            self._stdin = self._stdin[os.write(key.fd, self._stdin[: 1 << 16]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._open.unregister(key.fileobj)
            assert self.process.stdin
            self.process.stdin.close()


def _end(process: subprocess.Popen[bytes], *, sealed: bool) -> None:
    """Also when the leader is gone: its children may hold our pipes."""
    left = [] if sealed else list(family(process.pid))[1:]  # they may have left its group
    for kill, target in ((os.killpg, process.pid), *((os.kill, pid) for pid in left)):
        with suppress(ProcessLookupError):
            kill(target, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream and not stream.closed:
            stream.close()
