"""What a run may use, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ended(StrEnum):
    FINISHED = "finished"  # by itself, whatever its return code
    CPU_LIMIT = "cpu_limit"  # killed for the CPU time it used
    IDLE = "idle"  # killed at the wall deadline, for it slept, stopped itself, or waited for what never came
    TIMEOUT = "timeout"  # the same, for this machine is overloaded, or it cannot be known why
    FLOODED = "flooded"  # killed for writing more than it may
    UNAVAILABLE = "unavailable"  # there is no sandbox here: nothing was run
    BROKEN = "broken"  # the sandbox could not start the program: our fault


@dataclass(frozen=True, slots=True)
class Limits:
    cpu_s: int = 10  # of each process
    wall_s: float = 25.0
    memory_bytes: int = 1 << 30
    processes: int = 32  # and threads
    file_bytes: int = 16 << 20
    output_bytes: int = 4 << 20  # stdout and stderr, each
    open_files: int = 128


@dataclass(frozen=True, slots=True)
class Result:
    stdout: str
    stderr: str
    returncode: int | None  # negative: a signal; None: never started
    outcome: Ended
    seconds: float = 0.0
    raw: bytes = b""  # stdout as it came, from a local sandbox
