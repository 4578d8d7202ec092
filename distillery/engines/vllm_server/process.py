"""A server as a child process that leaves nothing behind, however it or this process ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic

_KEEPER = Path(__file__).with_name("keeper.py")
_GRACE_S = 10.0  # between SIGTERM and SIGKILL
_KEEPERS_OWN_S = 10.0  # beyond that, for the keeper to see its children gone
_READ_BYTES = 256 << 10  # of a log's end
_TAIL_LINES, _CAUSES = 20, 3
_CAUSE = re.compile(r"(?:^|[\s\]])[A-Za-z_][\w.]*(?:Error|Exception): \S")


class ServerProcess:
    """Runs from here to `stop`. Its output goes to the end of `log`.

    The direct child is a keeper (`server_keeper`), which holds one end of a pipe: when this process ends, by
    SIGKILL or otherwise, the pipe closes, and the keeper ends the server and every process that came from it.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], log: Path, grace_s: float = _GRACE_S
    ) -> None:
        self.log = log
        self.command = tuple(command)
        self._grace_s = grace_s
        self._begun = monotonic()
        with log.open("ab") as output:
            self._log_from = output.tell()
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", str(_KEEPER), str(os.getpid()), str(grace_s), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                start_new_session=True,  # Ctrl-C in a terminal is for this process to judge
            )

    @property
    def age_s(self) -> float:
        return monotonic() - self._begun

    def ended(self) -> str:
        """How it ended by itself; empty while it runs."""
        code = self._keeper.poll()
        if code is None:
            return ""
        number = -code if code < 0 else code - 128
        if number <= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            often = "; often: out of memory" if number == signal.SIGKILL else ""
            return f"signal {number} ({signal.Signals(number).name}{often})"
        return f"exit code {code}"

    def tail(self) -> str:
        """The end of what this run of the server said, indented."""
        return _indented(self._said()[-_TAIL_LINES:]) or "  (nothing)"

    def causes(self) -> str:
        """The first errors above the tail: where one process fails, another's long trace often ends the
        log."""
        found = dict.fromkeys(line for line in self._said()[:-_TAIL_LINES] if _CAUSE.search(line))
        return _indented(list(found)[:_CAUSES])

    def _said(self) -> list[str]:
        with self.log.open("rb") as file:
            file.seek(max(self._log_from, self.log.stat().st_size - _READ_BYTES))
            text = file.read().decode(errors="replace")
        last = (line.rstrip().rpartition("\r")[2] for line in text.split("\n"))  # states of a progress bar
        return [line for line in last if line]

    def ask_to_stop(self) -> None:
        if self._keeper.stdin:
            self._keeper.stdin.close()
        self._keeper.terminate()  # a fork of this process may hold the pipe open

    def stop(self) -> None:
        """Returns when all its processes are gone. Once or more often."""
        self.ask_to_stop()
        try:
            self._keeper.wait(self._grace_s + _KEEPERS_OWN_S)
        except subprocess.TimeoutExpired:  # pragma: no cover - a process that not even SIGKILL ends
            self._keeper.kill()
            self._keeper.wait()


def free_ports(count: int) -> list[int]:
    """Different ones, free on this machine a moment ago; a server may still find its own taken."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
