"""Which texts a dedup took for copies of one another: the clusters it found, and pairs to judge it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from distillery import shards
from distillery.report.samples import Folder

_KEYS = ("problem_id", "trace_id")
_LONGEST = 600  # characters of a text


@dataclass(frozen=True, slots=True)
class Pair:
    gone: str
    kept: str
    similarity: float
    differs_in: str = ""  # of two that both stay


@dataclass(frozen=True, slots=True)
class Clusters:
    """What one stage found."""

    stage: str
    problems: int
    copies: int
    clusters: int
    largest: int
    pairs: tuple[Pair, ...]
    gold_differs: int  # of the copies
    siblings: int
    sibling_pairs: tuple[Pair, ...]


def read_clusters(folders: Sequence[Folder]) -> tuple[Clusters, ...]:
    return tuple(
        _clusters(place, folders) for place in folders if place.note and "largest_cluster" in place.note.facts
    )


def _clusters(place: Folder, folders: Sequence[Folder]) -> Clusters:
    facts = place.note.facts if place.note else {}
    linked: list[tuple[str, str, float]] = facts.get("pairs") or []
    apart: list[tuple[str, str, float, str]] = facts.get("sibling_pairs") or []
    keys = {key for gone, kept, *_ in (*linked, *apart) for key in (gone, kept)}
    texts = _texts(keys, facts.get("column") or "question", place, folders)
    pairs = tuple(Pair(texts.get(gone, gone), texts.get(kept, kept), alike) for gone, kept, alike in linked)
    siblings = tuple(
        Pair(texts.get(one, one), texts.get(other, other), alike, why) for one, other, alike, why in apart
    )
    names = ("problems", "copies", "clusters", "largest_cluster")
    problems, gone, clusters, largest = (int(facts.get(name) or 0) for name in names)
    count = sum((facts.get("siblings") or {}).values())
    unlike = int(facts.get("gold_differs") or 0)
    return Clusters(place.id, problems, gone, clusters, largest, pairs, unlike, count, siblings)


def _texts(keys: set[str], column: str, place: Folder, folders: Sequence[Folder]) -> dict[str, str]:
    """What was compared of each key, from the tables that the stage looked at."""
    files = [file for other in folders if other.id in place.parents for file in other.shards]
    if not keys or not files:
        return {}
    found: dict[str, str] = {}
    for file in files:
        there = shards.schema(file)
        for name in (name for name in _KEYS if name in there and column in there):
            rows = shards.read(file, [name, column]).filter(pl.col(name).is_in(list(keys)))
            found |= {key: text[:_LONGEST] for key, text in rows.cast(pl.String).drop_nulls().iter_rows()}
        if found.keys() >= keys:
            break
    return found
