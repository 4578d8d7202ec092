"""Verdicts for rows, whatever the rows do: worker processes with a deadline, a hard kill and a memory cap.

`judge` serves verify.answers, the GRPO reward and evaluation alike. It may be called from any thread, event
loop (`asyncio.to_thread`) or process: workers belong to the process that started them and to no fork of it.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing.connection import wait as wait_for_any
from pathlib import Path

from distillery.errors import ConfigError
from distillery.records import Outcome, Problem, Verdict
from distillery.verify import Checker, Errand, get_checker

MEMORY_BYTES = 4 << 30  # address space of a worker; sympy with its tables needs about 0.5 GiB of it
RECYCLE_AFTER = 2000  # errands; caches of symbolic libraries only grow
START_S = 120.0  # for a process and its imports, on a slow disk
MAX_CHARS = 2_000_000  # a longer completion is no answer, and nothing is run on it

_MAX_FAILED_STARTS = 3  # in one call; then the machine is at fault and not the rows
_PACKAGE_ROOT = str(Path(__file__).parents[3])


def judge(
    rows: Sequence[tuple[Problem, str]],
    *,
    deadline_s: float = 10,
    workers: int | None = None,
    own: Collection[str] = (),
) -> list[Verdict]:
    """A verdict for each row, in order. `deadline_s` counts from the moment a worker begins with a row.

    `workers` is the number of processes at most, by default one a usable core. A row that names no known
    checker, one outside this package that is not in `own`, or whose payload cannot be read, is an ERROR like
    any other fault that is not the answer's.
    """
    first = [_first_look(problem, text, own) for problem, text in rows]
    most = workers or cores()
    threaded = {row: look for row, look in zip(rows, first, strict=True) if isinstance(look, Checker)}
    ran = _in_threads(threaded, most)
    looks = [ran[row] if isinstance(look, Checker) else look for row, look in zip(rows, first, strict=True)]
    errands = [look for look in looks if isinstance(look, Errand)]
    done = run_errands(errands, workers=most, deadline_s=deadline_s)
    done |= _answers_doing(done, workers=most, deadline_s=deadline_s)
    return [done[look] if isinstance(look, Errand) else look for look in looks]


def judge_one(problem: Problem, text: str, *, deadline_s: float = 10, own: Collection[str] = ()) -> Verdict:
    return judge([(problem, text)], deadline_s=deadline_s, workers=1, own=own)[0]


def cores() -> int:
    """Those that this process may use, which are fewer than the machine's in a container or a job."""
    return len(os.sched_getaffinity(0))


def close() -> None:
    """Ends this process's idle workers; the next `judge` starts new ones."""
    _Pool.end()


def _first_look(problem: Problem, text: str, own: Collection[str] = ()) -> Verdict | Errand | Checker:
    """What can be said at once; an errand for the workers; or the checker, to be called in a thread."""
    if len(text) > MAX_CHARS:
        return Verdict.no_answer(f"the text has {len(text)} characters; at most {MAX_CHARS} are read")
    try:
        checker = get_checker(problem.checker, own=own)
    except ConfigError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    return checker if checker.threaded else _look(checker, problem, text)


def _look(checker: Checker, problem: Problem, text: str) -> Verdict | Errand:
    found = checker.check(problem, text)
    return replace(found, checker=problem.checker) if isinstance(found, Errand) else found


def _in_threads(
    rows: Mapping[tuple[Problem, str], Checker], most: int
) -> dict[tuple[Problem, str], Verdict | Errand]:
    """Each different row once."""
    if not rows:
        return {}
    with ThreadPoolExecutor(min(most, len(rows))) as threads:
        found = threads.map(_look, rows.values(), *zip(*rows, strict=True))
        return dict(zip(rows, found, strict=True))


def run_errands(errands: Iterable[Errand], *, workers: int, deadline_s: float) -> dict[Errand, Verdict]:
    """Each different errand once, on this process's workers."""
    owed = dict.fromkeys(errands)
    if not owed:
        return {}
    batch = _Batch(owed, most=workers, deadline_s=deadline_s)
    try:
        return batch.run()
    finally:
        batch.give_back()


