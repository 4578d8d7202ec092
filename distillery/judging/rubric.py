"""What a rubric judge's reply says: one whole score for each point, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from distillery.judging.reply_schema import reply_form
from distillery.reasoning import split

Scores = dict[str, int]
POINTS = ("helpful", "correct", "complete", "style")
LEAST, MOST = 1, 10
SCHEMA = reply_form(**{point: range(LEAST, MOST + 1) for point in POINTS})


def read_scores(reply: str) -> Scores | None:
    """The scores in the JSON object that ends `reply`: every point once, from 1 to 10; else None."""
    text = reply.strip().removesuffix("```").rstrip()
    value = _object(text[max(text.rfind("{"), 0) :]) or _object(text)  # an analysis may hold a brace
    scores: dict[str, Any] = {point: value.get(point) for point in POINTS}
    return scores if all(type(one) is int and LEAST <= one <= MOST for one in scores.values()) else None


def read_votes(replies: Sequence[str]) -> list[Scores]:
    """Of the replies with a whole score for every point."""
    read = [read_scores(split(reply).answer or "") for reply in replies]
    return [scores for scores in read if scores]


def mean(scores: Mapping[str, int]) -> float:
    return sum(scores.values()) / len(scores)


def _object(text: str) -> dict[str, Any]:
    """Empty where `text` is none."""
    try:
        value: Any = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)
