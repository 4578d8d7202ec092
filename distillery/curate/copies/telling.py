"""What must be equal in two texts, however alike, if they are to ask the same thing.

Numbers, signs, names of one letter, opposites ("least", "greatest") and every word of a sentence that asks
are telling, in their order; other words may differ.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from distillery.curate.copies.minhash import Indices
from distillery.curate.text.ngrams import (
    Hashes,
    Offsets,
    Ragged,
    flattened,
    hashed,
    ngrams,
    token_hashes,
)
from distillery.curate.text.normalize import BREAKS, tokens_and_breaks
from distillery.installed.word_lists import word_lists

Flags = npt.NDArray[np.bool_]

COLUMNS = ("whole", "bag", "telling")
_WORDS: dict[str, Any] = word_lists(__file__)
_NEGATIONS = [word.replace("'", "") for word in _WORDS["negations"]]
_POLES = [words for axis in _WORDS["opposites"] for words in axis]
_SLOT_BITS = 18
_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)
_BREAK, _LINE, _PASSED_OVER, _ASKING, _LISTED, _NUMBER, _SIGN = (1 << bit for bit in range(7))
_SYMBOLS = (
    0xC2,
    0xE2,
)  # first bytes, which no letter has in normal form; from there on all others are of letters
_PAIRS = 2  # bytes of π: a name, as all of one letter


class Told(NamedTuple):
    """Of each text its n-grams, and columns `whole` (its tokens in order), `bag` (in any), `telling`."""

    runs: Ragged
    columns: pl.DataFrame


class _Vocabulary(NamedTuple):
    """What is known of some tokens: at the slot of a token's hash stand the hash and what it is."""

    shift: np.uint64
    hashes: Hashes
    kinds: npt.NDArray[np.uint8]
    numbers: Hashes  # the hash of the digits, for a number in words

    def kinds_of(self, values: Hashes) -> npt.NDArray[np.uint8]:
        at = self.slots(values)
        return self.kinds[at] * (self.hashes[at] == values)

    def slots(self, values: Hashes) -> Indices:
        return (values >> self.shift).astype(np.int64) & ((1 << _SLOT_BITS) - 1)


@cache
def _vocabulary() -> _Vocabulary:
    kinds: dict[str, int] = {}
    for words, kind in (
        (BREAKS.replace("\n", ""), _BREAK),
        ("\n", _LINE),  # lines are wrapped here and there
        (["?", *_WORDS["asking"]], _ASKING),
        (_WORDS["passed_over"], _PASSED_OVER),
        ([*_NEGATIONS, *_WORDS["numbers"], *chain.from_iterable(_POLES)], _LISTED),
        (_WORDS["numbers"], _NUMBER),
        ("-*/^!%+<=>", _SIGN),
    ):
        for word in words:
            kinds[word] = kinds.get(word, 0) | kind
    known = hashed(pl.Series([*kinds])).hashes
    size = 1 << _SLOT_BITS
    empty = np.zeros(size, np.uint64), np.zeros(size, np.uint8), np.zeros(size, np.uint64)
    tables = (_Vocabulary(np.uint64(shift), *empty) for shift in range(64 - _SLOT_BITS))
    table = next(one for one in tables if len(np.unique(one.slots(known))) == len(known))
    at = table.slots(known)
    table.hashes[at], table.kinds[at] = known, list(kinds.values())
    words, values = _WORDS["numbers"].keys(), _WORDS["numbers"].values()
    table.numbers[table.slots(hashed(pl.Series(words)).hashes)] = hashed(pl.Series(map(str, values))).hashes
    return table


class _Read(NamedTuple):
    """All tokens of some texts, numbers in words as digits, and what they are."""

    every: Ragged
    kinds: npt.NDArray[np.uint8]
    digits: Hashes
    sizes: Offsets
    first: npt.NDArray[np.uint8]


def _read(texts: pl.Series) -> _Read:
    flat, offsets = flattened(tokens_and_breaks(texts))
    words, known = hashed(flat), _vocabulary()
    kinds, digits = known.kinds_of(words.hashes), words.hashes.copy()
    worded = np.flatnonzero(kinds & _NUMBER)
    digits[worded] = known.numbers[known.slots(digits[worded])]
    return _Read(Ragged(words.hashes, offsets), kinds, digits, words.sizes, words.first)


def told(texts: pl.Series, *, n: int) -> Told:
    read = _read(texts)
    stays = read.kinds & (_BREAK | _LINE) == 0
    tells = _always(read) | (_in_question(read) & (read.kinds & _PASSED_OVER == 0))
    tokens, telling = (
        _only(read.every, read.every.values, stays),
        _only(read.every, read.digits, stays & tells),
    )
    sums = (_sums(rows) for rows in (_in_order(tokens), tokens, _in_order(telling)))
    return Told(ngrams(tokens, n=n), pl.DataFrame(dict(zip(COLUMNS, sums, strict=True))))


