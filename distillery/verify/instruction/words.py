"""Words and sentences, counted in any script.

A word is a run of letters and digits, as IFEval counts: "don't" is two. A Han character or a kana is one;
Korean is counted between its spaces. Thai, Lao, Khmer and Burmese, which have none, come out too low.
Sentences end as punkt's do for English, by a list of abbreviations and no statistics; a line's end ends none.
"""

from __future__ import annotations

import re
import unicodedata

_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_CAPITAL = re.compile(r"\w+(?:[-./]\w+)*")
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]}*_]*+(?=\s|$)|[。！？｡]++[”’」』）》]*+")
_SHORT = (
    "mr mrs ms dr prof st sr jr vs e.g i.e eg ie vol fig inc ltd corp dept est approx cf al gen col sgt capt "
    "lt rev hon gov sen rep u.s u.k ph.d m.d b.a m.a d.c jan feb mar apr jun jul aug sep sept oct nov dec"
)  # not "etc", "no" and "a.m", behind which a sentence often ends
_ABBREVIATIONS = frozenset(_SHORT.split())


def is_unspaced(character: str) -> bool:
    """Of a script whose words have no spaces between them: Han or kana."""
    return bool(re.match(f"[{_UNSPACED}]", character))


def count_words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(_plain(text)))


def capital_words(text: str) -> int:
    """Words without a lower case letter; hyphenated ones count once, and so do "I" and "A"."""
    return sum(match[0].isupper() for match in _CAPITAL.finditer(_plain(text)))


def sentences(text: str) -> list[str]:
    found: list[str] = []
    begin = 0
    for end in _END.finditer(text):
        if not _goes_on(text, begin, end):
            found.append(text[begin : end.end()].strip())
            begin = end.end()
    rest = [*found, text[begin:].strip()]
    return [sentence for sentence in rest if any(character.isalnum() for character in sentence)]


def _goes_on(text: str, begin: int, end: re.Match[str]) -> bool:
    """Whether the full stop belongs to an abbreviation, an initial or the number of a list's item."""
    following = text[end.end() : end.end() + 80].lstrip()[:1]
    if end[0].startswith(("..", "…")):
        return following.islower()
    if not following or not end[0].startswith("."):
        return False
    before = text[max(begin, end.start() - 30) : end.start()]
    word = re.split(r"[\s(\[\"'“‘*_]", before)[-1]
    listed = before.rpartition("\n")[2].strip(" *_#").isdigit()
    initial = len(word) == 1 and word.isupper() and word != "I"
    return listed or initial or word.lower() in _ABBREVIATIONS


def _plain(text: str) -> str:
    """Without accents that stand alone and invisible characters, which would cut words in two."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(sign for sign in composed if unicodedata.category(sign) not in ("Mn", "Mc", "Me", "Cf"))
