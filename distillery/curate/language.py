"""Words of another language slipped into a thought: code-switching, not quotation.

Shares do not show it (three Chinese characters in a long English thought are 0.1 %), so words are counted. What the
question itself is written in, what is quoted, and Greek letters (formulas) are nobody's slip.
"""

from __future__ import annotations

import re
from collections import Counter

from distillery.verify.language import language_share, script_words, scripts_of

_TOLD = {
    "arabic",
    "bengali",
    "cyrillic",
    "devanagari",
    "han",
    "hangul",
    "hebrew",
    "kana",
    "tamil",
    "telugu",
    "thai",
}
"""Scripts whose words are never notation."""
_QUOTED = re.compile(
    r"(?:\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|「[^」\n]{1,80}」|『[^』\n]{1,80}』|《[^》\n]{1,80}》|'[^'\n]{1,20}')"
    r"(?:\s?[(（][^()（）\n]{1,40}[)）])?"  # its translation
)
_TEXT = re.compile(r"\\(?:text|mbox|textbf|mathrm)\s*\{([^{}]{1,200})\}")  # words inside a formula
_NAMING = re.compile(
    r"\b(?:Arabic|Bengali|Bulgarian|Cantonese|Chinese|Cyrillic|Farsi|Hebrew|Hindi|Japanese|Kanji|Korean|Mandarin|Persian"
    r"|Russian|Serbian|Tamil|Telugu|Thai|Ukrainian|Urdu|characters?|letters?|symbols?)\b[^.!?\n]*\Z",
    re.IGNORECASE,
)
_RUN = re.compile(r"[^\x00-\u03ff\u2000-\u303e]+")
_NEAR, _MENTIONED = (
    100,
    12,
)  # characters: how far before it a language is named, and how long what is named can be
_ASCII = bytes(range(128))
_GREEK = re.compile(r"[\u0370-\u03ff]")
_MOST_GREEK = 0.05  # of a text's characters
_FOREIGN = re.compile(r"[^\x00-\u036f\u2000-\u2bff]")
_TERM = re.compile(  # in a text not written in Latin letters: a gloss, a name, an identifier, a call
    r"[(（][A-Za-z][A-Za-z ,.'’-]{0,60}[)）]|\b[A-Z][\w.'’-]*|\b[A-Za-z]\w*[_\d(（=.]\w*|&\w{2,6};"
)
_LATIN_SENTENCE = re.compile(r"(?<![A-Za-z'’-])[A-Za-z][A-Za-z'’-]*(?:[ ,;]+[A-Za-z][A-Za-z'’-]*){7,}")


def _looks_foreign(text: str) -> bool:
    """False where the search proper would find nothing: no letter but Latin ones and the Greek ones of formulas."""
    if text.isascii():
        return False
    letters = "".join(_FOREIGN.findall(text.encode(errors="replace").translate(None, _ASCII).decode()))
    greek = len(_GREEK.findall(letters))
    return greek > _MOST_GREEK * len(text) or any(map(str.isalpha, _GREEK.sub("", letters)))


def slip(
    thought: str, language: str, *, question: str = "", min_share: float = 0.7, min_foreign: int = 8
) -> str | None:
    """What is foreign in `thought`, in words; None when nothing is, or when it holds no words at all.

    A share below `min_share` counts from `min_foreign` foreign words on: fewer are terms and names.
    """
    wanted = scripts_of(language)
    latin = "latin" in wanted
    if latin and not _looks_foreign(thought):
        return None
    prose = _QUOTED.sub(" ", thought)
    prose = _without_mentions(prose) if latin else _TERM.sub(" ", prose)
    excused = wanted | set(script_words(question))
    counts = Counter(script_words(prose)) + Counter(script_words(" ".join(_TEXT.findall(prose))))
    foreign = {name: count for name, count in counts.items() if name in _TOLD - excused}
    if foreign:
        shown = ", ".join(f"{count:g} {name}" for name, count in sorted(foreign.items()))
        return f"words of another script in a thought that is to be {language}: {shown}"
    share = language_share(prose, language)
    others = sum(count for name, count in counts.items() if name not in wanted)
    if share is not None and share < min_share and others >= min_foreign:
        return f"{share:.2f} of the words are {language}, least is {min_share:g}"
    if not latin and "latin" not in excused and (found := _LATIN_SENTENCE.search(_QUOTED.sub(" ", thought))):
        return f"a sentence that is not {language}: {found[0][:60]!r}"
    return None


def _without_mentions(prose: str) -> str:
    """Without the short runs of another script before which, in the same sentence, their language is named."""

    def kept(run: re.Match[str]) -> str:
        before = prose[max(0, run.start() - _NEAR) : run.start()]
        return " " if len(run[0]) <= _MENTIONED and _NAMING.search(before) else run[0]

    return _RUN.sub(kept, prose)
