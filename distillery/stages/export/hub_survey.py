"""What a published set is made of, counted in one pass over its columns that are small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from distillery import shards
from distillery.curate.publish.hub_rows import take, texts, verifiable
from distillery.curate.publish.masked import told
from distillery.records import LEDGER, Columns, empty
from distillery.stages.export.hub_files import without_private
from distillery.stages.note import Note
from distillery.verify.language import wanted_language

_IDS = texts("problem_id", "trace_id", "gold", "payload")
_TOLD_BY = 500  # rows, that tell the languages of all
_DETAIL = 200  # characters kept of a ledger's detail


@dataclass(frozen=True, slots=True)
class Survey:
    ids: pl.DataFrame  # a row each: problem_id, trace_id, verifiable, first (the first row of its problem)
    lengths: pl.DataFrame  # domain, length
    unit: str  # of length: "tokens" | "characters"
    teachers: pl.DataFrame  # model, prompt, sampling, rows; most first
    sources: pl.DataFrame  # source, rows; most first
    judged: pl.DataFrame  # outcome, judge_verdict, rows; of all samples that are known
    languages: list[str]  # codes, most rows first


def survey(tables: Sequence[Path], *, raw: Sequence[Path] | None, private: Sequence[str] = ()) -> Survey:
    ids = pl.concat(
        _columns(file, _IDS).with_columns(verifiable=verifiable()).drop("gold", "payload") for file in tables
    )
    counted = any(_columns(file, {"num_tokens": pl.Int32()})["num_tokens"].count() for file in tables)
    length = pl.col("num_tokens") if counted else pl.col("text").str.len_chars()
    measured: Columns = {**texts("domain"), **({"num_tokens": pl.Int32()} if counted else texts("text"))}
    lengths = (_columns(file, measured).select("domain", length=length.cast(pl.Int64)) for file in tables)
    return Survey(
        ids.with_columns(first=pl.col("problem_id").is_first_distinct()),
        pl.concat(lengths).drop_nulls("length").with_columns(pl.col("domain").fill_null("")),
        "tokens" if counted else "characters",
        _count(tables, "model", "prompt", "sampling", private=private),
        _count(tables, "source", private=private),
        _count(raw or tables, "outcome", "judge_verdict"),
        _languages(tables),
    )


def _languages(tables: Sequence[Path]) -> list[str]:
    """By rows spread over all of the tables; what fewer than one in a hundred has is a slip or a guess."""
    every = max(1, sum(map(shards.rows, tables)) // _TOLD_BY)
    names = texts("language", "question", "text")
    looked = pl.concat(_columns(file, names).gather_every(every) for file in tables)
    told = Counter(wanted_language(*row) for row in looked.fill_null("").iter_rows())
    return [code for code, rows in told.most_common() if code and rows * 100 >= looked.height]


def _columns(file: Path, columns: Columns) -> pl.DataFrame:
    """`columns` of one file and no other, with their types; one that it lacks is null."""
    there = shards.schema(file)
    if not any(name in there for name in columns):  # literals alone are one row
        return pl.DataFrame(schema=dict(columns)).clear(shards.rows(file))
    return take(shards.read(file, [name for name in columns if name in there]), columns)


def _count(files: Sequence[Path], *names: str, private: Sequence[str] = ()) -> pl.DataFrame:
    tables = (without_private(_columns(file, texts(*names)), private).fill_null("") for file in files)
    counts = (table.group_by(names).agg(rows=pl.len().cast(pl.Int64)) for table in tables)
    whole = pl.concat(counts).group_by(names).agg(pl.col("rows").sum())
    return whole.sort("rows", *names, descending=[True, *[False] * len(names)])


def ledgers(files: Sequence[Path], history: Sequence[Note]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each ledger with the id of its stage. A ledger lies in its stage's folder, <use>-<fingerprint>."""
    ids = {note.fingerprint: note.id for note in history}
    for file in files:
        use, _, fingerprint = file.parent.name.rpartition("-")
        yield ids.get(fingerprint, use), shards.read(file)


def fates(files: Sequence[Path], history: Sequence[Note], private: Sequence[str] = ()) -> pl.DataFrame:
    """Why each key left, in the first stage that dropped it: key, stage, reason, detail.

    That it left a union says least: another row of that key went on from there. A detail is masked before it
    is cut: half a path is still one.
    """
    files = sorted(files, key=lambda file: file.parent.name.startswith("mix.union-"))
    frames = [
        frame.select(
            "key",
            pl.lit(stage).alias("stage"),
            "reason",
            told(frame["detail"], private).str.slice(0, _DETAIL),
        )
        for stage, frame in ledgers(files, history)
    ]
    none = empty(LEDGER).select("key", pl.lit("").alias("stage"), "reason", "detail")
    return pl.concat([none, *frames]).unique("key", keep="first", maintain_order=True)
