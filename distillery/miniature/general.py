"""Small talk: prompts that are no sums, with reference answers.

A simple prompt is answered behind an empty think block; one that must be looked through gets a short thought.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from distillery.hashing import derive_seed
from distillery.miniature.sums import WANTED
from distillery.reasoning import join
from distillery.records import Problem, Thinking
from distillery.word_lists import word_lists

_WORDS = word_lists(__file__)
_LONG = 6  # symbols; a longer row to repeat deserves a thought
_HELD_OUT_OF = 10


@dataclass(frozen=True, slots=True)
class Prompt:
    question: str
    answer: str
    thought: str = ""  # "": the simple ones need none

    @property
    def thinking(self) -> Thinking:
        return Thinking.ON if self.thought else Thinking.OFF


def draw(rng: Random) -> Prompt:
    if rng.random() < 0.35:
        return _repeat(rng)
    name, other = rng.sample(_WORDS["names"], 2)
    thing, second = rng.sample(_WORDS["things"], 2)
    color, tint = rng.choice(_WORDS["colors"]), rng.choice(_WORDS["colors"])
    has = f"{name} has a {color} {thing}"
    match rng.randint(0, 5):
        case 0:
            return Prompt(f"Say hello to {name}.", f"Hello {name}, nice to meet you.")
        case 1:
            return Prompt(f"Repeat the word {thing}.", thing)
        case 2:
            return Prompt(f"{has}. What color is the {thing}?", f"The {thing} is {color}.", has)
        case 3:
            return Prompt(f"{has}. Who has the {thing}?", f"{name} has the {thing}.", has)
        case 4:
            return Prompt(f"{has}. What has {name}?", f"{name} has a {thing}.", has)
        case _:
            and_other = f"{has}. {other} has a {tint} {second}."
            return Prompt(f"{and_other} Who has the {thing}?", f"{name} has the {thing}.", has)


def _repeat(rng: Random) -> Prompt:
    symbols = [
        str(rng.randint(0, 9)) if rng.random() < 0.7 else rng.choice("+-") for _ in range(rng.randint(3, 8))
    ]
    row = " ".join(symbols)
    return Prompt(f"Repeat: {row}", row, f"repeat {len(symbols)} signs" if len(symbols) >= _LONG else "")


def held_out(prompt: Prompt) -> bool:
    return derive_seed("held out", prompt.question) % _HELD_OUT_OF == 0


def response(prompt: Prompt) -> str:
    return join(prompt.thought, prompt.answer)


def problem(prompt: Prompt) -> Problem:
    return Problem(
        question=prompt.question,
        gold=prompt.answer,
        checker="exact",
        domain="general",
        source="miniature.general",
        language=WANTED,
        thinking=prompt.thinking,
    )


def prompts(count: int, *, seed: int, held: bool = False) -> list[Prompt]:
    """`count` different prompts, all held out or none of them."""
    rng = Random(derive_seed("general", seed, held))
    found: dict[str, Prompt] = {}
    while len(found) < count:
        prompt = draw(rng)
        if held_out(prompt) is held:
            found.setdefault(prompt.question, prompt)
    return list(found.values())


def problems(count: int, *, seed: int, held: bool = False) -> list[Problem]:
    return [problem(prompt) for prompt in prompts(count, seed=seed, held=held)]


def worked(count: int, *, seed: int) -> list[dict[str, str]]:
    """Problem rows with a `text`, the reference response; none of them held out."""
    return [problem(prompt).row() | {"text": response(prompt)} for prompt in prompts(count, seed=seed)]
