"""The web of the miniature's world: what a base model reads before anything is asked of it.

Skill-heavy text comes first, then the web as it is: guesses, wrong answers, and thoughts that, where they stand
between tags, are mostly Chinese. That prior is why R1-Zero ends up thinking in Chinese.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random
from typing import TYPE_CHECKING

from distillery.hashing import derive_seed
from distillery.miniature import general, sums
from distillery.miniature.sums import UNWANTED, WANTED, WORDS, Sum
from distillery.word_lists import word_lists

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distillery.miniature.general import Prompt

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the kinds of document; what is left to 1 is bare answers."""

    general: float  # answered at once
    tagged_general: float  # behind a think block, empty or not
    table: float  # single steps, no question
    steps_wanted: float  # worked, no tags
    steps_unwanted: float
    tagged_wanted: float  # worked, between tags
    tagged_unwanted: float
    guess: float  # between tags, not worked, right
    wrong: float  # between tags, not worked, random
    lengths: Sequence[int] = sums.TERMS  # of the sums, in terms


SKILL, WEB = (Mix(**word_lists(__file__)[name]) for name in ("skill", "web"))
KINDS = tuple(field.name for field in fields(Mix) if field.name != "lengths")


def documents(count: int, *, seed: int, skill_share: float = 0.7) -> Iterator[str]:
    """In reading order: the first `skill_share` of them from SKILL, the rest from WEB."""
    rng = Random(derive_seed("corpus", seed))
    for number in range(count):
        yield document(rng, SKILL if number < skill_share * count else WEB)


def document(rng: Random, mix: Mix) -> str:
    kinds = {name: getattr(mix, name) for name in KINDS}
    kind = rng.choices([*kinds, "bare"], [*kinds.values(), max(0.0, 1 - sum(kinds.values()))])[0]
    match kind:
        case "general" | "tagged_general":
            prompt = _open_prompt(rng)
            said = prompt.answer if kind == "general" else general.response(prompt)
            return f"{USER}{prompt.question}{END}{ASSISTANT}{said}{END}"
        case "table":
            lines = [sums.thought(sums.draw(rng, terms=2), rng.choice([WANTED, UNWANTED])) for _ in range(5)]
            return "\n".join(lines) + END
        case _:
            total = sums.draw_trainable(rng, lengths=mix.lengths)
            return f"{USER}{sums.question(total)}{END}{ASSISTANT}{_answer(rng, kind, total)}{END}"


def _open_prompt(rng: Random) -> Prompt:
    while general.held_out(prompt := general.draw(rng)):
        pass
    return prompt


def _answer(rng: Random, kind: str, total: Sum) -> str:
    match kind:
        case "steps_wanted":
            return sums.thought(total, WANTED)
        case "steps_unwanted":
            return sums.thought(total, UNWANTED)
        case "tagged_wanted":
            return sums.response(total, WANTED)
        case "tagged_unwanted":
            return sums.response(total, UNWANTED)
        case "guess" | "wrong":
            value = total.value if kind == "guess" else rng.randint(0, sums.TOP)
            return sums.tagged(f"{WORDS[UNWANTED]['guess']} {value}", value)
        case _:
            return str(total.value)
