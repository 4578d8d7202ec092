"""Which language a text is in, where its script does not tell: py3langid, asked of few texts and believed
when sure.

It takes some 150 µs a sentence, and once 0.7 s for its model, which ships with it. Where it is not sure the
language is unknown, and whoever asks says so. Names, terms and variables look like any language: nothing is
said of fewer than six words, and stretches without a small word of another language are not asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from distillery.installed.word_lists import word_lists
from distillery.verify.prose import (
    GREEK,
    HAN,
    HANGUL,
    KANA,
    base,
    letter_script,
    main_script,
    scripts_of,
    words_of,
    written,
)

SURE = 0.8  # probability, for a text's language
_DOUBT = 0.02  # probability, at most, that a stretch is in the language that it should be in
_STRETCH, _LOWER = 6, 5  # words of a stretch at least, and of those in small letters: the rest are names
_PLAIN = 3  # of a language's own small words, where no other language has any
_LOOKED_AT = 2_000  # characters of a text, for its language
_LISTS = word_lists(__file__)
SMALL_WORDS: dict[str, frozenset[str]] = {
    code: frozenset(words.split()) for code, words in _LISTS["small_words"].items()
}
_ALL_SMALL_WORDS = SMALL_WORDS | {
    code: frozenset(words.split()) for code, words in _LISTS["more_small_words"].items()
}
_TOLD = frozenset(_LISTS["told"].split())
_NO_LANGUAGE = "zxx"
_BREAK = re.compile(r"[.!?;:\n\"“”„«»()\[\]*|=<>\\{}/_#…—。！？；：，、（）\d]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_GREEK_WORD = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]{4,}")  # no product of variables
_JOINS = "da|das|de|del|della|den|der|des|di|do|dos|du|e|la|le|van|von|y|zu"
_NAME = re.compile(rf"[A-Z][\w'’-]*(?: (?:{_JOINS}))+ [\w'’-]+(?: (?:{_JOINS}) [A-Z][\w'’-]*)?")
_BETWEEN_SPACES = re.compile(r"(?<= )[^\W\d_]+(?= )")
_MANY = re.compile(r"\blanguages\b|(?:多|各|几|不同|其他)[种的]?语言", re.IGNORECASE)
OTHER_LETTERS = re.compile(r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u1cff\u1e00-\u1eff]")
"""Letters, Greek apart, that no English word and no formula has."""


class Stretch(NamedTuple):
    text: str  # names apart
    language: str  # the likeliest
    words: int


def code_of(language: str) -> str:
    """The code by which it is known here: "no" of "nb-NO"."""
    return _LISTS["same"].get(base(language), base(language))


def is_known(language: str) -> bool:
    """Whether texts can be held to it."""
    return code_of(language) in _TOLD - {_NO_LANGUAGE} or base(language) in written()


def language_of(words: str, *, least: float = 0.6) -> str | None:
    """Of prose (`prose`), where one script has that share of it; None where it has no words or none
    is sure."""
    found = words_of(words)
    script = main_script(found, least=least)
    if script is None or (script == GREEK and len(_GREEK_WORD.findall(words)) < _PLAIN):
        return None
    if alone := _by_script(script, found):
        return alone
    if not any(script in scripts_of(code) for code in _TOLD):
        return None
    tokens = _WORD.findall(words[:_LOOKED_AT])
    if plain := _by_small_words(frozenset(map(str.lower, tokens))):
        return plain
    chances = _chances(" ".join(tokens))
    best = max(chances, key=chances.__getitem__)
    return best if best != _NO_LANGUAGE and _together(chances, best) >= SURE else None


def foreign_stretches(words: str, language: str) -> Iterator[Stretch]:
    """Stretches of prose in another language of the same script as `language`."""
    code = code_of(language)
    if code not in _TOLD:
        return
    scripts, strong = scripts_of(code), _strong_words(code)
    marks = marks_in(words, code)
    if not marks and not OTHER_LETTERS.search(words):
        return
    for sentence in _BREAK.split(words):
        if not any(mark in sentence for mark in marks) and not OTHER_LETTERS.search(sentence):
            continue
        for own, run in groupby(_WORD.findall(sentence), lambda word: word.lower() in strong):
            told = [] if own else [word for word in run if letter_script(word[0]) in scripts]
            if len(told) < _STRETCH:
                continue
            text = _NAME.sub(" ", " ".join(told))
            if sum(len(word) > 1 and word.islower() for word in text.split()) < _LOWER:
                continue
            chances = _chances(text)
            if _together(chances, code) + chances[_NO_LANGUAGE] <= _DOUBT:
                yield Stretch(text, max(chances, key=chances.__getitem__), len(told))


def marks_in(text: str, language: str) -> frozenset[str]:
    """The small words in it of other languages in the same script."""
    return hints_of(language).intersection(_BETWEEN_SPACES.findall(text))


@cache
def hints_of(language: str) -> frozenset[str]:
    """Small words of the other languages in its script, without its own."""
    code = code_of(language)
    own = _ALL_SMALL_WORDS.get(code, frozenset[str]()) | set(_LISTS["homographs"].get(code, "").split())
    others = (words for other, words in _ALL_SMALL_WORDS.items() if scripts_of(other) == scripts_of(code))
    return frozenset(word for words in others for word in words if len(word) > 1) - own


@cache
def _strong_words(code: str) -> frozenset[str]:
    """Its small words that no other language has."""
    same = {code_of(code), *_close(code_of(code))}
    others = (words for other, words in _ALL_SMALL_WORDS.items() if code_of(other) not in same)
    return _ALL_SMALL_WORDS.get(code, frozenset[str]()).difference(*others)


def _by_small_words(words: frozenset[str]) -> str | None:
    """The one language of whose own small words there are some: most questions need no identifier."""
    found = {code: len(words & _strong_words(code)) for code in _ALL_SMALL_WORDS}
    best = max(found, key=found.__getitem__)
    others = sum(count for code, count in found.items() if code not in (best, *_close(best)))
    return code_of(best) if found[best] >= _PLAIN and not others else None


def _by_script(script: str, words: dict[str, float]) -> str | None:
    """The language of a script that one alone has."""
    if script == HAN:
        return "ja" if words.get(KANA, 0.0) > 0.1 * sum(words.values()) else "zh"
    if script == HANGUL:
        return "ko"
    found = [code for code, scripts in written().items() if scripts == [script]]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=4096)
def named_in(question: str) -> frozenset[str] | None:
    """Languages that a question asks about by name; None: about many, without a name."""
    named = frozenset(code for code, name in _named() if name.search(question))
    return None if not named and _MANY.search(question) else named


@cache
def _named() -> list[tuple[str, re.Pattern[str]]]:
    chinese: dict[str, str] = _LISTS["named_in_chinese"]
    form: str = _LISTS["naming"]
    return [
        (code, re.compile(form.format(name=name) + (f"|{chinese[code]}" if code in chinese else ""), re.I))
        for code, name in _LISTS["named"].items()
    ]


def _together(chances: dict[str, float], code: str) -> float:
    return sum(chances.get(one, 0.0) for one in (code, *_close(code)))


@cache
def _close(code: str) -> frozenset[str]:
    groups: list[list[str]] = [group for group in _LISTS["close"] if code in group]
    return frozenset(one for group in groups for one in group) - {code}


@lru_cache(maxsize=4096)
def _chances(text: str) -> dict[str, float]:
    return dict(_identifier().rank(text))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(_TOLD))
    return identifier
