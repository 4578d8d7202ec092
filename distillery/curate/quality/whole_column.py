"""What is told of a whole column of responses at once, many times faster than row by row.

It clears most rows of most reasons, and decides who says it is of another maker. The rest is asked of the
rows.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import polars as pl

from distillery.curate.quality.claimed_makers import claimed_makers
from distillery.curate.quality.faults import SPECIAL, Limits, Reason, another_maker
from distillery.curate.quality.language_mix import may_mix
from distillery.curate.quality.loop_screen import MIN_ROUNDS, may_loop_each
from distillery.reasoning import OPEN

_SPECIAL = "|".join(pattern.pattern for _, pattern in SPECIAL)


def screen(
    texts: pl.Series, limits: Limits, *, languages: Sequence[str], skip: Container[Reason] = ()
) -> Iterator[dict[Reason, str | None]]:
    """For each of the texts (no nulls), what `quality.faults` need not ask any more.

    `languages`: what each is held to, its thought and its answer; "": unknown.

    It holds for texts that are looked into: one that is cut off or without its block has that fault alone.
    """
    screens = {
        Reason.SPECIAL_TOKENS: _special_tokens,
        Reason.REPETITION: _repetition,
        Reason.MESSY_CODE: _messy_code,
    }
    may = {reason: test(texts, limits) for reason, test in screens.items() if reason not in skip}
    if Reason.MIXED_LANGUAGE not in skip:
        may[Reason.MIXED_LANGUAGE] = may_mix(texts, languages)
    skipped: dict[Reason, str | None] = {reason: None for reason in Reason if reason in skip}
    if Reason.OTHER_MAKER in skip:
        claims: list[str | None] = [None] * len(texts)
    else:
        claims = claimed_makers(texts, own=limits.own_names)
    for number, claim in enumerate(claims):
        cleared = {reason: None for reason, each in may.items() if not each[number]}
        yield skipped | cleared | {Reason.OTHER_MAKER: another_maker(claim)}


def _special_tokens(texts: pl.Series, _limits: Limits) -> list[bool]:
    tags = texts.str.count_matches("</?think>")
    more_tags = tags > 1 + texts.str.starts_with(OPEN).cast(pl.UInt32)
    return (more_tags | texts.str.contains(_SPECIAL)).to_list()


def _repetition(texts: pl.Series, limits: Limits) -> list[bool]:
    if min(limits.min_loop_times, limits.min_long_loop_times) < MIN_ROUNDS:
        return [True] * len(texts)
    return may_loop_each(texts.cast(pl.Binary), min_tokens=limits.min_loop_tokens)


def _messy_code(texts: pl.Series, _limits: Limits) -> list[bool]:
    return texts.str.contains("```", literal=True).to_list()
