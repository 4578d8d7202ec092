"""Words of another language slipped into a thought: code-switching, not quotation.

Shares do not show it (three Chinese characters in a long English thought are 0.1 %), so words are counted.
What the question itself is written in, what is quoted, and Greek letters (formulas) are nobody's slip.
"""

from __future__ import annotations

import re
from collections import Counter

from distillery.verify.language import script_words, scripts_of, share_of

_TOLD = {
    *("arabic", "bengali", "cyrillic", "devanagari", "han", "hangul", "hebrew", "kana"),
    *("tamil", "telugu", "thai"),
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
# characters: how far before it a language is named, and how long what is named can be
_NEAR, _MENTIONED = 100, 12
_ASCII = bytes(range(128))
_GREEK = re.compile(r"[\u0370-\u03ff]")
_MOST_GREEK = 0.05  # of a text's characters
_FOREIGN = re.compile(r"[^\x00-\u036f\u2000-\u2bff]")
# English words as short as a variable's name
_SHORT = "all and are but can do for get has if in is it let not now of one or so the to two use was we you"
_TERM = re.compile(  # among other letters than Latin: a gloss, a name, a variable, an identifier or a call
    r"[(（][A-Za-z][A-Za-z ,.'’-]{0,60}[)）]|(?<![A-Za-z])(?:[A-Z][A-Za-z0-9_.'’-]*"
    rf"|(?!(?:{_SHORT.replace(' ', '|')})(?![A-Za-z]))[a-z]{{1,3}}(?![A-Za-z])"
    r"|[A-Za-z][A-Za-z0-9_]*[_\d(（=.\[][A-Za-z0-9_]*)|&[A-Za-z0-9_]{2,6};"
)
_LATIN_SENTENCE = re.compile(r"(?<![A-Za-z'’-])[A-Za-z][A-Za-z'’-]*(?:[ ,;]+[A-Za-z][A-Za-z'’-]*){7,}")
_WORD = re.compile(r"[A-Za-z][a-z]{2,}")  # not the name of a point, a line or a number
_MIN_WORDS = 4  # of a sentence


def _looks_foreign(text: str) -> bool:
    """False where the search proper would find nothing: letters are Latin, or the Greek ones of formulas."""
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
    unquoted = _QUOTED.sub(" ", thought)
    prose = _without_mentions(unquoted) if latin else _TERM.sub(" ", unquoted)
    excused = wanted | set(script_words(question))
    words = script_words(prose, ascii_lines=not latin)
    counts = Counter(words)
    if inside := _TEXT.findall(prose):
        counts.update(script_words(" ".join(inside)))
    foreign = {name: count for name, count in counts.items() if name in _TOLD - excused}
    if foreign:
        shown = ", ".join(f"{count:g} {name}" for name, count in sorted(foreign.items()))
        return f"words of another script in a thought that is to be {language}: {shown}"
    if sum(count for name, count in counts.items() if name not in wanted) >= min_foreign:
        share = share_of(script_words(prose) if latin else words, language)
        if share is not None and share < min_share:
            return f"{share:.2f} of the words are {language}, least is {min_share:g}"
    if not latin and "latin" not in excused and (found := _latin_sentence(unquoted)):
        return f"a sentence that is not {language}: {found[:60]!r}"
    return None


def _latin_sentence(text: str) -> str | None:
    found = (match[0] for match in _LATIN_SENTENCE.finditer(text))
    return next((sentence for sentence in found if len(_WORD.findall(sentence)) >= _MIN_WORDS), None)


def _without_mentions(prose: str) -> str:
    """Without the short runs of another script before which, in their sentence, their language is named."""

    def kept(run: re.Match[str]) -> str:
        before = prose[max(0, run.start() - _NEAR) : run.start()]
        return " " if len(run[0]) <= _MENTIONED and _NAMING.search(before) else run[0]

    return _RUN.sub(kept, prose)
