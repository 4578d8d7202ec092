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
_SHAPES = rf"""(?P<formula>{FORMULA})|(?P<phrase>{{phrases}})
|(?P<letter>[(\[][A-Ja-j][)\]]|(?<![A-Za-z\d\\_^'])[A-J](?![A-Za-z\d_^'(]|\s*[=^+<>]|\*?-?[A-Za-z\d]|\*[A-Za-z\d(])
    |(?<![A-Za-z\d\\])(?![A-J]*([A-J])[A-J]*\2)[A-J]{{2,10}}(?![A-Za-z\d]))
|(?P<number>(?<![A-Za-z\d_.,^]){NUMBER})|(?P<lower>(?<![A-Za-z\d\\'])[a-j](?![A-Za-z\d']))
|(?P<numeral>[零一二两三四五六七八九十百千万亿]+)
|(?P<command>\\[A-Za-z]+)|(?P<word>[A-Za-z]+(?:'[A-Za-z]+)*)|(?P<han>[\u4e00-\u9fff])
|(?P<comma>[,，])|(?P<mark>\*+|__|[`"'“”「」#【】])|(?P<other>[^\s\w]|\w)"""


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
def _lexer() -> re.Pattern[str]:
    def spelled(phrase: str) -> str:
        return r"\s+".join(map(re.escape, phrase.split()))

    known = sorted(_kinds(), key=len, reverse=True)
    latin = "|".join(spelled(phrase) for phrase in known if phrase[0].isascii() and phrase[0].isalpha())
    others = "|".join(spelled(phrase) for phrase in known if not (phrase[0].isascii() and phrase[0].isalpha()))
    phrases = rf"(?i:(?<![A-Za-z\d\\'])(?:{latin})(?![A-Za-z\d']))|{others}"
    return re.compile(_SHAPES.replace("{phrases}", phrases), re.VERBOSE)


@lru_cache(maxsize=1 << 12)  # a text that loops says one sentence again and again
def tokens(text: str) -> tuple[Token, ...]:
    """Linear in the length of `text`."""
    found: list[Token] = []
    for match in _lexer().finditer(text.replace("’", "'")):
        kind = match.lastgroup or "other"
        kinds = frozenset((kind,))
        if kind == "phrase":
            kinds = _kinds()[" ".join(match[0].casefold().split())]
        found.append(Token(kinds, match[0], match.start(), match.end()))
    return tuple(found)
