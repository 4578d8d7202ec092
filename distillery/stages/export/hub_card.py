"""The facts of a data card, from a survey and the line's history; and the front matter that the hub reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl
import yaml

from distillery.curate.publish.card import (
    CardFacts,
    FunnelRow,
    Judged,
    JudgeScore,
    Lengths,
    SourceRow,
    Teacher,
)
from distillery.curate.publish.hub_rows import SCHEMAS
from distillery.curate.publish.masked import masked
from distillery.installed.version import VERSION
from distillery.stages.base import ExportJob
from distillery.stages.export.hub_files import features, row_count
from distillery.stages.export.hub_survey import Survey, ledgers

_TEACHERS = 12  # rows of the card's table at most
_BINS = 12
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "n>100M")


def gather(
    job: ExportJob,
    seen: Survey,
    *,
    folder: Path,
    configs: Sequence[str],
    name: str,
    repo: str,
    licences: Mapping[str, str],
) -> CardFacts:
    veil = partial(_veiled, private=job.private)
    return CardFacts(
        name=name,
        repo=repo,
        configs={config: row_count(_files(folder, config)) for config in configs},
        funnel=funnel(job),
        lengths=_lengths(seen.lengths),
        histogram=histogram(seen.lengths["length"]),
        unit=seen.unit,
        teachers=[Teacher(*row) for row in seen.teachers.head(_TEACHERS).iter_rows()],
        judged=[Judged(*row) for row in seen.judged.iter_rows()],
        sources=[SourceRow(name, rows, licences.get(name, "")) for name, rows in seen.sources.iter_rows()],
        pipeline=job.pipeline,
        made_with=f"distillery {VERSION}",
        judge_scores=[
            JudgeScore(veil(str(row["model"])), str(row["metric"]), float(row["value"]), int(row["samples"]))
            for note in job.history
            if note.use == "score.judge"
            for row in note.metrics
            if isinstance(row["value"], int | float)
        ],
    )


def funnel(job: ExportJob) -> list[FunnelRow]:
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for stage, frame in ledgers(job.ledger, job.history):
        reasons[stage].update(dict(frame["reason"].value_counts().iter_rows()))
    veil = partial(_veiled, private=job.private)
    rows = ((note, (note.rows_in, note.rows_out, note.rows_dropped)) for note in job.history)
    return [
        FunnelRow(
            note.id,
            note.use,
            *counts,
            reasons[note.id],
            veil(dict(note.facts)),
            veil(dict(note.counts)),
            veil(list(note.remarks)),
        )
        for note, counts in rows
    ]


def _veiled(value: Any, private: Sequence[str]) -> Any:
    """Without this machine's places, which the names of benchmark files can hold."""
    if isinstance(value, dict):
        return {_veiled(name, private): _veiled(item, private) for name, item in value.items()}
    if isinstance(value, list):
        return [_veiled(item, private) for item in value]
    return masked(value, private) if isinstance(value, str) else value


def _lengths(lengths: pl.DataFrame) -> list[Lengths]:
    length = pl.col("length")
    parts = {f"p{part}": length.quantile(part / 100, "nearest").cast(pl.Int64) for part in (50, 90, 99)}
    measures = {"rows": pl.len(), "mean": length.mean(), **parts, "longest": length.max()}
    by_domain = lengths.group_by("domain").agg(**measures)
    return [Lengths(*row) for row in by_domain.sort("rows", "domain", descending=[True, False]).iter_rows()]


def histogram(lengths: pl.Series) -> list[tuple[int, int, int]]:
    """At most `_BINS` bins of one round width, from zero to the longest."""
    if lengths.is_empty():
        return []
    longest = cast("int", lengths.max())
    width = _round_up(longest // _BINS + 1)
    counts = dict((lengths // width).value_counts().iter_rows())
    return [(bin_ * width, (bin_ + 1) * width, counts.get(bin_, 0)) for bin_ in range(longest // width + 1)]


def _round_up(width: int) -> int:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** (len(str(width)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width)


def front_matter(
    facts: CardFacts, *, folder: Path, licence: str, languages: Sequence[str], tags: Sequence[str]
) -> str:
    from huggingface_hub import DatasetCardData

    card = DatasetCardData(
        license=_line(licence),
        language=[*map(_line, languages)],
        task_categories=["text-generation"],
        tags=[*map(_line, tags)],
        pretty_name=_line(facts.name),
        size_categories=[_size(max(facts.configs.values()))],
    )
    _dataset_infos(facts, folder).to_dataset_card_data(card)
    first: dict[str, Any] = {"default": True}
    configs: list[dict[str, Any]] = []
    for config in facts.configs:
        files = [{"split": "train", "path": f"data/{config}/train-*"}]
        configs.append({"config_name": config, **({} if configs else first), "data_files": files})
    head = card.to_dict() | {"configs": configs}
    return f"---\n{yaml.dump(head, Dumper=_Head, sort_keys=False, allow_unicode=True, width=10_000)}---\n"


class _Head(yaml.SafeDumper):
    """Quotes what holds the mark that ends the front matter: some readers look for it in every line's end."""

    def represent_str(self, data: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if "---" in data else None)


_Head.add_representer(str, _Head.represent_str)


def _line(text: str) -> str:
    return " ".join(text.split())


def _dataset_infos(facts: CardFacts, folder: Path) -> Any:
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from datasets.splits import SplitDict, SplitInfo

    infos = DatasetInfosDict()
    for config, rows in facts.configs.items():
        size = sum(file.stat().st_size for file in _files(folder, config))
        splits = SplitDict({"train": SplitInfo("train", num_bytes=size, num_examples=rows)})
        infos[config] = DatasetInfo(
            features=features(SCHEMAS[config]), splits=splits, download_size=size, dataset_size=size
        )
    return infos


def _files(folder: Path, config: str) -> list[Path]:
    return sorted((folder / config).glob("*.parquet"))


def _size(rows: int) -> str:
    return _SIZES[max(0, min(len(str(rows)), 9) - 3)]
