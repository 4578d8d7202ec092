"""What the hub's client raises, and how to tell it from a bug of ours."""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def is_transport(error: BaseException) -> bool:
    """Told by the module's name: the client's transport changes its package and base with the client's version."""
    return any(
        isinstance(link, OSError) or type(link).__module__.startswith("httpx") for link in chain(error)
    )
