"""The servers behind one engine: started, waited for, and started again when they die.

A server that was never ready, and that no other copy of itself shows to be sound, is not started again: what
is wrong with it would be wrong again.
"""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError

from distillery.backoff import Backoff
from distillery.engines.vllm_server.process import ServerProcess, free_ports
from distillery.errors import EngineError

RESTARTS, RESTARTS_WITHIN_S = 3, 3600.0  # of one server
_PORTS_TRIED = 5
_PORT_TAKEN = ("address already in use", "errno 98")
_LOOKS = Backoff(0.05, 1.0, factor=1.5)  # between two looks whether a server is ready
_ANSWER_S = 2.0  # for a server to say that it is

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launch:
    """How a server is started; `{port}` in its command becomes the port that it gets."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    log: Path

    def start(self, port: int) -> ServerProcess:
        command = [part.replace("{port}", str(port)) for part in self.command]
        return ServerProcess(command, env=self.env, log=self.log)


class Door:
    """Asks a server over HTTP whether it is there, and what it is."""

    def __init__(self, model: str, *, api_key: str = "", proxies: bool = False) -> None:
        self._model = model
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        own = () if proxies else (urllib.request.ProxyHandler({}),)
        self._opener = urllib.request.build_opener(*own)

    def closed(self, url: str) -> str:
        """Why the server is not ready; empty when it is. Raises EngineError where it serves another model."""
        try:
            self.ask(f"{url.removesuffix('/v1')}/health")
        except HTTPError as error:
            if error.code >= 500:  # some servers have no such page
                return f"/health: status {error.code}"
        except (OSError, HTTPException) as error:
            return f"/health: {_reason(error)}"
        try:
            served = [one["id"] for one in json.loads(self.ask(f"{url}/models"))["data"]]
        except HTTPError as error:
            return f"/models: status {error.code}" if error.code >= 500 else ""
        except (OSError, HTTPException) as error:
            return f"/models: {_reason(error)}"
        except (ValueError, KeyError, TypeError):  # a list of another shape says nothing
            return ""
        if self._model in served:
            return ""
        raise EngineError(
            f"endpoint {url}: serves {', '.join(map(repr, served)) or 'no model'}, not {self._model!r};"
            " mend model, or give served_model_name"
        )

    def ask(self, url: str, body: Any = None, *, answer_s: float = _ANSWER_S) -> bytes:
        """Raises OSError or HTTPException."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers)
        with self._opener.open(request, timeout=answer_s) as reply:
            return reply.read()


class Replica:
    """One server; without a launch it is another's, and only waited for."""

    def __init__(self, door: Door, ready_s: float, *, url: str = "", launch: Launch | None = None) -> None:
        self._door, self._ready_s, self._launch = door, ready_s, launch
        self.url = url
        self.process: ServerProcess | None = None
        self.ready = False
        self.proven = False  # it was ready once
        self.over = ""  # why it is of no use
        self.may_move = True  # to another port
        self._restarted: list[float] = []  # monotonic seconds
        self._ports_taken = 0
        self._wait()

    def start(self, port: int) -> None:
        assert self._launch
        if self.process:
            self.process.stop()
        self.url = f"http://127.0.0.1:{port}/v1"
        self.process = self._launch.start(port)
        self._wait()

    def look(self) -> None:
        """Notices that it died, became ready, or did not in time."""
        if self.over:
            return
        now = monotonic()
        if self.process and (how := self.process.ended()):
            self._died(how)
        elif not self.ready and now >= self._due:
            self._closed = self._door.closed(self.url)
            if not self._closed:
                self.ready = self.proven = True
            elif now - self._since > self._ready_s:
                if self.process:
                    self.process.stop()
                self.over = f"was not ready within {self._ready_s:g} s ({self._closed})"
            self._looks += 1
            self._due = monotonic() + _LOOKS.wait_s(self._looks)

    def start_again(self) -> None:
        """At its old address, if it may."""
        now = monotonic()
        self._restarted = [at for at in self._restarted if now - at < RESTARTS_WITHIN_S]
        if self._launch and len(self._restarted) < RESTARTS:
            log.warning("%s %s; it is started again", self.url, self.over)
            self._restarted.append(now)
            self.start(self._port)

    def complaint(self) -> str:
        """What is wrong, and what would be right."""
        if not self.process:
            right = "start the server, mend base_url, or wait longer with ready_s"
            return f"endpoint {self.url}: {self.over}; {right}"
        before = f", the last of {len(self._restarted) + 1} times" if self._restarted else ""
        causes = self.process.causes()
        return (
            f"its server {self.over}{before}; mend server_args, env or the machine, or wait longer with "
            f"ready_s\nIts command: {shlex.join(self.process.command)}\n"
            + (f"Its first errors:\n{causes}\n" if causes else "")
            + f"The end of {self.process.log}:\n{self.process.tail()}"
        )

    @property
    def _port(self) -> int:
        return int(self.url.removesuffix("/v1").rpartition(":")[2])

    def _wait(self) -> None:
        self.ready, self.over, self._closed = False, "", ""
        self._since = self._due = monotonic()
        self._looks = 0

    def _died(self, how: str) -> None:
        assert self.process
        self.ready = False
        taken = any(words in self.process.tail().lower() for words in _PORT_TAKEN)
        if taken and self.may_move and self._ports_taken < _PORTS_TRIED:
            self._ports_taken += 1
            self.start(*free_ports(1))
            return
        when = "" if self.proven else ", before it was ready"
        self.over = f"ended with {how} after {self.process.age_s:.0f} s{when}"


class Replicas:
    """Servers of one model. `folder` holds their logs, and is gone when all went well."""

    def __init__(
        self,
        model: str,
        door: Door,
        *,
        ready_s: float,
        launches: Sequence[Launch] = (),
        urls: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        """Starts what there is to start, and does not wait for it."""
        self._model, self._folder = model, folder
        self._failed = False
        self._replicas = [Replica(door, ready_s, url=url.rstrip("/")) for url in urls]
        for launch, port in zip(launches, free_ports(len(launches)), strict=True):
            replica = Replica(door, ready_s, launch=launch)
            self._replicas.append(replica)
            replica.start(port)

    def addresses(self) -> tuple[str, ...]:
        """Once asked for, they stay."""
        for replica in self._replicas:
            replica.may_move = False
        return tuple(replica.url for replica in self._replicas)

    @property
    def ready_url(self) -> str:
        return next(replica.url for replica in self._replicas if replica.ready)

    def look(self) -> bool:
        """Starts again what died; whether any server is ready. Raises EngineError when none will be."""
        for replica in self._replicas:
            replica.look()
        if any(replica.proven for replica in self._replicas):
            for replica in self._replicas:
                if replica.over:
                    replica.start_again()
        if all(replica.over for replica in self._replicas):
            raise self.failed(self._replicas[-1].complaint())
        return any(replica.ready for replica in self._replicas)

    def failed(self, words: str) -> EngineError:
        """The error to raise; what the servers said is kept."""
        self._failed = True
        return EngineError(f"engine vllm_server, model {self._model!r}: {words}")

    @property
    def logs(self) -> str:
        return f" (its servers' logs: {self._folder})" if self._folder else ""

    def stop(self) -> None:
        processes = [replica.process for replica in self._replicas if replica.process]
        for process in processes:
            process.ask_to_stop()  # all at once; each takes its seconds
        for process in processes:
            process.stop()
        if self._folder and not self._failed:
            shutil.rmtree(self._folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason)
