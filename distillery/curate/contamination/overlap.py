"""Which benchmark question a text repeats: the same, with other numbers, in long runs of words, or reworded.

What matched and how much is the evidence; a paraphrase that shares few words is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from distillery.curate.contamination.gram_index import Pairs, Postings, common, distinct, take, totals
from distillery.curate.contamination.token_table import Flags, TokenTable
from distillery.curate.text.ngrams import Hashes, Offsets, Ragged, ngrams

_NEAR_WORDS = 3
_COMMON = 50  # an n-gram of more questions than this points at none of them
_SHORT_GRAMS, _SHORT_NEAR = 10, 0.75  # "what is the meaning of X" shares half its runs with every other X
_PART_GRAMS = 5  # so many runs make a text long enough to be recognised as a part of a question
_INSIDE_WORDS = 4  # fewer say nothing that a clean prompt might not say too
_OPENING = 3  # questions; "Which of the following is true?" opens more and asks nothing by itself
_FRAME = 40  # tokens around a short question: "Solve the following problem step by step. Question: ..."
_SENTENCES = 4  # at most, of a short question
_CANDIDATE = 0.2  # of the short runs of the shorter text; fewer shared ones are not looked at again
_CONTAINED = 0.75  # of the short runs of a question, in a text that is longer than the question
_SAME_NUMBERS, _SAME_WORDS = 3, 0.6  # so many equal numbers, and this share of all words: names were changed
_TELLING_WORDS = 0.75  # where the numbers are equal, of all words by their rarity: common words were changed
_TOLD_WORDS = 5  # fewer leave the problem to its formula, and in that the order counts
_MASKED_TOKENS = 10  # besides numbers, where a formula says what the words do not
_TEXTS = 5_000  # looked up at a time: it bounds the memory
_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)
_INVERSE = np.uint64(pow(int(_ODD), -1, 2**64))

Scores = npt.NDArray[np.float64]


class Match(StrEnum):
    """From the surest to the weakest."""

    EXACT = "exact"
    """Equal but for case, width, spacing, punctuation and LaTeX spelling."""
    INSIDE = "inside"
    """A question too short for runs of words stands whole in a prompt not much longer."""
    NUMBERS_CHANGED = "numbers_changed"
    """Equal but for its numbers."""
    NGRAM = "ngram"
    """Long runs of words of one stand in the other."""
    NEAR = "near"
    """Most short runs of words and operators are shared, or all numbers and most words."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    words: int = 10  # in a long run
    min_coverage: float = 0.5  # of the runs of the question, or of the text where it is the shorter
    min_near: float | None = 0.5  # Jaccard similarity of 3-word runs; None = not looked for
    min_masked_words: int = 8  # besides numbers, for a match of all but the numbers


@dataclass(frozen=True)
class Index:
    """Forms and n-grams of the questions; `question` counts the texts that `index` was given."""

    forms: pl.DataFrame  # question, exact, masked, numbers
    inside: pl.DataFrame  # question, exact, tokens: of the short ones that are no common opening
    runs: Postings
    near: Postings
    words: Postings
    limits: Limits


def index(questions: Sequence[str], limits: Limits) -> Index:
    table = TokenTable.of(pl.Series("text", questions, dtype=pl.String))
    forms = _forms(table, limits).rename({"row": "question"})
    short = (pl.col("words") < limits.words) & (pl.col("words") >= _INSIDE_WORDS)
    own = pl.len().over("exact") <= _OPENING
    inside = forms.filter(own & short).select("question", "exact", "tokens")
    runs, near = Postings.of(_runs(table, limits)), Postings.of(_near_runs(table))
    return Index(forms, inside, runs, near, Postings.of(_words(table)), limits)


def matches(texts: pl.Series, known: Index) -> pl.DataFrame:
    """The best match of each text that has one: columns row, question, kind, score; sorted by row."""
    parts = [
        _matches(texts.slice(start, _TEXTS), known).with_columns(pl.col("row") + start)
        for start in range(0, max(len(texts), 1), _TEXTS)
    ]
    return pl.concat(parts)


def _matches(texts: pl.Series, known: Index) -> pl.DataFrame:
    table = TokenTable.of(texts)
    forms = _forms(table, known.limits)
    found = [_exact(forms, known), _inside(table, known), _numbers(forms, known), _long_runs(table, known)]
    if known.limits.min_near is not None:
        found.append(_near(table, forms, known, known.limits.min_near))
    kinds = pl.Enum([kind.value for kind in Match])
    every = pl.concat(found).with_columns(pl.col("kind").cast(kinds))
    best = every.sort("row", "kind", -pl.col("score"), "question").unique("row", keep="first")
    return best.with_columns(pl.col("kind").cast(pl.String)).sort("row")


