"""Why a process is not done when its time is up: it slept, it computed, or this machine kept it waiting.

Runs outside a sandbox and, sent there as text, inside. Where /proc tells nothing, the machine is at fault.
"""

from __future__ import annotations

import os

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def overdue(pid: int, elapsed_s: float, cpu_s: float, *, generations: int = 0) -> str:
    """ "cpu_limit" (with its descendants it has used as much), "idle", or "timeout": no fault of theirs."""
    found = shares(pid, generations=generations)
    if found is None:
        return "timeout"
    ran_s, waited_s = found
    if ran_s >= cpu_s:
        return "cpu_limit"
    return "idle" if elapsed_s - ran_s - waited_s > waited_s else "timeout"


def shares(pid: int, *, generations: int = 0) -> tuple[float, float] | None:
    """Seconds that a process and its descendants had a CPU, and that it stood in line for one; None: not
    known.

    The line counts for so many generations of descendants as well: a program could make a crowd of those
    further down.
    """
    ran_s, waited_s = 0.0, 0.0
    for one, generation in family(pid).items():
        try:
            state, _, *_ = fields = _stat(one)
            ran_s += sum(map(int, fields[11:15])) / _TICKS_PER_S  # with the children that it has seen end
            waited_s += _in_line(one) if generation <= generations else 0.0
        except (OSError, ValueError, IndexError):  # it has just ended, or there is no such file
            if one == pid:
                return None
            continue
        if state == "D" and generation <= generations:
            return None  # stands still for the disk or for memory
    return ran_s, waited_s


def family(pid: int) -> dict[int, int]:
    """It, and its descendants that still have their parents; to each its generation, its own being 0."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():  # noqa: PTH112, PTH208 -- pathlib takes long to load
        if name.isdigit():
            try:
                children.setdefault(int(_stat(int(name))[1]), []).append(int(name))
            except (OSError, ValueError, IndexError):  # it has just ended
                continue
    found, owed = {pid: 0}, [pid]
    for one in owed:
        for child in children.get(one, []):
            if child not in found:
                found[child] = found[one] + 1
                owed.append(child)
    return found


def _stat(pid: int) -> list[str]:
    """From the state of a process on, the third field of its line."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 -- see above
        return file.read().rpartition(")")[2].split()


def _in_line(pid: int) -> float:
    """That of its threads which waited longest."""
    found: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 -- see above
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:  # noqa: PTH123 -- see above
            found.append(int(file.read().split()[1]))
    return max(found) / 1e9
