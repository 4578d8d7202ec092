"""Runs inside the sandbox, sent there as text with what needs it: what a process may use, and as whom it runs."""

from __future__ import annotations

import os
import resource
from typing import Any


def confine(settings: dict[str, Any], uid: int) -> None:
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
