"""An engine that answers from a function: the factory's own test double, and its dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic.json_schema import SkipJsonSchema

from distillery.engines.base import Completion, Engine, Failure, Feed, Reply, Request
from distillery.hashing import Json
from distillery.reasoning import join

Script = Callable[[Request], str | Completion | Failure]


def echo(request: Request) -> str:
    return join(request.messages[-1][1], f"\\boxed{{{request.seed % 7}}}")


_SCRIPTS: dict[str, Script] = {"echo": echo, "agree": lambda _: "correct"}


@dataclass(frozen=True)
class Scripted(Engine):
    """Its replies cost nothing: `echo` thinks the question over again, `agree` is a judge that accepts all.

    A `reply` may return a Failure, or raise to play an engine that breaks. A text of more words than
    `max_tokens` is cut there, as a real model's would be.

        engines:
          teacher: {kind: scripted}
    """

    script: Literal["echo", "agree"] = "echo"
    """`echo` thinks the question over again, `agree` is a judge that accepts all."""
    name: str = "scripted"
    """The model's name, as the completions' keys know it."""
    reply: SkipJsonSchema[Script | None] = None
    """For tests: goes before `script`."""
    calls: list[Request] = field(default_factory=list[Request], init=False, repr=False, compare=False)

    @property
    def identity(self) -> Json:
        return {"model": self.name, "script": self.script}

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        reply = self.reply or _SCRIPTS[self.script]
        for request in requests:
            if request is None:
                yield ()
                continue
            self.calls.append(request)
            answer = reply(request)
            yield (_completion(request, answer) if isinstance(answer, str) else answer,)


def _completion(request: Request, text: str) -> Completion:
    words = text.split(" ")
    limit = request.sampling.max_tokens
    asked = sum(len(content.split()) for _, content in request.messages)
    if len(words) > limit:
        return Completion(request.key, " ".join(words[:limit]), "length", asked, limit)
    return Completion(request.key, text, "stop", asked, len(words))
