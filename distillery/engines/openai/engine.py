"""Any OpenAI-compatible endpoint, or several that serve the same model.

One event loop in a thread of its own (`distillery.engines.openai.event_loop`) keeps the wanted number of
requests in flight; this side feeds it a little ahead and hands on what has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from distillery.engines.base import Feed, Intake, Reply
from distillery.engines.openai.event_loop import Service
from distillery.engines.openai.options import OpenAIOptions

_GLANCE_S, _WAIT_S = 0.05, 1.0  # for a reply: while the feed has nothing, and while it has


@dataclass(frozen=True)
class OpenAIServer(OpenAIOptions):
    """vLLM, SGLang, DeepSeek, OpenAI: whatever speaks `POST /chat/completions`.

    The key is read from the environment variable `api_key_env` and never from a file:

        engines:
          teacher:
            kind: openai
            model: deepseek-reasoner
            base_url: https://api.deepseek.com
            api_key_env: DEEPSEEK_API_KEY
            concurrency: 64

    `base_url` may be a list: requests go where the fewest are outstanding, and an endpoint that fails rests
    until it answers again. `concurrency: auto` finds the number of requests in flight that the servers do
    best with.
    """

    keeps_at_once: ClassVar[bool] = True

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        intake = Intake(requests)
        with Service(self) as service:
            vars(self)["_service"] = service
            while not intake.ended or service.outstanding:
                for request in intake.take(lambda: service.room):
                    service.submit(request)
                service.begin()
                patience = _WAIT_S if not intake.paused else _GLANCE_S if service.outstanding else 0.0
                replies = service.arrived(patience)
                while self.tell and not service.said.empty():
                    self.tell(service.said.get())
                yield replies
                intake.ended |= service.draining

    def drain(self) -> None:
        super().drain()
        if service := vars(self).get("_service"):
            service.drain()
