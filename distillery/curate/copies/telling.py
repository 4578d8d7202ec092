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
    Ragged,
    flattened,
    hashed,
    sizes_and_first_bytes,
    token_hashes,
)
from distillery.curate.text.normalize import BREAKS, SYMBOLS, tokens_and_breaks
from distillery.installed.word_lists import word_lists

Flags = npt.NDArray[np.bool_]

COLUMNS = ("whole", "bag", "telling")
_WORDS: dict[str, Any] = word_lists(__file__)
_ASKED = "?"
_SIGNS = [*"-*/^!%", *(sign for sign in SYMBOLS if sign not in "|")]
_NEGATIONS = [word.replace("'", "") for word in _WORDS["negations"]]
_POLES = [words for axis in _WORDS["opposites"] for words in axis]
_SLOTS = 1 << 20
_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)
_WIDE = 0xC3  # begins a letter that is not ASCII; of two bytes it is a name, as π
_BREAK, _QUESTION, _PASSED_OVER, _ASKING, _TELLING, _SIGN = (1 << bit for bit in range(6))


class Told(NamedTuple):
    """Of each text its tokens, and columns `whole` (all tokens), `bag` (whatever their order), `telling`."""

    tokens: Ragged
    columns: pl.DataFrame


class _Vocabulary(NamedTuple):
    """What is known of some tokens: at the slot of a token's hash stand the hash and what it is."""

    hashes: Hashes
    kinds: npt.NDArray[np.uint8]
    numbers: Hashes  # the hash of the digits, for a number in words

    def slots(self, values: Hashes) -> tuple[Indices, Flags]:
        at = _slots(values)
        return at, self.hashes[at] == values


def _slots(values: Hashes) -> Indices:
    return (values >> np.uint64(44)).astype(np.int64)


@cache
def _vocabulary() -> _Vocabulary:
    kinds: dict[str, int] = {}
    for words, kind in (
        (BREAKS, _BREAK),
        (_ASKED, _QUESTION),
        (_WORDS["passed_over"], _PASSED_OVER),
        (_WORDS["asking"], _ASKING),
        ([*_NEGATIONS, *_WORDS["numbers"], *SYMBOLS, *chain.from_iterable(_POLES)], _TELLING),
        (_SIGNS, _SIGN),
    ):
        for word in words:
            kinds[word] = kinds.get(word, 0) | kind
    known = hashed(pl.Series([*kinds]))
    table = _Vocabulary(np.zeros(_SLOTS, np.uint64), np.zeros(_SLOTS, np.uint8), np.zeros(_SLOTS, np.uint64))
    at = _slots(known)
    assert len(set(at.tolist())) == len(at), "two known words share a slot: take other bits of the hash"
    table.hashes[at], table.kinds[at] = known, list(kinds.values())
    words, values = _WORDS["numbers"].keys(), _WORDS["numbers"].values()
    table.numbers[_slots(hashed(pl.Series(words)))] = hashed(pl.Series([str(value) for value in values]))
    return table


def told(texts: pl.Series) -> Told:
    flat, offsets = flattened(tokens_and_breaks(texts))
    every, known = Ragged(hashed(flat), offsets), _vocabulary()
    at, there = known.slots(every.values)
    kinds = np.where(there, known.kinds[at], 0)
    stays = kinds & _BREAK == 0
    strict = _strict(flat, kinds) | (_in_question(every, kinds) & (kinds & _PASSED_OVER == 0))
    numbers = known.numbers[at]
    values = np.where(there & (numbers != 0), numbers, every.values)
    tokens, telling = _only(every, every.values, stays), _only(every, values, stays & strict)
    columns = (_folded(tokens, ordered=True), _folded(tokens, ordered=False), _folded(telling, ordered=True))
    return Told(tokens, pl.DataFrame(dict(zip(COLUMNS, columns, strict=True))))


def _strict(flat: pl.Series, kinds: npt.NDArray[np.uint8]) -> Flags:
    """Tokens that tell wherever they stand: the listed ones, and all but words of two letters or more."""
    sizes, first = sizes_and_first_bytes(flat)
    word = ((first >= ord("a")) & (first <= ord("z")) & (sizes > 1)) | ((first >= _WIDE) & (sizes > 2))
    return (~word & (kinds & _PASSED_OVER == 0)) | (kinds & _TELLING != 0)


