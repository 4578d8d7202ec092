"""What a rubric judge's reply says: one whole score for each point, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Scores = dict[str, int]
POINTS = ("helpful", "correct", "complete", "style")
LEAST, MOST = 1, 10


def read_scores(reply: str, points: tuple[str, ...] = POINTS) -> Scores | None:
    """The scores in the JSON object that ends `reply`, which has every point once, from 1 to 10; None for any other."""
    text = reply.strip().removesuffix("```").rstrip()
    begin = text.rfind("{")
    if begin < 0:
        return None
    try:
        value: Any = json.loads(text[begin:], object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(_is_score(value.get(point)) for point in points):
        return None
    return {point: value[point] for point in points}


def mean(scores: Mapping[str, int]) -> float:
    return sum(scores.values()) / len(scores)


def _is_score(value: Any) -> bool:
    return type(value) is int and LEAST <= value <= MOST


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)
