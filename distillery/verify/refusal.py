"""Answers that open with a refusal. Told by the opening: what is declined, and in whose name.

An answer that disputes a question's premise ("There were no benefits to it.") is an answer. A refusal further
down, after help was given, is a partial one and is not looked for.
"""

from __future__ import annotations

from functools import partial

from distillery.installed.word_lists import pattern

_pattern = partial(pattern, __file__)


def refusal(answer: str, question: str = "") -> str | None:
    """The words with which `answer` declines to answer; None where it does not open so.

    "It is not legal to ..." answers a question that asks whether it is.
    """
    found = _pattern("opens").search(answer)
    if found and not _pattern("declines").search(found[0]) and _pattern("asks_whether").search(question):
        return None
    return found[0].strip() if found else None
