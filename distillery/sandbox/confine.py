"""Runs inside the sandbox, sent there as text: what a process may use, as whom it runs, and how it writes."""

from __future__ import annotations

import os
import resource


def confine(settings: dict[str, int], uid: int) -> None:
    """Limits on this process, and a user of its own; what is not given is the sandbox's own business."""
    if settings:
        resource.setrlimit(resource.RLIMIT_CPU, (settings["cpu_s"], settings["cpu_s"] + 1))
        for name, most in (
            ("AS", settings["memory_bytes"]),
            ("NPROC", settings["processes"]),
            ("FSIZE", settings["file_bytes"]),
            ("NOFILE", settings["open_files"]),
            ("CORE", 0),
        ):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def guard(uid: int) -> None:
    """This process against those of its user: its memory, files and, where it is the first one, its life."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a first process gets no signal that it does not ask for
    if uid == 0:  # a change of user has hidden its memory already
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
