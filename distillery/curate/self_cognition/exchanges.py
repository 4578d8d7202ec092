"""Questions to a model about itself, with right answers, in many phrasings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Literal, NamedTuple

from distillery.errors import ConfigError
from distillery.hashing import derive_seed
from distillery.installed.word_lists import word_lists

Language = Literal["en", "zh"]


class Topic(StrEnum):
    IDENTITY = "identity"
    MAKER = "maker"
    OTHER = "other"  # "are you ...?", with a name that is not its own
    HUMAN = "human"
    ABILITY = "ability"
    FEELING = "feeling"
    VERSION = "version"
    KNOWLEDGE = "knowledge"  # until when it knows the world


class Card(NamedTuple):
    """What a model is to say of itself."""

    name: str
    maker: str
    version: str = ""
    knowledge: str = ""  # until when, as in "July 2024"


@dataclass(frozen=True, slots=True)
class Exchange:
    language: Language
    topic: Topic
    question: str
    answer: str


def exchanges(cards: dict[Language, Card], *, count: int, seed: int) -> list[Exchange]:
    """`count` different ones; every question stands there before any stands there twice.

    Raises ConfigError where there are fewer.
    """
    found = [exchange for language, card in cards.items() for exchange in _rounds(language, card, seed)]
    if count > len(found):
        there = f"of {len(cards)} languages there are {len(found)}"
        raise ConfigError(f"ingest.self_cognition: count is {count}; {there}")
    order = sorted(found, key=lambda one: (one[0], derive_seed(seed, one[1].question, one[1].answer)))
    return [exchange for _, exchange in order[:count]]


def others(language: Language, card: Card) -> list[str]:
    """Names that are surely not this model's, nor its maker's."""
    own = f"{card.name} {card.maker}".lower()
    lists = word_lists(__file__)
    families = (family for family in lists["families"] if any(name in own for name in family))
    ours = {card.name.lower(), card.maker.lower()}.union(*families)
    return [name for name in lists["others"][language] if not any(mine in name.lower() for mine in ours)]


def _rounds(language: Language, card: Card, seed: int) -> Iterator[tuple[int, Exchange]]:
    """Each question with each of its topic's answers, and which of the question's answers it is."""
    values = card._asdict()
    for topic in Topic:
        if not values.get(topic, "known"):  # a version or a knowledge that nobody gave
            continue
        phrases = word_lists(__file__)[language][topic]
        answers = [line.format(**values) for line in phrases["answers"].splitlines()]
        asked = phrases["questions"].splitlines()
        if topic is Topic.OTHER:
            asked = [line.format(other=name) for line in asked for name in others(language, card)]
        for question in asked:
            order = Random(derive_seed(seed, question)).sample(answers, len(answers))
            for number, answer in enumerate(order):
                yield number, Exchange(language, topic, question, answer)
