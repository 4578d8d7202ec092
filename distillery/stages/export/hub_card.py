"""The facts of a data card, from a survey and the line's history; and the front matter that the hub reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
from distillery.stages.base import ExportJob
from distillery.stages.export.hub_files import features, row_count
from distillery.stages.export.hub_survey import Survey, ledgers
from distillery.version import VERSION

_TEACHERS = 12  # rows of the card's table at most
_BINS = 12
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)


def gather(
    job: ExportJob,
    seen: Survey,
    *,
    folder: Path,
    configs: Sequence[str],
    name: str,
    repo: str,
    source_licenses: Mapping[str, str],
) -> CardFacts:
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
        sources=[
            SourceRow(source, rows, source_licenses.get(source, ""))
            for source, rows in seen.sources.iter_rows()
        ],
        pipeline=job.pipeline,
        made_with=f"distillery {VERSION}",
        judge_scores=[
            JudgeScore(str(row["model"]), str(row["metric"]), float(row["value"]), int(row["samples"]))
            for note in job.history
            if note.use == "score.judge"
            for row in note.metrics
            if isinstance(row["value"], int | float)
        ],
    )


def funnel(job: ExportJob) -> list[FunnelRow]:
    counts: dict[str, Counter[str]] = {}
    for stage, frame in ledgers(job.ledger, job.history):
        found = frame["reason"].value_counts().iter_rows()
        counts.setdefault(stage, Counter()).update(dict(found))
    return [
        FunnelRow(
            note.id,
            note.use,
            note.rows_in,
            note.rows_out,
            note.rows_dropped,
            counts.get(note.id, Counter()),
            note.facts,
            note.counts,
        )
        for note in job.history
    ]


def _lengths(lengths: pl.DataFrame) -> list[Lengths]:
    length = pl.col("length")
    by_domain = lengths.group_by("domain").agg(
        rows=pl.len(),
        mean=length.mean(),
        p50=length.quantile(0.5, "nearest").cast(pl.Int64),
        p90=length.quantile(0.9, "nearest").cast(pl.Int64),
        p99=length.quantile(0.99, "nearest").cast(pl.Int64),
        longest=length.max(),
    )
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

    largest = max(facts.configs.values())
    card = DatasetCardData(
        license=licence,
        language=list(languages),
        task_categories=["text-generation"],
        tags=list(tags),
        pretty_name=facts.name,
        size_categories=[next((name for limit, name in _SIZES if largest < limit), "n>100M")],
    )
    _dataset_infos(facts, folder).to_dataset_card_data(card)
    head = card.to_dict() | {
        "configs": [
            {
                "config_name": config,
                **({"default": True} if config == next(iter(facts.configs)) else {}),
                "data_files": [{"split": "train", "path": f"data/{config}/train-*"}],
            }
            for config in facts.configs
        ]
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n"


def _dataset_infos(facts: CardFacts, folder: Path) -> Any:
    from datasets import DatasetInfo
    from datasets.info import DatasetInfosDict
    from datasets.splits import SplitDict, SplitInfo

    infos = DatasetInfosDict()
    for config, rows in facts.configs.items():
        size = sum(file.stat().st_size for file in _files(folder, config))
        split = SplitInfo("train", num_bytes=size, num_examples=rows)
        infos[config] = DatasetInfo(
            features=features(SCHEMAS[config]),
            splits=SplitDict({"train": split}),
            download_size=size,
            dataset_size=size,
        )
    return infos


def _files(folder: Path, config: str) -> list[Path]:
    return sorted((folder / config).glob("*.parquet"))
