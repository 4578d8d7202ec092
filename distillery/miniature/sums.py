"""Chains of sums with one-digit running values, and the thoughts that solve them in two languages.

A thought restates what is left of the expression after each step, in words. English is the wanted language;
Chinese is the one that this world's web prefers when it thinks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from distillery.hashing import derive_seed
from distillery.reasoning import join
from distillery.records import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

TOP = 9
TERMS = (3, 4, 5)
WANTED, UNWANTED = "en", "zh"
WORDS: Mapping[str, Mapping[str, str]] = {
    WANTED: {"+": "plus", "-": "minus", "so": "so", "guess": "maybe"},
    UNWANTED: {"+": "加", "-": "减", "so": "得", "guess": "猜"},
}
_HELD_OUT_OF = 10  # one expression in ten


@dataclass(frozen=True, slots=True)
class Sum:
    first: int
    steps: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return " ".join([str(self.first), *(f"{sign} {term}" for sign, term in self.steps)])

    @property
    def value(self) -> int:
        return self.rest(len(self.steps)).first

    def rest(self, done: int) -> Sum:
        """What is left to calculate after `done` steps."""
        value = self.first
        for sign, term in self.steps[:done]:
            value += term if sign == "+" else -term
        return Sum(value, self.steps[done:])

    def spoken(self, language: str) -> str:
        words = WORDS[language]
        return " ".join([str(self.first), *(f"{words[sign]} {term}" for sign, term in self.steps)])


def draw(rng: Random, *, terms: int) -> Sum:
    """Every running value, the result included, lies in 0..9."""
    value = first = rng.randint(0, TOP)
    steps: list[tuple[str, int]] = []
    while len(steps) + 1 < terms:
        sign, term = rng.choice("+-"), rng.randint(0, TOP)
        after = value + term if sign == "+" else value - term
        if 0 <= after <= TOP:
            steps.append((sign, term))
            value = after
    return Sum(first, tuple(steps))


def draw_trainable(rng: Random, *, lengths: Sequence[int] = TERMS) -> Sum:
    return _draw_until(trainable, rng, lengths)


def draw_held_out(rng: Random) -> Sum:
    return _draw_until(held_out, rng, TERMS)


def _draw_until(wanted: Callable[[Sum], bool], rng: Random, lengths: Sequence[int]) -> Sum:
    terms = rng.choice(lengths)  # drawn once: long sums are refused more often and must not become rare
    while not wanted(total := draw(rng, terms=terms)):
        pass
    return total


def held_out(total: Sum) -> bool:
    return _held(str(total))


def trainable(total: Sum) -> bool:
    """Neither the sum, nor what is left at any step, nor any three or more terms in a row are held out."""
    return not any(_held(str(part)) for part in _parts(total))


def _parts(total: Sum) -> Iterator[Sum]:
    for done in range(len(total.steps) - 1):
        rest = total.rest(done)
        terms = (rest.first, *(term for _, term in rest.steps))
        # later terms stand in the first line already
        starts = range(len(terms) - 2) if done == 0 else (0,)
        for start in starts:
            for end in range(start + 3, len(terms) + 1):
                yield Sum(terms[start], rest.steps[start : end - 1])


@lru_cache(maxsize=1 << 18)
def _held(text: str) -> bool:
    return derive_seed("held out", text) % _HELD_OUT_OF == 0


def question(total: Sum) -> str:
    return f"Calculate {total} ."


def thought(total: Sum, language: str) -> str:
    so = WORDS[language]["so"]
    return f"\n{so} ".join(total.rest(done).spoken(language) for done in range(len(total.steps) + 1))


def response(total: Sum, language: str) -> str:
    return tagged(thought(total, language), total.value)


def tagged(reasoning: str, value: int) -> str:
    return join(reasoning, f"<answer>{value}</answer>")


def problem(total: Sum) -> Problem:
    return Problem(
        question=question(total),
        gold=str(total.value),
        checker="exact",
        domain="math",
        source="miniature.sums",
        language=WANTED,
        payload=json.dumps({"within": "answer", "answer_tag": True}),
    )


def sums(count: int, *, seed: int, held: bool = False) -> list[Sum]:
    """`count` different sums: all held out, or all trainable."""
    rng = Random(derive_seed("sums", seed, held))
    found: dict[Sum, None] = {}
    while len(found) < count:
        found[draw_held_out(rng) if held else draw_trainable(rng)] = None
    return list(found)


def problems(count: int, *, seed: int, held: bool = False) -> list[Problem]:
    return [problem(total) for total in sums(count, seed=seed, held=held)]


def worked(count: int, *, seed: int, language: str = WANTED) -> list[dict[str, str]]:
    """Problem rows with a `text`: the response a careful author would write, none of them held out."""
    return [problem(total).row() | {"text": response(total, language)} for total in sums(count, seed=seed)]
