"""Texts taken apart once: every token with its hash, its class and whether a sentence begins or ends at it.

All that overlap is counted on is made from this table; the texts themselves are not read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from distillery.curate.text.ngrams import Hashes, Offsets, Ragged
from distillery.curate.text.normalize import BREAK, NUMBER, WORD, tokens_and_breaks

Flags = npt.NDArray[np.bool_]
_SEED = 0  # tables are compared within one process only, so polars may hash as it likes
_LETTER = "v"  # one-letter words are variables, and renaming them is no new problem


@dataclass(frozen=True)
class TokenTable:
    """Arrays of one length, a value for each token; row i stands at offsets[i]:offsets[i + 1]."""

    offsets: Offsets
    values: Hashes
    lettered: Hashes  # as `values`, all one-letter words alike
    masked: Hashes  # as `values`, all numbers alike
    is_word: Flags  # else an operator or a bracket; numbers are words
    is_number: Flags
    opens: Flags  # the first token of a sentence or a line
    closes: Flags  # the last one

    @classmethod
    def of(cls, texts: pl.Series) -> TokenTable:
        lists = tokens_and_breaks(texts)
        lengths = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
        flat = lists.list.explode(empty_as_null=False, keep_nulls=False).to_frame("token")
        kinds = _kinds(flat["token"].unique())
        table = flat.join(kinds, on="token", how="left", maintain_order="left")
        breaks, stays = table["break"].to_numpy().astype(bool), ~table["break"].to_numpy().astype(bool)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        turns = rows[1:] != rows[:-1]  # the row ends between a token and the next
        opens = _led(breaks[:-1] | turns)
        closes = _led(breaks[1:][::-1] | turns[::-1])[::-1]
        counts = np.bincount(rows[stays], minlength=len(lengths))
        hashes, lettered, masked, word, number = (
            table[name].to_numpy()[stays] for name in ("hash", "lettered", "masked", "word", "number")
        )
        return cls(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            hashes,
            lettered,
            masked,
            is_word=word.astype(bool),
            is_number=number.astype(bool),
            opens=opens[: len(rows)][stays],
            closes=closes[: len(rows)][stays],
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> Offsets:
        return np.diff(self.offsets)

    @cached_property
    def rows(self) -> Offsets:
        return np.repeat(np.arange(len(self)), self.lengths)

    def count(self, flags: Flags) -> Offsets:
        """How many tokens of each row are flagged."""
        return np.bincount(self.rows[flags], minlength=len(self)).astype(np.int64)

    def only(self, flags: Flags, values: Hashes) -> Ragged:
        """The flagged values as rows."""
        offsets = np.concatenate([[0], np.cumsum(self.count(flags))]).astype(np.int64)
        return Ragged(values[flags], offsets)


def _led(flags: Flags) -> Flags:
    return np.concatenate([[True], flags])


def _kinds(distinct: pl.Series) -> pl.DataFrame:
    token = pl.col("token")
    letter, number = pl.Series([_LETTER, NUMBER]).hash(_SEED)
    frame = distinct.to_frame("token").with_columns(
        token.str.contains(f"^(?:{BREAK})$").alias("break"),
        token.str.contains(f"^(?:{WORD})$").alias("word"),
        token.str.contains(r"^\d").alias("number"),
        token.hash(_SEED).alias("hash"),
    )
    return frame.with_columns(
        pl.when(token.str.contains(r"^\p{Latin}$"))
        .then(pl.lit(letter, pl.UInt64))
        .otherwise("hash")
        .alias("lettered"),
        pl.when("number").then(pl.lit(number, pl.UInt64)).otherwise("hash").alias("masked"),
    )
