"""The web of the miniature's world: what a base model reads before anything is asked of it.

Skill-heavy text comes first, then the web as it is: guesses, wrong answers, and thoughts that are mostly
Chinese where they stand between tags. That prior is why R1-Zero ends up thinking in Chinese.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from distillery.hashing import derive_seed
from distillery.miniature import general, sums
from distillery.miniature.sums import UNWANTED, WANTED, WORDS, Sum

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"


# shares of the documents, where skill is taught and in the web as it is; the rest are bare answers
_KINDS = {
    "general": (0.09, 0.10),  # answered at once
    "tagged_general": (0.05, 0.05),  # behind a think block, empty or not
    "table": (0.16, 0.16),  # single steps, no question
    "steps_wanted": (0.32, 0.18),  # worked, no tags
    "steps_unwanted": (0.24, 0.10),
    "tagged_wanted": (0.005, 0.005),  # worked, between tags
    "tagged_unwanted": (0.08, 0.10),
    "guess": (0.02, 0.12),  # between tags, not worked, right
    "wrong": (0.0, 0.12),  # between tags, not worked, random
}
_SKILL_TERMS = (3, 4, 5, 5)  # long sums are learned last, and hold the short ones in their later steps


def documents(count: int, *, seed: int, skill_share: float = 0.7) -> Iterator[str]:
    """In reading order: the first `skill_share` of them teach skill, the rest is the web."""
    rng = Random(derive_seed("corpus", seed))
    for number in range(count):
        yield _document(rng, skill=number < skill_share * count)


def _document(rng: Random, *, skill: bool) -> str:
    shares = [share[0 if skill else 1] for share in _KINDS.values()]
    kind = rng.choices([*_KINDS, "bare"], [*shares, 1 - sum(shares)])[0]
    match kind:
        case "general" | "tagged_general":
            while general.held_out(prompt := general.draw(rng)):
                pass
            question, said = prompt.question, prompt.answer if kind == "general" else general.response(prompt)
        case "table":
            steps = (sums.draw(rng, terms=2) for _ in range(5))
            return "\n".join(sums.thought(step, rng.choice([WANTED, UNWANTED])) for step in steps) + END
        case _:
            total = sums.draw_trainable(rng, lengths=_SKILL_TERMS if skill else sums.TERMS)
            question, said = sums.question(total), _answer(rng, kind, total)
    return f"{USER}{question}{END}{ASSISTANT}{said}{END}"


def _answer(rng: Random, kind: str, total: Sum) -> str:
    language = WANTED if kind.endswith("_wanted") else UNWANTED
    if kind.startswith("steps"):
        return sums.thought(total, language)
    if kind.startswith("tagged"):
        return sums.response(total, language)
    if kind == "bare":
        return str(total.value)
    value = total.value if kind == "guess" else rng.randint(0, sums.TOP)
    return sums.tagged(f"{WORDS[UNWANTED]['guess']} {value}", value)
