"""Words of another language slipped into a thought: code-switching, not quotation.

Shares do not show it (three Chinese characters in a long English thought are 0.1 %), so words are counted. What the
question itself is written in, what is quoted, and Greek letters (formulas) are nobody's slip.
"""

from __future__ import annotations

import re

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
    r"\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|「[^」\n]{1,80}」|『[^』\n]{1,80}』|《[^》\n]{1,80}》|'[^'\n]{1,20}'"
)
_ASCII = bytes(range(128))
_GREEK = re.compile(r"[\u0370-\u03ff]")
_MOST_GREEK = 0.05  # of a text's characters
_FOREIGN = re.compile(r"[^\x00-\u036f\u2000-\u2bff]")
_LATIN_SENTENCE = re.compile(r"(?<![A-Za-z'’-])[A-Za-z][A-Za-z'’-]*(?:[ ,;]+[A-Za-z][A-Za-z'’-]*){7,}")


def _looks_foreign(text: str) -> bool:
    """False where the search proper would find nothing: no letter but Latin ones and the Greek ones of formulas."""
    if text.isascii():
        return False
    letters = "".join(_FOREIGN.findall(text.encode(errors="replace").translate(None, _ASCII).decode()))
    greek = len(_GREEK.findall(letters))
    return greek > _MOST_GREEK * len(text) or any(map(str.isalpha, _GREEK.sub("", letters)))


def slip(thought: str, language: str, *, question: str = "", min_share: float = 0.7) -> str | None:
    """What is foreign in `thought`, in words; None when nothing is, or when it holds no words at all."""
    wanted = scripts_of(language)
    if "latin" in wanted and not _looks_foreign(thought):
        return None
    prose = _QUOTED.sub(" ", thought)
    excused = wanted | set(script_words(question))
    counts = script_words(prose)
    foreign = {name: count for name, count in counts.items() if name in _TOLD - excused}
    if foreign:
        shown = ", ".join(f"{count:g} {name}" for name, count in sorted(foreign.items()))
        return f"words of another script in a thought that is to be {language}: {shown}"
    share = language_share(prose, language)
    if share is not None and share < min_share:
        return f"{share:.2f} of the words are {language}, least is {min_share:g}"
    if "latin" not in excused and (found := _LATIN_SENTENCE.search(prose)):
        return f"a sentence that is not {language}: {found[0][:60]!r}"
    return None