def _forms(table: TokenTable, limits: Limits) -> pl.DataFrame:
    """A number for each form of a text: as it is, numbers hidden (null: too little is left), its numbers."""
    numbers, words = table.count(table.is_number), table.count(table.is_word)
    said = words - numbers >= limits.min_masked_words
    masked_words = _folded(table.only(table.is_word, table.masked))
    masked_all = _folded(Ragged(table.masked, table.offsets)) ^ _ODD
    formula = table.lengths - numbers >= _MASKED_TOKENS
    columns = {
        "exact": _folded(Ragged(table.values, table.offsets)),
        "masked": np.where(said, masked_words, masked_all),
        "numbers": _folded(table.only(table.is_number, table.values)),
        "words": words,
        "tokens": table.lengths,
    }
    frame = pl.DataFrame(columns).with_columns(
        pl.when(pl.Series(said | formula)).then("masked").alias("masked"), pl.Series("numbered", numbers)
    )
    return frame.with_row_index("row").cast({"row": pl.Int64})


def _folded(rows: Ragged) -> Hashes:
    """The values of a row, in their order, as one number."""
    sums = _sums(rows.values)
    return (sums[rows.offsets[1:]] - sums[rows.offsets[:-1]]) * _powers(_INVERSE, len(sums))[
        rows.offsets[:-1]
    ]


def _sums(values: Hashes) -> Hashes:
    """Sums of values times growing powers: any stretch of them is one number, wherever it stands."""
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(values * _powers(_ODD, len(values)))])


def _powers(base: np.uint64, count: int) -> Hashes:
    steps = np.full(max(count, 1), base)
    steps[0] = 1
    return np.cumprod(steps)[:count]


def _runs(table: TokenTable, limits: Limits) -> Ragged:
    return ngrams(table.only(table.is_word, table.values), n=limits.words, short=False)


def _near_runs(table: TokenTable) -> Ragged:
    return ngrams(Ragged(table.lettered, table.offsets), n=_NEAR_WORDS)


def _words(table: TokenTable) -> Ragged:
    return table.only(table.is_word & ~table.is_number, table.lettered)


def _found(pairs: pl.DataFrame, kind: Match) -> pl.DataFrame:
    return pairs.select("row", "question", pl.lit(kind.value).alias("kind"), pl.col("score").cast(pl.Float64))


def _scored(pairs: Pairs, score: Scores, chosen: Flags, kind: Match) -> pl.DataFrame:
    columns = {"row": pairs.row[chosen], "question": pairs.question[chosen], "score": score[chosen]}
    return _found(pl.DataFrame(columns), kind)


def _exact(forms: pl.DataFrame, known: Index) -> pl.DataFrame:
    worded = forms.filter(pl.col("tokens") > 0)
    same = worded.join(known.forms.select("question", "exact"), on="exact")
    return _found(same.with_columns(score=1.0), Match.EXACT)


def _inside(table: TokenTable, known: Index) -> pl.DataFrame:
    """Whole sentences of a text, one to a few, that are a short question."""
    longest = max(known.inside["tokens"], default=0)
    starts = np.flatnonzero(table.opens & (table.lengths <= longest + _FRAME)[table.rows])
    ends = np.flatnonzero(table.closes)
    after = np.searchsorted(ends, starts)
    sums, inverse = _sums(table.values), _powers(_INVERSE, len(table.values) + 1)
    found: list[pl.DataFrame] = []
    for further in range(_SENTENCES):
        place = np.minimum(after + further, max(len(ends) - 1, 0))
        stop = ends[place] + 1 if len(ends) else starts
        whole = (after + further < len(ends)) & (stop <= table.offsets[1:][table.rows[starts]])
        start, stop = starts[whole], stop[whole]
        spans = {
            "row": table.rows[start],
            "exact": (sums[stop] - sums[start]) * inverse[start],
            "all": table.lengths[table.rows[start]],
        }
        found.append(pl.DataFrame(spans).join(known.inside, on="exact"))
    close = pl.concat(found).filter(pl.col("all") <= pl.col("tokens") + _FRAME)
    return _found(close.unique(["row", "question"]).with_columns(score=1.0), Match.INSIDE)


