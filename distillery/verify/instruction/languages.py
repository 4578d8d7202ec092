"""Whether a text is in a language: by its script, then by the small words of those that share one.

Needs some ten words to tell close neighbours apart (Danish and Norwegian, Spanish and Portuguese). Without
any of the small words, or any words, nothing speaks against the wanted language.
"""

from __future__ import annotations

import re
from collections import Counter

from distillery.installed.word_lists import word_lists
from distillery.verify.identify import SMALL_WORDS
from distillery.verify.language import share_of
from distillery.verify.prose import script_words, scripts_of

MIN_SHARE = 2 / 3  # of the words, in the language's script; names and terms keep theirs

_GAP = re.compile(r"[\s\d.,;:!?()\[\]{}<>\"“”„«»…।،؛؟۔*_#/|\\'’`~=+—–-]+")

_LISTS = word_lists(__file__)
LANGUAGES = frozenset({*SMALL_WORDS, *_LISTS["alone"]})
_PROFILES = {code: (words, frozenset(_LISTS["letters"].get(code, ""))) for code, words in SMALL_WORDS.items()}


def is_in(text: str, language: str) -> bool:
    """`language` is one of LANGUAGES, with or without a region ("zh-cn")."""
    code = language.lower().partition("-")[0]
    share = share_of(script_words(text), code)
    if share is None:  # nothing but code, or no words at all
        share = share_of(script_words(text.replace("```", " ")), code)
    if share is None:
        return True
    return share >= MIN_SHARE and (code in _LISTS["alone"] or _speaks_for(text, code))


def _speaks_for(text: str, code: str) -> bool:
    """Whether no other language of the same script has more of its small words and letters in the text."""
    counts = Counter(_GAP.split(text.lower()))
    hits = {
        other: sum(number for word, number in counts.items() if word in words or not letters.isdisjoint(word))
        for other, (words, letters) in _PROFILES.items()
        if scripts_of(other) == scripts_of(code)
    }
    return hits[code] == max(hits.values())
