"""One interview with an engine to itself; the runner's `Conversation` holds many at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

from distillery.engines.base import Engine, Request
from distillery.stages.base import Interview, Output

_PAUSE_S = 0.01  # between two looks at what is being weighed


def ask_alone(interview: Interview, engine: Engine) -> Output:
    """Asks all that it wants to know, and gives its output."""

    def feed() -> Iterator[Request | None]:
        while not interview.finished:
            yield interview.due()

    try:
        for replies in engine.batches(feed()):
            for reply in replies:
                interview.hear(reply)
            if not replies and not interview.finished:
                time.sleep(_PAUSE_S)
        return interview.output()
    finally:
        interview.close()
