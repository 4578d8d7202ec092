"""Tokens of a sentence: the phrases that phrases.yaml knows, letters of choices, values, words and signs."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from distillery.installed.word_lists import word_lists

FORMULA = (
    r"(?:\$\$[^$\n]{1,300}\$\$|\$(?:\s[^$\n]{1,300}\s|[^$\s](?:[^$\n]{0,300}[^$\s])?)\$(?!\d)"
    r"|\\\([^\n]{1,300}?\\\)|\\\[[^\n]{1,300}?\\\])"
)
NUMBER = r"[-+−]?[$€£¥]?\s?(?:\d(?:[\d,]*\d)?(?:\.\d+)?|\.\d+)(?:/\d+)?%?(?![\d.,]*\d)"
_SHAPES = re.compile(
    rf"""(?P<formula>{FORMULA})
|(?P<letter>(?<![A-Za-z\d\\_])[(\[][A-Ja-j][)\]]
    |(?<![A-Za-z\d\\_^'])[A-J](?![A-Za-z\d_^']|\s*[=^+<>]|\*?-?[A-Za-z\d]|\*[A-Za-z\d(])
    |(?<![A-Za-z\d\\])(?![A-J]*(?P<again>[A-J])[A-J]*(?P=again))[A-J]{{2,10}}(?![A-Za-z\d]))
|(?P<number>(?<![A-Za-z\d_.,^]){NUMBER})|(?P<lower>(?<![A-Za-z\d\\'])[a-j](?![A-Za-z\d']))
|(?P<numeral>[零一二两三四五六七八九十百千万亿]+)
|(?P<command>\\[A-Za-z]+)|(?P<word>[A-Za-z]+(?:'[A-Za-z]+)*)|(?P<han>[\u4e00-\u9fff])
|(?P<comma>[,，…—]|\.{{2,}})|(?P<mark>\*+|__|[`"'“”「」#【】])|(?P<other>\S)""",
    re.VERBOSE,
)
_FIRST = re.compile(r"[A-Za-z]+|\S")


class Token(NamedTuple):
    kinds: frozenset[str]  # of a phrase those it has in phrases.yaml; else one: letter, number, word, ...
    text: str
    start: int
    end: int

    def __contains__(self, kind: object) -> bool:
        return kind in self.kinds


@cache
def _kinds() -> dict[str, frozenset[str]]:
    kinds: dict[str, set[str]] = {}
    for kind, languages in word_lists(__file__).items():
        for phrases in languages.values():
            for phrase in phrases.split(" / "):
                kinds.setdefault(phrase.strip(), set()).add(kind)
    return {phrase: frozenset(found) for phrase, found in kinds.items()}


@cache
def _phrases() -> dict[str, re.Pattern[str]]:
    """By their first word or sign, the longer ones first."""
    by_first: dict[str, list[str]] = {}
    for phrase in sorted(_kinds(), key=len, reverse=True):
        first = _FIRST.match(phrase)
        by_first.setdefault(first[0] if first else phrase, []).append(phrase)
    return {
        first: re.compile("|".join(map(_spelled, found)), re.IGNORECASE) for first, found in by_first.items()
    }


def _spelled(phrase: str) -> str:
    return r"\s+".join(map(re.escape, phrase.split())) + (
        r"(?![A-Za-z\d'])" if phrase[-1].isascii() and phrase[-1].isalpha() else ""
    )


@lru_cache(maxsize=1 << 12)  # a text that loops says one sentence again and again
def tokens(text: str) -> tuple[Token, ...]:
    """Linear in the length of `text`."""
    text = text.replace("’", "'")
    found: list[Token] = []
    phrases, all_kinds = _phrases(), _kinds()
    place = 0
    while first := _FIRST.search(text, place):
        phrase = phrases.get(first[0].lower())
        match = phrase.match(text, first.start()) if phrase else None
        if match:
            kinds = all_kinds[" ".join(match[0].casefold().split())]
        else:
            match = _SHAPES.match(text, first.start()) or first
            kinds = _OF_SHAPE[match.lastgroup or "other"]
        found.append(Token(kinds, match[0], match.start(), match.end()))
        place = match.end()
    return tuple(found)


_OF_SHAPE = {name: frozenset((name,)) for name in _SHAPES.groupindex}