def _answers_doing(
    done: Mapping[Errand, Verdict], *, workers: int, deadline_s: float
) -> dict[Errand, Verdict]:
    """Of those that were stopped at the deadline, those that an easy answer with the same gold is not."""
    easy = {
        errand: Errand(errand.plain, checker=errand.checker)
        for errand, verdict in done.items()
        if verdict.outcome is Outcome.TIMEOUT and errand.plain
    }
    ended = run_errands(easy.values(), workers=workers, deadline_s=deadline_s)
    return {
        errand: Verdict.of(False, errand.extracted, f"{done[errand].detail}; the gold was read in time")
        for errand, other in easy.items()
        if ended[other].outcome is Outcome.CORRECT
    }


class _StartError(Exception):
    """A worker that was lost before it could begin: nobody's answer is to blame."""


class _Worker:
    """The parent's end of one worker process, which its first errand starts, or the next after a kill."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._ready: set[str] = set()  # checkers whose imports are done
        self._served = 0
        self.errand: Errand | None = None
        self._deadline_s = 0.0
        self.due = 0.0  # monotonic seconds

    @property
    def fd(self) -> int:
        assert self._process
        assert self._process.stdout
        return self._process.stdout.fileno()

    def begin(self, errand: Errand, deadline_s: float) -> None:
        if self._process is None:
            self._start()
        assert self._process
        assert self._process.stdin
        self.errand, self._deadline_s = errand, deadline_s
        known = errand.checker in self._ready
        self.due = time.monotonic() + (deadline_s if known else START_S)
        message = {"checker": errand.checker, "deadline_s": deadline_s, "data": json.loads(errand.data)}
        data = json.dumps(message).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._process.stdin.fileno(), data) :]
        except BrokenPipeError:
            return  # it died; reading from it will say so

    def receive(self) -> Verdict | None:
        """Call when `fd` is readable. None: not a whole reply yet, or only the word that it begins."""
        assert self.errand
        chunk = os.read(self.fd, 1 << 16)
        if not chunk:
            return self.give_up(overdue=False)
        self._buffer += chunk
        verdict = None
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            message = json.loads(line)
            if "ready" in message:
                self._ready.add(message["ready"])
                self.due = time.monotonic() + self._deadline_s
            else:
                verdict = Verdict(Outcome(message.pop("outcome")), **message)
        if verdict:
            self.errand = None
            self._served += 1
            if self._served >= RECYCLE_AFTER:
                self.kill()
        return verdict

    def give_up(self, *, overdue: bool) -> Verdict:
        """Of an errand whose process is overdue, or else lost."""
        errand, process = self.errand, self._process
        assert errand
        assert process
        began, name = errand.checker in self._ready, repr(errand.checker)
        self.kill()
        if not began and overdue:
            raise _StartError(f"no worker was ready for {name} within {START_S:g} s")
        if not began:
            raise _StartError(f"a worker for {name} ended with status {process.returncode} at its start")
        said = (
            f"stopped after {self._deadline_s:g} s"
            if overdue
            else f"the worker died, status {process.returncode}"
        )
        return Verdict(Outcome.TIMEOUT if overdue else Outcome.ERROR, None, errand.extracted, said)

    def kill(self) -> None:
        process, self._process = self._process, None
        self._buffer, self._ready, self._served, self.errand = b"", set(), 0, None
        if process:
            process.kill()
            process.wait()
            _close_pipes(process)

    def abandon(self) -> None:
        """In a fork: the process is our parent's. Only our copies of the pipe's ends are closed."""
        process, self._process = self._process, None
        if process:
            _close_pipes(process)
            process.returncode = 0  # so that its destructor neither waits nor warns

    def _start(self) -> None:
        path = os.pathsep.join([_PACKAGE_ROOT, *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "distillery.verify.pool.worker", str(MEMORY_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # nothing buffered that a fork could write a second time
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"},
        )


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


class _Pool:
    """This process's workers, shared by its threads."""

    mine: _Pool | None = None
    lock = threading.Lock()

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.idle: list[_Worker] = []
        self.lent = 0
        self.waiting = 0
        self.changed = threading.Condition()

    @classmethod
    def get(cls) -> _Pool:
        with cls.lock:
            if cls.mine is None:
                cls.mine = cls()
                _register_once()
            return cls.mine

    @classmethod
    def end(cls) -> None:
        with cls.lock:
            pool, cls.mine = cls.mine, None
        for worker in pool.idle if pool else ():
            worker.kill()

    @classmethod
    def after_fork(cls) -> None:
        cls.lock = threading.Lock()  # another thread may have held it at the fork
        pool, cls.mine = cls.mine, None
        for worker in pool.idle if pool else ():
            worker.abandon()

    def borrow(self, *, most: int, wait: bool) -> _Worker | None:
        """None when `most` are lent already, or another thread waits for its first, and `wait` is off."""
        with self.changed:
            if not wait and (self.lent >= most or self.waiting):
                return None
            self.waiting += 1
            try:
                self.changed.wait_for(lambda: self.lent < most)
            finally:
                self.waiting -= 1
            self.lent += 1
            return self.idle.pop() if self.idle else _Worker()

    def take_back(self, worker: _Worker) -> None:
        with self.changed:
            self.lent -= 1
            if worker.errand or self is not _Pool.mine:  # interrupted in the middle, or the pool was closed
                worker.kill()
            else:
                self.idle.append(worker)
            self.changed.notify_all()


