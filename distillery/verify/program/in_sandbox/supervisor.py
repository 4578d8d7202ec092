"""Runs inside the sandbox, sent there as text: one program on many inputs, a forked process for each.

Standard input: JSON (program, inputs). Standard output: for each input a line of JSON (status, ended, size,
stderr) and `size` bytes, what it printed; up to the first run that fails. Expected outputs are never here.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import select
import signal
import sys
import time
import types
from typing import Any

from distillery.sandbox.confine import confine, guard, write_all
from distillery.sandbox.idle import overdue, shares

LOOK_S = 0.05  # the first; and the longest of them:
LONG_LOOK_S = 0.5
LAST = 5_000  # bytes of standard error that are sent back, its end


def main() -> None:
    settings: dict[str, Any] = json.loads(sys.argv[1])
    with open(0, "rb", closefd=False) as stdin:
        task = json.loads(stdin.read())
    code = compile_or_none(task["program"])
    guard(settings["uid"])
    sys.set_int_max_str_digits(0)  # what is printed is judged, however long
    patience = Patience(settings["wall_s"] - settings["cpu_s"])
    gc.freeze()  # else the first collection in each child copies all pages
    for text in task["inputs"]:
        files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
        write_all(files[0], text.encode(errors="surrogatepass"))
        os.lseek(files[0], 0, os.SEEK_SET)
        pid = os.fork()
        if pid == 0:
            become(files, settings)
            os._exit(run_to_the_end(code, task["program"]))
        report = wait(pid, files, settings, patience)
        end_all(pid, settings)
        send(files, report)
        if report["status"] != 0 or report["ended"] != "finished":
            break


def compile_or_none(program: str) -> Any:
    try:
        return compile(program, "program.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # the run itself shall say it


def become(files: list[int], settings: dict[str, Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for fd, file in enumerate(files):
        os.dup2(file, fd)
        os.close(file)
    confine(settings, settings["uid"])
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.argv[:] = ["program.py"]


class Patience:
    """What all runs of a program may sleep together, while nothing makes them wait."""

    def __init__(self, most_s: float) -> None:
        self.most_s = most_s
        self.idle_s = 0.0  # of the runs that have ended
        self.waited_s = 0.0

    def exhausted(self, pid: int, elapsed_s: float, *, over: bool = False) -> bool:
        found = shares(pid)
        ran_s, in_line_s = found or (elapsed_s, 0.0)
        idle_s = self.idle_s + max(0.0, elapsed_s - ran_s - in_line_s)
        waited_s = self.waited_s + in_line_s
        if over:
            self.idle_s, self.waited_s = idle_s, waited_s
        return idle_s > self.most_s and idle_s > waited_s


def wait(pid: int, files: list[int], settings: dict[str, Any], patience: Patience) -> dict[str, Any]:
    begin = time.monotonic()
    ended, look_s = "finished", LOOK_S
    ending = os.pidfd_open(pid)
    while not select.select([ending], [], [], look_s)[0]:
        elapsed_s = time.monotonic() - begin
        look_s = min(2 * look_s, LONG_LOOK_S)
        if max(os.fstat(file).st_size for file in files[1:]) > settings["output_bytes"]:
            ended = "flooded"
        elif elapsed_s > settings["wall_s"]:
            ended = overdue(pid, elapsed_s, settings["cpu_s"])
        elif patience.exhausted(pid, elapsed_s):
            ended = "idle"
        else:
            continue
        os.kill(pid, signal.SIGKILL)
        break
    else:
        if look_s > LOOK_S and patience.exhausted(pid, time.monotonic() - begin, over=True):
            ended = "idle"
    os.close(ending)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sizes = [os.fstat(file).st_size for file in files]
    if ended == "finished" and max(sizes[1:]) > settings["output_bytes"]:
        ended = "flooded"
    if ended == "finished" and status in (-signal.SIGXCPU, -signal.SIGKILL):
        ended = "cpu_limit"
    stderr = os.pread(files[2], LAST, max(0, sizes[2] - LAST)).decode(errors="replace")
    size = min(sizes[1], settings["output_bytes"])
    seconds = time.monotonic() - begin
    return {"status": status, "ended": ended, "size": size, "stderr": stderr, "seconds": seconds}


def end_all(pid: int, settings: dict[str, Any]) -> None:
    """Also what the program left behind. Outside a sandbox of our own that can only be its process group."""
    try:
        if settings["sealed"] and os.getpid() < 10:
            os.kill(-1, signal.SIGKILL)
        else:
            os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        while os.getpid() == 1:  # then those without a parent are ours
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def send(files: list[int], report: dict[str, Any]) -> None:
    write_all(1, json.dumps(report).encode() + b"\n")
    place = 0
    while left := report["size"] - place:
        part = os.pread(files[1], min(1 << 20, left), place) or bytes(
            left
        )  # where the file was cut meanwhile
        write_all(1, part)
        place += len(part)
    for file in files:
        os.close(file)


def run_to_the_end(code: Any, source: str) -> int:
    """As the interpreter would, waiting for threads and calling exit functions, but without clearing up."""
    status = 0
    module = sys.modules["__main__"] = types.ModuleType(
        "__main__"
    )  # where pickle and typing look for classes
    space = vars(module)
    space["__file__"] = "program.py"
    try:
        exec(code or compile(source, "program.py", "exec", dont_inherit=True), space)  # noqa: S102 -- this is the sandbox
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if not isinstance(leaving.code, int | None):
            sys.stderr.write(f"{leaving.code}\n")
    except BaseException as error:  # noqa: BLE001 -- it is told as the interpreter would tell it
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    for file in (*space.values(), sys.__stdout__, sys.stdout):  # files that were left open
        try:
            if isinstance(file, io.IOBase) and not file.closed:
                file.flush()
        except (OSError, ValueError):  # a full one; or closed below
            status = status or 120
    return status & 0xFF


main()