def _numbers(forms: pl.DataFrame, known: Index) -> pl.DataFrame:
    other = known.forms.select("question", "masked", known="numbers")
    same = forms.filter(pl.col("masked").is_not_null()).join(other, on="masked")
    return _found(
        same.filter(pl.col("numbers") != pl.col("known")).with_columns(score=1.0), Match.NUMBERS_CHANGED
    )


def _sizes(pairs: Pairs, own: Ragged, known: Postings) -> tuple[Offsets, Offsets, Ragged]:
    """Distinct grams of the text and of the question of each pair, and the former themselves."""
    rows, place = np.unique(pairs.row, return_inverse=True)
    sets = distinct(take(own, rows))
    return sets.lengths[place], known.sets.lengths[pairs.question], take(sets, place)


def _long_runs(table: TokenTable, known: Index) -> pl.DataFrame:
    own = _runs(table, known.limits)
    pairs, _ = known.runs.pairs(own)
    mine, theirs, _ = _sizes(pairs, own, known.runs)
    of_text = np.where(mine >= _PART_GRAMS, pairs.shared / np.maximum(mine, 1), 0.0)
    score = np.maximum(pairs.shared / np.maximum(theirs, 1), of_text)
    return _scored(pairs, score, score >= known.limits.min_coverage, Match.NGRAM)


def _near(table: TokenTable, forms: pl.DataFrame, known: Index, least: float) -> pl.DataFrame:
    own = _near_runs(table)
    pairs, unsure = known.near.pairs(own, commonest=_COMMON)
    pairs = _worth_a_look(pairs, own.lengths, unsure, known, least)
    mine, theirs, sets = _sizes(pairs, own, known.near)
    shared = totals(sets, common(sets, take(known.near.sets, pairs.question)))
    score = _jaccard(shared, mine, theirs)
    short = np.minimum(mine, theirs) < _SHORT_GRAMS
    alike = score >= np.where(short, max(least, _SHORT_NEAR), least)
    contained = shared / np.maximum(theirs, 1)
    held = ~short & (contained >= max(least, _CONTAINED)) & (mine <= theirs + _FRAME)
    score = np.where(held, np.maximum(score, contained), score)
    of_words = _reworded(pairs, table, forms, known)
    reworded = of_words >= least
    score = np.where(reworded, np.maximum(score, of_words), score)
    return _scored(pairs, score, alike | held | reworded, Match.NEAR)


def _worth_a_look(pairs: Pairs, own: Offsets, unsure: Offsets, known: Index, least: float) -> Pairs:
    """Pairs that could pass, were all the common grams of the text shared; or that share many rare ones."""
    mine, theirs = own[pairs.row], known.near.sets.lengths[pairs.question]
    most = pairs.shared + np.minimum(unsure[pairs.row], theirs - pairs.shared)
    alike = most * (1 + least) >= least * (mine + theirs)
    held = (most >= _CONTAINED * theirs) & (mine <= theirs + _FRAME)
    several = pairs.shared >= _CANDIDATE * np.minimum(mine, theirs)
    return pairs.where((alike | held | several) & (pairs.shared * 20 >= theirs))


def _reworded(pairs: Pairs, table: TokenTable, forms: pl.DataFrame, known: Index) -> Scores:
    """Of pairs with the same numbers the similarity of their words, where it is high enough; else 0."""
    theirs, count = known.forms["numbers"].to_numpy(), forms["numbered"].to_numpy()
    same = forms["numbers"].to_numpy()[pairs.row] == theirs[pairs.question]
    some = pairs.where(same)
    rows, place = np.unique(some.row, return_inverse=True)
    own = take(distinct(take(_words(table), rows)), place)
    other = take(known.words.sets, some.question)
    shared = common(own, other)
    plain = _jaccard(totals(own, shared), own.lengths, other.lengths)
    mine, others = known.words.rarity(own.values), known.words.rarity(other.values)
    telling = _jaccard(totals(own, shared * mine), totals(own, mine), totals(other, others))
    renamed = (count[some.row] >= _SAME_NUMBERS) & (plain >= _SAME_WORDS)
    said = np.minimum(own.lengths, other.lengths) >= _TOLD_WORDS
    found = np.zeros(len(same))
    found[same] = np.where(renamed, plain, np.where(said & (telling >= _TELLING_WORDS), telling, 0.0))
    return found


def _jaccard(shared: Scores, mine: Scores | Offsets, theirs: Scores | Offsets) -> Scores:
    return shared / np.maximum(mine + theirs - shared, 1e-9)
