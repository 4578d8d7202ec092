"""What a judge of answers learns from: question, reference, answer and verdict, half of them wrong.

The forms are those in which the miniature's models really answer: between tags, without them, in a sentence,
in a number word, at the end of a bare calculation, in Chinese. A judge of 0.2 million parameters first writes
down what the answer and the reference say; asked for the verdict alone it stays at chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from distillery.hashing import derive_seed
from distillery.installed.word_lists import word_lists
from distillery.miniature import sums
from distillery.miniature.sums import UNWANTED, WANTED

if TYPE_CHECKING:
    from distillery.miniature.sums import Sum

Ruling = Literal["correct", "incorrect"]
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_UNSURE = ("I do not know.", "It is hard.")


@dataclass(frozen=True, slots=True)
class Example:
    question: str
    reference: str
    answer: str
    says: str  # the answer's value as a digit, or "none"
    verdict: Ruling

    @property
    def ruling(self) -> str:
        """What the judge learns to reply: what it read, then the verdict on a line of its own."""
        return f"{self.says} {self.reference}\n{self.verdict}"


def examples(count: int, *, seed: int, held: bool = False) -> list[Example]:
    """`count` different ones, about held-out questions only or about none of them."""
    rng = Random(derive_seed("judging", seed, held))
    found: dict[Example, None] = {}
    while len(found) < count:
        found[_example(rng, held, "correct" if rng.random() < 0.5 else "incorrect")] = None
    return list(found)


def _example(rng: Random, held: bool, verdict: Ruling) -> Example:
    total = sums.draw_held_out(rng) if held else sums.draw_trainable(rng)
    question, reference = sums.question(total), str(total.value)
    if verdict == "incorrect" and rng.random() < 0.05:
        return Example(question, reference, rng.choice(_UNSURE), "none", verdict)
    others = [value for value in range(sums.TOP + 1) if value != total.value]
    value = total.value if verdict == "correct" else rng.choice(others)
    return Example(question, reference, _say(rng, total, value), str(value), verdict)


def _say(rng: Random, total: Sum, value: int) -> str:
    if rng.random() < 0.4:
        thought = sums.thought(total, rng.choice([WANTED, UNWANTED]))
        return thought[: thought.rindex(" ")] + f" {value}"
    return rng.choice(word_lists(__file__)["sentences"]).format(
        NUMBERS[value] if rng.random() < 0.3 else value
    )