def _always(read: _Read) -> Flags:
    """Tokens that tell wherever they stand: the listed ones, and all but words of two letters or more."""
    first, sizes = read.first, read.sizes
    word = (first >= ord("a")) & (first <= ord("z")) & (sizes > 1)
    word |= (first > _SYMBOLS[0]) & (first != _SYMBOLS[1]) & (sizes > _PAIRS)
    return (~word & (read.kinds & _PASSED_OVER == 0)) | (read.kinds & _LISTED != 0)


def _in_question(read: _Read) -> Flags:
    """Tokens of sentences that ask; where a text has none, of its last one."""
    offsets, breaks = read.every.offsets, read.kinds & _BREAK != 0
    starts = np.zeros(len(breaks) + 1, np.bool_)
    starts[offsets] = True
    starts[1:] |= breaks
    bounds = np.flatnonzero(starts)
    asks = np.flatnonzero(read.kinds & _ASKING)
    silent = np.ones(len(offsets) - 1, np.bool_)
    silent[np.searchsorted(offsets, asks, side="right") - 1] = False
    begins, last = offsets[:-1][silent], offsets[1:][silent] - 1
    said = read.kinds & (_BREAK | _LINE) == 0
    while len(said) and len(behind := np.flatnonzero((last >= begins) & ~said[last])):
        last[behind] -= 1
    asking = np.unique(np.searchsorted(bounds, np.append(asks, last[last >= begins]), side="right"))
    change = np.zeros(len(breaks) + 1, np.int8)
    change[bounds[asking - 1]] += 1
    change[bounds[asking]] -= 1
    return np.cumsum(change[:-1], dtype=np.int8) > 0


def _only(every: Ragged, values: Hashes, chosen: Flags) -> Ragged:
    ends = np.concatenate([[0], np.cumsum(chosen)])
    return Ragged(values[chosen], ends[every.offsets])


def _in_order(rows: Ragged) -> Ragged:
    place = np.arange(len(rows.values)) - np.repeat(rows.offsets[:-1], rows.lengths)
    return rows._replace(values=rows.values * (place.astype(np.uint64) * _ODD | np.uint64(1)))


def _sums(rows: Ragged) -> Hashes:
    """Of the values of each row, which are hashes."""
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(rows.values)])
    return sums[rows.offsets[1:]] - sums[rows.offsets[:-1]]


def other_wording(pairs: pl.DataFrame) -> pl.Series:
    """Of pairs with the columns of both texts, as `bag` and `bag_right`: do they ask different things? The
    same words in another order do: who has more than whom."""
    unequal = {name: pl.col(name) != pl.col(f"{name}_right") for name in COLUMNS}
    return pairs.select(unequal["whole"] & (unequal["telling"] | ~unequal["bag"])).to_series()


def numbers_and_signs(texts: pl.Series) -> Hashes:
    """One number a text for the numbers and signs in it, whatever their order; 5 and five are one."""
    read = _read(texts)
    digit = (read.first >= ord("0")) & (read.first <= ord("9"))
    symbol = np.isin(read.first, _SYMBOLS)
    return _sums(_only(read.every, read.digits, digit | symbol | (read.kinds & (_NUMBER | _SIGN) != 0)))


def poles(texts: pl.Series) -> pl.DataFrame:
    """Columns `negations`, their number, and of 64 bits, which poles of which opposites are named."""
    every = token_hashes(tokens_and_breaks(texts))
    out = {name: np.zeros(len(texts), np.uint64) for name in ("negations", *_axes())}
    negated = np.isin(every.values, hashed(pl.Series(_NEGATIONS)).hashes)
    out["negations"] += np.bincount(every.rows[negated], minlength=len(texts)).astype(np.uint64)
    for name, axes in _axes().items():
        for axis in axes:
            for words, bit in axis:
                named = np.isin(every.values, hashed(pl.Series(words)).hashes)
                out[name][every.rows[named]] |= np.uint64(1 << bit)
    return pl.DataFrame(out)


def opposed(pairs: pl.DataFrame) -> pl.Series:
    """Of pairs with the columns of `poles` of both texts: is one negated more often, or do both name poles of
    one axis, and not the same?"""
    apart = pl.col("negations") != pl.col("negations_right")
    for name, axes in _axes().items():
        for axis in axes:
            mask = pl.lit(sum(1 << bit for _, bit in axis), pl.UInt64)
            one, other = pl.col(name) & mask, pl.col(f"{name}_right") & mask
            apart |= (one != other) & (one != 0) & (other != 0)
    return pairs.select(apart).to_series()


@cache
def _axes() -> dict[str, list[list[tuple[list[str], int]]]]:
    """The axes of each column, no axis in two, with the bit of each pole."""
    out: dict[str, list[list[tuple[list[str], int]]]] = {}
    free = 0
    for axis in _WORDS["opposites"]:
        if not out or free + len(axis) > 64:
            out[f"poles{len(out)}"], free = [], 0
        out[f"poles{len(out) - 1}"].append([(words, free + at) for at, words in enumerate(axis)])
        free += len(axis)
    return out
