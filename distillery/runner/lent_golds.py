"""What a union lends to rows without a gold: gold, checker and payload of another row of the same problem.

A row lacks one where its gold is empty, its payload has nothing to judge by, and nothing has judged it yet.
Where the golds of a problem contradict one another, nothing is lent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from distillery import shards
from distillery.curate.copies.golds import Golds, short
from distillery.curate.publish.hub_rows import verifiable
from distillery.records import PROBLEM, Columns

LENT: Columns = {name: PROBLEM[name] for name in ("gold", "checker", "payload")}
_READS = {"problem_id", "question", *LENT}
_SHAPE_ALONE = ("layout", "language", "harmless")  # their payload says how to look, not what is right
_PLACE = ("shard", "row")
_PROBLEM = ("problem_id", "question")


class Lent(NamedTuple):
    rows: pl.DataFrame
    """Columns shard, row and those of `LENT`; the shard is the file's number."""
    contradicting: pl.DataFrame
    """Rows that got none for that: shard, row, problem_id, and the two golds, one and other."""


_NOTHING = Lent(
    pl.DataFrame(schema={**dict.fromkeys(_PLACE, pl.UInt32()), **LENT}),
    pl.DataFrame(
        schema={
            **dict.fromkeys(_PLACE, pl.UInt32()),
            **dict.fromkeys(("problem_id", "one", "other"), pl.String()),
        }
    ),
)


def lent_golds(files: Sequence[Path]) -> Lent:
    """The gold of a problem is that of the first row, in the order of `files`, that has one."""
    seen = [_looked_at(file, shard) for shard, file in enumerate(files) if set(shards.schema(file)) >= _READS]
    if not any(part["lacks"].any() for part in seen):
        return _NOTHING
    both = pl.col("lacks").any() & pl.col("has").any()
    known = pl.concat(seen).filter(pl.col("lacks") | pl.col("has")).filter(both.over("problem_id"))
    if known.is_empty():
        return _NOTHING
    wanting = pl.concat(_read(files, known.filter("lacks"), ()))
    lenders = pl.concat(
        part.unique([*_PROBLEM, *LENT], keep="first", maintain_order=True)
        for part in _read(files, known.filter("has"), tuple(LENT))
    )
    firsts = lenders.unique(_PROBLEM, keep="first", maintain_order=True).drop(_PLACE)
    odd = _contradicting(lenders)
    rows = wanting.join(odd, on=_PROBLEM, how="anti", maintain_order="left")
    rows = rows.join(firsts, on=_PROBLEM, maintain_order="left").select(*_PLACE, *LENT)
    left = wanting.join(odd, on=_PROBLEM, maintain_order="left")
    return Lent(rows, left.select(*_PLACE, "problem_id", "one", "other"))


def with_lent(table: pl.DataFrame, lent: pl.DataFrame) -> pl.DataFrame:
    """A shard's columns of `LENT`, with those lent to rows of it."""
    return table.with_columns(table[name].scatter(lent["row"], lent[name]) for name in LENT)


def _looked_at(file: Path, shard: int) -> pl.DataFrame:
    """Columns shard, row, problem_id, has and lacks."""
    table = shards.read(file, ["problem_id", "gold"])
    bare = table["gold"].fill_null("").str.strip_chars() == ""
    has, lacks = ~bare, bare
    if bare.any():
        judged = ["outcome"] if "outcome" in shards.schema(file) else []
        more = shards.read(file, [*LENT, *judged]).filter(bare)
        judges = ~pl.col("checker").fill_null("").is_in(_SHAPE_ALONE) & verifiable()
        new = pl.all_horizontal(pl.col(name).is_null() for name in judged) if judged else pl.lit(value=True)
        found = more.select(has=judges, lacks=~judges & new)
        has, lacks = (
            flags.scatter(bare.arg_true(), found[name]) for flags, name in ((has, "has"), (lacks, "lacks"))
        )
    where = {"shard": pl.lit(shard, pl.UInt32), "row": pl.int_range(pl.len(), dtype=pl.UInt32)}
    return table.select(**where, problem_id="problem_id", has=has, lacks=lacks)


def _read(files: Sequence[Path], rows: pl.DataFrame, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """These rows of each file, with a mark of the question in its place."""
    for (shard,), some in rows.partition_by("shard", as_dict=True, maintain_order=True).items():
        found = shards.read(files[shard], ["question", *columns])[some["row"]]
        mark = pl.col("question").str.strip_chars().hash()
        yield some.select(*_PLACE, "problem_id").hstack(found.with_columns(mark))


def _contradicting(lenders: pl.DataFrame) -> pl.DataFrame:
    """Columns problem_id, question, one and other: problems whose golds, or whose tests where these are all
    there is, are not the same."""
    said = short(lenders["gold"], lenders["checker"].fill_null(""))
    tests = pl.when(said == "").then(pl.col("payload").hash())
    distinct = lenders.with_columns(said=said, tests=tests)
    distinct = distinct.unique([*_PROBLEM, "said", "tests"], keep="first", maintain_order=True)
    gold = pl.struct(text="said", checker=pl.col("checker").fill_null(""))
    distinct = distinct.select(*_PROBLEM, "tests", one="said", gold=gold).with_row_index("of")
    firsts = distinct.unique(_PROBLEM, keep="first", maintain_order=True)
    others = distinct.select(*_PROBLEM, place="of", other="one", tests_right="tests", gold_right="gold")
    pairs = firsts.join(others, on=_PROBLEM, maintain_order="left").filter(pl.col("of") != pl.col("place"))
    golds = Golds(pairs.select("of", "place", "gold", "gold_right"))
    unlike = [not golds.alike(place, of) for of, place in pairs.select("of", "place").iter_rows()]
    two_tests = pl.col("tests") != pl.col("tests_right")
    odd = pairs.filter(pl.Series(unlike, dtype=pl.Boolean) | two_tests.fill_null(value=False))
    return odd.unique(_PROBLEM, keep="first", maintain_order=True).select(*_PROBLEM, "one", "other")
