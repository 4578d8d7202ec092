"""Which traces a reader is shown: kept ones of every kind, dropped ones of every reason, one for all
models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from distillery import shards
from distillery.curate.publish.masked import masked
from distillery.reasoning import split
from distillery.stages.note import Note

_LAST = ("export.chat", "mix.quota", "select.traces", "filter.quality", "judge.answers", "verify.answers")
"""Where kept traces are taken from: the first of these that the run has."""
_ROWS = 4_000  # of a shard that are looked at
_LONGEST = 12_000  # characters of a thought or an answer that are shown


@dataclass(frozen=True, slots=True)
class Folder:
    """A step's folder in the store."""

    id: str
    use: str
    parents: tuple[str, ...]
    shards: tuple[Path, ...]
    ledgers: tuple[Path, ...]
    path: Path
    note: Note | None = None  # None: not finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    question: str
    gold: str
    thought: str
    answer: str
    outcome: str
    extracted: str
    judge_verdict: str
    model: str
    prompt: str
    domain: str
    completion_tokens: int | None
    stage: str  # where it was found, or where it was dropped
    reason: str  # "" = kept
    detail: str


def kept_samples(folders: Sequence[Folder], *, count: int) -> tuple[Sample, ...]:
    """Evenly from every domain and thinking mode of the last table that has traces."""
    place = _last(folders)
    if place is None:
        return ()
    rows = _head(place.shards)
    kinds = [name for name in ("domain", "thinking", "outcome") if name in rows.columns]
    groups = rows.partition_by(kinds, maintain_order=True) if kinds else [rows]
    share = -(-count // max(1, len(groups)))
    chosen = [row for group in groups for row in _spread(group, share)]
    return tuple(_sample(row, stage=place.id) for row in chosen[:count])


def dropped_samples(folders: Sequence[Folder], *, count: int) -> tuple[Sample, ...]:
    """One of each reason first, then a second of each, until there are enough."""
    queues = [list(found) for place in folders for found in _dropped(place, folders).values()]
    chosen: list[Sample] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop(0) for queue in queues if queue]
    return tuple(chosen[:count])


def across_models(folders: Sequence[Folder]) -> tuple[Sample, ...]:
    """One question and the first answer of each model scored on it; best where the models disagree."""
    answers = {model: rows for model, rows in _scored(folders) if not rows.is_empty()}
    if len(answers) < 2:
        return ()
    first = next(iter(answers.values()))
    common = set(first["problem_id"])
    for rows in answers.values():
        common &= set(rows["problem_id"]) or common
    questions = [problem for problem in first["problem_id"] if problem in common]
    if not questions:
        return ()

    def far(problem: str) -> float:
        told = [rows.filter(problem_id=problem)["outcome"].item(0) for rows in answers.values()]
        return abs(told.count("correct") - 0.7 * len(answers))

    best = min(questions[:50], key=far)
    return tuple(
        _sample(rows.filter(problem_id=best).row(0, named=True) | {"model": model}, stage="")
        for model, rows in answers.items()
    )


def _scored(folders: Sequence[Folder]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each model's answers on the first bench that the run scores, one row a problem."""
    bench = None
    for place in folders:
        metrics = [row for row in place.note.metrics if row.get("metric") == "pass@1"] if place.note else []
        if not metrics or not place.shards:
            continue
        bench = bench or metrics[0]["bench"]
        rows = _head(place.shards)
        if metrics[0]["bench"] == bench and {"problem_id", "text", "outcome"} <= set(rows.columns):
            yield str(metrics[0]["model"]), rows.unique("problem_id", keep="first", maintain_order=True)


def _last(folders: Sequence[Folder]) -> Folder | None:
    places = {place.use: place for place in folders if place.shards}
    return next((places[use] for use in _LAST if use in places), None)


def _dropped(place: Folder, folders: Sequence[Folder]) -> dict[str, list[Sample]]:
    """By reason. A ledger has keys only; the rows stand in the parent's shard of the same number."""
    parent = next((other for other in folders if other.id in place.parents and other.shards), None)
    if parent is None or not place.ledgers or "text" not in shards.schema(parent.shards[0]):
        return {}
    ledger = pl.read_parquet(place.ledgers[0])
    few = ledger.group_by("reason", maintain_order=True).head(3)
    rows = _head(parent.shards[:1])
    if few.is_empty() or "trace_id" not in rows.columns:
        return {}
    found = rows.drop("reason", "detail", strict=False).join(
        few.rename({"detail": "why"}), left_on="trace_id", right_on="key", how="inner", maintain_order="right"
    )
    samples = [
        _sample(row, stage=place.id, reason=row["reason"], detail=row["why"] or "")
        for row in found.iter_rows(named=True)
    ]
    reasons = dict.fromkeys(sample.reason for sample in samples)
    return {reason: [sample for sample in samples if sample.reason == reason] for reason in reasons}


def _head(files: Sequence[Path]) -> pl.DataFrame:
    return shards.scan(files[:1]).head(_ROWS).collect()


def _spread(rows: pl.DataFrame, count: int) -> list[dict[str, Any]]:
    step = max(1, rows.height // count)
    return rows.gather_every(step).head(count).to_dicts()


def _sample(row: Mapping[str, Any], *, stage: str, reason: str = "", detail: str = "") -> Sample:
    parts = split(str(row.get("text") or ""))
    columns = ("question", "gold", "outcome", "extracted", "judge_verdict", "prompt", "domain")
    return Sample(
        **{name: str(row.get(name) or "") for name in columns},
        model=masked(str(row.get("model") or "")),  # a page is handed on: no place of this machine is on it
        thought=_cut(parts.reasoning or ""),
        answer=_cut(parts.answer or ""),
        completion_tokens=row.get("completion_tokens"),
        stage=stage,
        reason=reason,
        detail=masked(detail),
    )


def _cut(text: str) -> str:
    left = len(text) - _LONGEST
    return text if left <= 0 else f"{text[:_LONGEST]}\n… {left:,} more characters"
