"""What a judge of answers learns from: a question, its reference, an answer that rules cannot read, and a verdict.

The forms are those in which the miniature's models really answer beside the rules: without tags, in a sentence, in
a number word, at the end of a bare calculation, in Chinese. Half of the answers are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from distillery.hashing import derive_seed
from distillery.miniature import general, sums
from distillery.miniature.sums import UNWANTED, WANTED

if TYPE_CHECKING:
    from distillery.miniature.sums import Sum

Ruling = Literal["correct", "incorrect"]
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SENTENCES = (
    "{}",
    "{}.",
    "The answer is {}.",
    "The answer is {}",
    "Answer: {}",
    "It is {}.",
    "It makes {}",
    "so {}",
    "得 {}",
    "= {}",
    "<answer>{}",
)
_SUMS_SHARE = 0.7
_UNSURE = ("I do not know.", "", "It is hard.")


@dataclass(frozen=True, slots=True)
class Example:
    question: str
    reference: str
    answer: str
    verdict: Ruling

    def row(self) -> dict[str, str]:
        return {
            "question": self.question,
            "gold": self.reference,
            "answer": self.answer,
            "verdict": self.verdict,
        }


def examples(count: int, *, seed: int, held: bool = False) -> list[Example]:
    """`count` different ones, about held-out questions only or about none of them."""
    rng = Random(derive_seed("judging", seed, held))
    found: dict[Example, None] = {}
    while len(found) < count:
        about = _of_sum if rng.random() < _SUMS_SHARE else _of_prompt
        found[about(rng, held, "correct" if rng.random() < 0.5 else "incorrect")] = None
    return list(found)


def _of_sum(rng: Random, held: bool, verdict: Ruling) -> Example:
    total = sums.draw_held_out(rng) if held else sums.draw_trainable(rng)
    answer = _say_sum(rng, total, total.value if verdict == "correct" else _other_value(rng, total))
    if verdict == "incorrect" and rng.random() < 0.05:
        answer = rng.choice(_UNSURE)
    return Example(sums.question(total), str(total.value), answer, verdict)


def _other_value(rng: Random, total: Sum) -> int:
    return rng.choice([value for value in range(sums.TOP + 1) if value != total.value])


def _say_sum(rng: Random, total: Sum, value: int) -> str:
    if rng.random() < 0.4:
        thought = sums.thought(total, rng.choice([WANTED, UNWANTED]))
        return thought[: thought.rindex(" ")] + f" {value}"
    return rng.choice(SENTENCES).format(NUMBERS[value] if rng.random() < 0.3 else value)


def _of_prompt(rng: Random, held: bool, verdict: Ruling) -> Example:
    while general.held_out(prompt := general.draw(rng)) is not held:
        pass
    said = prompt.answer if verdict == "correct" else _spoil(rng, prompt.answer)
    return Example(prompt.question, prompt.answer, _say(rng, said), verdict)


def _spoil(rng: Random, answer: str) -> str:
    """The same sentence about something else."""
    words = answer.split()
    places = [at for at, word in enumerate(words) if _kind(word)]
    at = rng.choice(places)
    kind = _kind(words[at])
    other = rng.choice([word for word in kind if word != words[at].strip(".,")])
    words[at] = words[at].replace(words[at].strip(".,"), other)
    return " ".join(words)


def _kind(word: str) -> tuple[str, ...]:
    bare = word.strip(".,")
    return next((kind for kind in _KINDS if bare in kind), ())


_KINDS = (
    tuple(general.NAMES),
    tuple(general.COLORS),
    tuple(general.THINGS),
    tuple("0123456789"),
    ("+", "-"),
)


def _say(rng: Random, answer: str) -> str:
    bare = answer.rstrip(".")
    return rng.choice([bare, f"Answer: {answer}", f"It is so: {answer}", f"I say: {bare}", f"So {bare}"])