def _in_question(every: Ragged, kinds: npt.NDArray[np.uint8]) -> Flags:
    """Tokens of sentences that ask; where a text has none, of its last one."""
    starts = np.zeros(len(every.values) + 1, np.bool_)
    starts[every.offsets] = True
    starts[1:] |= kinds & _BREAK != 0
    sentence = np.cumsum(starts[:-1])
    asking = np.zeros(int(sentence[-1]) + 1 if len(sentence) else 1, np.bool_)
    asks = kinds & (_ASKING | _QUESTION) != 0
    asking[sentence[asks]] = True
    rows = every.rows
    silent = np.ones(len(every.lengths), np.bool_)
    silent[rows[asks]] = False
    last = np.full(len(silent), -1)
    said = kinds & _BREAK == 0
    np.maximum.at(last, rows[said], sentence[said])
    asking[last[silent & (last >= 0)]] = True
    return asking[sentence]


def _only(every: Ragged, values: Hashes, chosen: Flags) -> Ragged:
    ends = np.concatenate([[0], np.cumsum(chosen)])
    return Ragged(values[chosen], ends[every.offsets])


def _folded(rows: Ragged, *, ordered: bool) -> Hashes:
    """The values of each row, which are hashes, as one number."""
    values = rows.values
    if ordered:
        place = np.arange(len(values)) - np.repeat(rows.offsets[:-1], rows.lengths)
        values = values * (place.astype(np.uint64) * _ODD | np.uint64(1))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values)])
    return sums[rows.offsets[1:]] - sums[rows.offsets[:-1]]


def other_wording(pairs: pl.DataFrame) -> pl.Series:
    """Of pairs with the columns of both texts, as `bag` and `bag_right`: do they ask different things? The
    same words in another order do: who has more than whom."""
    unequal = {name: pl.col(name) != pl.col(f"{name}_right") for name in COLUMNS}
    return pairs.select(unequal["whole"] & (unequal["telling"] | ~unequal["bag"])).to_series()


def numbers_and_signs(texts: pl.Series) -> Hashes:
    """One number a text for the numbers and signs in it, whatever their order; 5 and five are one."""
    flat, offsets = flattened(tokens_and_breaks(texts))
    every, known = Ragged(hashed(flat), offsets), _vocabulary()
    at, there = known.slots(every.values)
    _, first = sizes_and_first_bytes(flat)
    worded = there & (known.numbers[at] != 0)
    signs = there & (known.kinds[at] & _SIGN != 0)
    values = np.where(worded, known.numbers[at], every.values)
    counted = worded | signs | ((first >= ord("0")) & (first <= ord("9")))
    return _folded(_only(every, values, counted), ordered=False)


def poles(texts: pl.Series) -> pl.DataFrame:
    """Columns of 64 bits: is it negated, and which poles of which opposites are named."""
    every = token_hashes(tokens_and_breaks(texts))
    out = {name: np.zeros(len(texts), np.uint64) for name in _axes()}
    for name, axes in _axes().items():
        for axis in axes:
            for words, bit in axis:
                named = np.isin(every.values, hashed(pl.Series(words)))
                out[name][every.rows[named]] |= np.uint64(1 << bit)
    return pl.DataFrame(out)


def opposed(pairs: pl.DataFrame) -> pl.Series:
    """Of pairs with the columns of `poles` of both texts: is one negated and the other not, or do both name
    poles of one axis, and not the same?"""
    apart = pl.lit(value=False)
    for name, axes in _axes().items():
        for axis in axes:
            mask = pl.lit(sum(1 << bit for _, bit in axis), pl.UInt64)
            one, other = pl.col(name) & mask, pl.col(f"{name}_right") & mask
            apart |= (one != other) & ((len(axis) == 1) | ((one != 0) & (other != 0)))
    return pairs.select(apart).to_series()


@cache
def _axes() -> dict[str, list[list[tuple[list[str], int]]]]:
    """The axes of each column, no axis in two, with the bit of each pole; negation is an axis of one pole."""
    out: dict[str, list[list[tuple[list[str], int]]]] = {}
    free = 0
    for axis in [[_NEGATIONS], *_WORDS["opposites"]]:
        if not out or free + len(axis) > 64:
            out[f"poles{len(out)}"], free = [], 0
        out[f"poles{len(out) - 1}"].append([(words, free + at) for at, words in enumerate(axis)])
        free += len(axis)
    return out
