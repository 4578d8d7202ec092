"""The mock server in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any, Self

from distillery.engines.mock.replies import MockOptions
from distillery.engines.mock.server import Service, serve


class MockServer:
    """The server in a thread of its own, as long as the `with` lasts.

        with MockServer(MockOptions(latency_s=0.1, capacity=64)) as server:
            engine = OpenAIServer(model="mock", base_url=server.url)

    Raises ConfigError where the port cannot be had.
    """

    url: str  # ends in /v1; there once it has started

    def __init__(self, options: MockOptions | None = None) -> None:
        self._service = Service(options or MockOptions())
        self._started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, name="mock server", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        self.url, self._loop, self._stop = self._started.result()
        return self

    def stop(self) -> None:
        """Cuts off what is in flight. Once or more often."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def stats(self) -> dict[str, Any]:
        """As `GET /mock/stats` gives it, while it runs and afterwards."""
        return self._service.stats()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _run(self) -> None:
        async def run() -> None:
            loop, stop = asyncio.get_running_loop(), asyncio.Event()
            await serve(
                self._service, stop=stop, ready=lambda url: self._started.set_result((url, loop, stop))
            )

        try:
            asyncio.run(run())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)
