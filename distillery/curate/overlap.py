"""Which benchmark question a text repeats: the same, with other numbers, in long runs of words, or reworded.

What matched and how much is the evidence; a paraphrase that shares few words is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from distillery.curate.ngrams import ngrams, token_hashes
from distillery.curate.normalize import NUMBER, canonical, masked, tokens, words

_NEAR_WORDS = 3
_LETTER = "v"  # one-letter words are variables, and renaming them is no new problem
_COMMON = 50  # an n-gram of more questions than this points at none of them
_SHORT_GRAMS, _SHORT_NEAR = 10, 0.75  # "what is the meaning of X" shares half its runs with every other X
_PART_GRAMS = 5  # so many runs make a text long enough to be recognised as a part of a question


class Match(StrEnum):
    """From the surest to the weakest."""

    EXACT = "exact"  # equal but for case, width, spacing, punctuation and LaTeX spelling
    NUMBERS_CHANGED = "numbers_changed"  # equal but for its numbers
    NGRAM = "ngram"  # long runs of words of one stand in the other
    NEAR = "near"  # most short runs of words and operators are shared


@dataclass(frozen=True, kw_only=True)
class Limits:
    words: int = 10  # in a long run
    min_coverage: float = 0.5  # of the runs of the question, or of the text where it is the shorter
    min_near: float | None = 0.5  # Jaccard similarity of 3-word runs; None = not looked for
    min_masked_words: int = 8  # besides numbers, for a match of all but the numbers


@dataclass(frozen=True)
class Index:
    """Forms and n-grams of the questions; `question` counts the texts that `index` was given."""

    forms: pl.DataFrame  # question, exact, masked, words
    runs: pl.DataFrame  # question, gram
    near: pl.DataFrame  # question, gram, rare
    limits: Limits


def index(questions: Sequence[str], limits: Limits) -> Index:
    texts = pl.Series("text", questions, dtype=pl.String)
    near = _near_grams(texts).rename({"row": "question"})
    near = near.with_columns((pl.len().over("gram") <= _COMMON).alias("rare"))
    runs = _runs(texts, limits).rename({"row": "question"})
    return Index(_forms(texts).rename({"row": "question"}), runs, near, limits)


def matches(texts: pl.Series, known: Index) -> pl.DataFrame:
    """The best match of each text that has one: columns row, question, kind, score in [0, 1]; sorted by row."""
    forms = _forms(texts)
    found = [_exact(forms, known), _numbers(forms, known), _long_runs(texts, known)]
    if known.limits.min_near is not None:
        found.append(_near(texts, known, known.limits.min_near))
    kinds = pl.Enum([kind.value for kind in Match])
    every = pl.concat(found).with_columns(pl.col("kind").cast(kinds))
    best = every.sort("row", "kind", -pl.col("score"), "question").unique("row", keep="first")
    return best.with_columns(pl.col("kind").cast(pl.String)).sort("row")


def _forms(texts: pl.Series) -> pl.DataFrame:
    hidden = masked(texts)
    frame = pl.DataFrame(
        {"exact": canonical(texts), "masked": hidden.list.join(" "), "words": words(texts).list.join(" ")}
    )
    counted = hidden.list.len() - hidden.list.count_matches(NUMBER)
    return (
        frame.with_columns(counted.cast(pl.Int64).alias("count"))
        .with_row_index("row")
        .cast({"row": pl.Int64})
    )


def _runs(texts: pl.Series, limits: Limits) -> pl.DataFrame:
    return ngrams(token_hashes(words(texts)), n=limits.words, short=False).frame()


def _near_grams(texts: pl.Series) -> pl.DataFrame:
    letters = tokens(texts).list.eval(
        pl.when(pl.element().str.contains(r"^\p{Latin}$")).then(pl.lit(_LETTER)).otherwise(pl.element())
    )
    return ngrams(token_hashes(letters), n=_NEAR_WORDS).frame()


def _found(pairs: pl.DataFrame, kind: Match) -> pl.DataFrame:
    return pairs.select("row", "question", pl.lit(kind.value).alias("kind"), pl.col("score").cast(pl.Float64))


def _exact(forms: pl.DataFrame, known: Index) -> pl.DataFrame:
    worded = forms.filter(pl.col("exact") != "")
    same = worded.join(known.forms.select("question", "exact"), on="exact")
    return _found(same.with_columns(score=1.0), Match.EXACT)


def _numbers(forms: pl.DataFrame, known: Index) -> pl.DataFrame:
    long = forms.filter(pl.col("count") >= known.limits.min_masked_words)
    same = long.join(known.forms.select("question", "masked", known="words"), on="masked")
    return _found(
        same.filter(pl.col("words") != pl.col("known")).with_columns(score=1.0), Match.NUMBERS_CHANGED
    )


def _shared(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Columns row, question and shared, the number of n-grams they have in common."""
    return (
        left.join(right, on="gram").group_by("row", "question").agg(pl.len().cast(pl.Int64).alias("shared"))
    )


def _with_sizes(pairs: pl.DataFrame, own: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    mine = own.group_by("row").agg(pl.len().cast(pl.Int64).alias("own"))
    others = theirs.group_by("question").agg(pl.len().cast(pl.Int64).alias("theirs"))
    return pairs.join(mine, on="row").join(others, on="question")


def _long_runs(texts: pl.Series, known: Index) -> pl.DataFrame:
    own = _runs(texts, known.limits)
    pairs = _with_sizes(_shared(own, known.runs), own, known.runs)
    of_text = pl.when(pl.col("own") >= _PART_GRAMS).then(pl.col("shared") / pl.col("own")).otherwise(0.0)
    scored = pairs.with_columns(score=pl.max_horizontal(pl.col("shared") / pl.col("theirs"), of_text))
    return _found(scored.filter(pl.col("score") >= known.limits.min_coverage), Match.NGRAM)


def _near(texts: pl.Series, known: Index, least: float) -> pl.DataFrame:
    own = _near_grams(texts)
    rare = known.near.filter("rare").select("question", "gram")
    common = known.near.filter(~pl.col("rare")).select("gram").unique()
    unsure = (
        own.join(common, on="gram", how="semi").group_by("row").agg(pl.len().cast(pl.Int64).alias("unsure"))
    )
    pairs = _with_sizes(_shared(own, rare), own, known.near).join(unsure, on="row", how="left")
    most = pl.col("shared") + pl.col("unsure").fill_null(0)
    pairs = pairs.filter(most * (1 + least) >= least * (pl.col("own") + pl.col("theirs"))).drop(
        "shared", "unsure"
    )
    both = pairs.join(own, on="row").join(known.near.select("question", "gram"), on=["question", "gram"])
    counted = both.group_by("row", "question", "own", "theirs").agg(pl.len().cast(pl.Int64).alias("shared"))
    union = pl.col("own") + pl.col("theirs") - pl.col("shared")
    scored = counted.with_columns(score=pl.col("shared") / union)
    short = pl.min_horizontal("own", "theirs") < _SHORT_GRAMS
    needed = pl.when(short).then(max(least, _SHORT_NEAR)).otherwise(least)
    return _found(scored.filter(pl.col("score") >= needed), Match.NEAR)
