"""The inside of a worker process: one unit, its output in a log file, its progress in a pipe."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from distillery.errors import DistilleryError
from distillery.pipeline import Kind, Plan
from distillery.runner.events import Unit, add_counts
from distillery.runner.execute import Line, execute

_TELL_EVERY_S = 0.1
_GC_THRESHOLD = (20_000, 20, 20)
DRAIN = signal.SIGUSR1  # from the scheduler: ask nothing new


class Teller:
    """Adds counters up and sends them a few times a second."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._counts: dict[str, float] = {}
        self._sent = time.monotonic()

    def __call__(self, counts: Mapping[str, float]) -> None:
        add_counts(self._counts, counts)
        if time.monotonic() - self._sent > _TELL_EVERY_S:
            self.flush()

    def flush(self) -> None:
        if self._counts:
            self._pipe.send(("moved", self._counts))
            self._counts = {}
        self._sent = time.monotonic()


def main(
    unit: Unit, plan: Plan, store: Path, pipe: Connection, leash: Connection, log: Path, threads: int | None
) -> None:
    _die_with(leash)
    # looking through all that was imported costs a busy loop a tenth of its time
    if unit.step.kind is Kind.SHARD:
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the scheduler decides
    _write_to(log)
    if threads is not None and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    teller = Teller(pipe)
    told_to_stop = threading.Event()

    def drain(_number: int, _frame: FrameType | None) -> None:
        told_to_stop.set()

    signal.signal(DRAIN, drain)
    line = Line(teller, lambda text: pipe.send(("alarm", text)), told_to_stop.is_set)
    try:
        execute(unit, plan, store, line)
        teller.flush()
        pipe.send(("done",))
    except DistilleryError as error:
        teller.flush()
        pipe.send(("raised", type(error).__name__, str(error)))
    except Exception as error:  # noqa: BLE001 - the process boundary: the log has the trace, the parent the line
        traceback.print_exc()
        pipe.send(("broke", f"{type(error).__name__}: {error}"))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _die_with(leash: Connection) -> None:
    """The scheduler holds the other end. The process that forked this one lives on as long as this one does,
    so that the kernel's own signal for a dead parent would never come when the scheduler dies."""

    def wait() -> None:
        leash.poll(None)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="leash", daemon=True).start()


def _write_to(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