@cache
def _register_once() -> None:
    atexit.register(close)
    os.register_at_fork(after_in_child=_Pool.after_fork)


class _Batch:
    """One call's errands on the pool's workers: a single loop that waits on all of them at once."""

    def __init__(self, errands: Iterable[Errand], *, most: int, deadline_s: float) -> None:
        self.pool = _Pool.get()
        # the longest first, one at a time, to whoever is free: nothing long is left for the end
        self.owed = deque(sorted(errands, key=lambda errand: -len(errand.data)))
        self.most = most
        self.deadline_s = deadline_s
        self.mine: list[_Worker] = []
        self.done: dict[Errand, Verdict] = {}
        self.failed_starts = 0

    def run(self) -> dict[Errand, Verdict]:
        while self.owed or any(worker.errand for worker in self.mine):
            self._hand_out()
            busy = {worker.fd: worker for worker in self.mine if worker.errand}
            soonest = min((worker.due for worker in busy.values()), default=0.0)
            ready = wait_for_any(list(busy), max(0.0, soonest - time.monotonic()))
            for fd, worker in busy.items():
                if fd in ready or worker.due <= time.monotonic():
                    self._collect(worker, overdue=fd not in ready)
        return self.done

    def give_back(self) -> None:
        """Also after an interrupt; a worker in the middle of an errand is killed then, never reused."""
        while self.mine:
            self.pool.take_back(self.mine.pop())

    def _hand_out(self) -> None:
        for worker in [worker for worker in self.mine if not worker.errand]:
            others_wait = self.pool.waiting and len(self.mine) > 1
            if self.owed and not others_wait:
                worker.begin(self.owed.popleft(), self.deadline_s)
            else:
                self.mine.remove(worker)
                self.pool.take_back(worker)
        while self.owed:
            worker = self.pool.borrow(most=self.most, wait=not self.mine)
            if worker is None:
                return
            self.mine.append(worker)
            worker.begin(self.owed.popleft(), self.deadline_s)

    def _collect(self, worker: _Worker, *, overdue: bool) -> None:
        errand = worker.errand
        assert errand
        try:
            verdict = worker.give_up(overdue=True) if overdue else worker.receive()
        except _StartError as error:
            self.failed_starts += 1
            if self.failed_starts < _MAX_FAILED_STARTS:
                self.owed.appendleft(errand)
                return
            verdict = Verdict(Outcome.ERROR, None, errand.extracted, str(error))
            self.done |= dict.fromkeys(self.owed, verdict)
            self.owed.clear()
        if verdict is not None:
            self.done[errand] = verdict
