r"""What of a text is prose, and how many words of each script it has: one view for rewards and filters.

Code, formulas, URLs, tags and digits are nobody's language, but words of a script that is never notation are
prose wherever they stand: in backticks, in \text{…}, in a fence whose line is no code. Words are counted so
that scripts without spaces weigh the same as others: two Han characters, or two of kana, are one word; a run
of any other script is one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import groupby

from distillery.installed.word_lists import word_lists

HAN, KANA, HANGUL, LATIN, GREEK = "han", "kana", "hangul", "latin", "greek"
CUT = "\x1f"
"""Stands in a text's prose where something was taken out; no part of any word."""
_PAIRED = {HAN, KANA}  # written without spaces: two characters are a word
_OPENERS = re.compile(r"```|\$\$|\\\[|\\\(|\\begin\{[^{}\n]{1,30}\}")
_CLOSERS = {"```": "```", "$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_NOBODYS = re.compile(
    r"(?<!\\)\$(?!\s)[^$\n]{1,400}(?<!\s)\$"  # "$5 and $6" in prose has a space before the second sign
    r"|`[^`\n]{1,400}`|https?://\S+|www\.\S+|\\[a-zA-Z]+|</?\w{1,20}>"
    r"|\b(?:sin|cos|tan|cot|sec|csc|log|ln|exp|lim|max|min|mod|gcd|lcm|arg|det|deg)\b"
)
_RUN = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")
_NEVER_NOTATION = re.compile(  # Cyrillic, Hebrew and such from two letters on: ℵ and Ш are signs
    r"[\u3040-\u30ff\u3131-\u318e\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
    r"|[\u0400-\u052f\u0590-\u08ff\u0900-\u0fff\u10a0-\u10ff]{2,}"
)
_LITERAL = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_CODE_LINE = re.compile(r"[=;{}()<>\[\]|]|^\s*(?:#|//|--|\*)")


def scripts_of(language: str) -> frozenset[str]:
    """The scripts a language is written in, by their names in `script_words`; a region is ignored."""
    return frozenset(written().get(base(language), (LATIN,)))


def written() -> dict[str, list[str]]:
    """Languages that are written in something else than Latin letters, and in what."""
    return word_lists(__file__)["scripts"]


def base(language: str) -> str:
    """An ISO 639-1 code without its region: "zh" of "zh-CN"."""
    return language.lower().replace("_", "-").partition("-")[0]


def script_words(text: str) -> dict[str, float]:
    """Words of each script in the prose of `text`. A single Latin or Greek letter is a variable, no word."""
    return words_of(prose(text))


def prose(text: str, *, only: Callable[[str], bool] | None = None) -> str:
    """`text` with what is nobody's language taken out, a `CUT` in its place; `only` chooses lines."""
    words = _without_blocks(text)
    if only is not None:
        words = "\n".join(filter(only, words.split("\n")))
    return _NOBODYS.sub(_foreign_inside, words)


def words_of(words: str) -> dict[str, float]:
    """`script_words` of what is prose already."""
    counts: dict[str, float] = {}
    if not words.isascii():  # most of a Chinese text at once: one character stands for a run of them
        shorter = _HAN_RUN.sub("\u4e00", words)
        if len(shorter) < len(words):
            counts[HAN] = (len(words) - len(shorter)) / 2
            words = shorter
    for run, times in Counter(_RUN.findall(words)).items():
        for script, length in _pieces(run):
            if length == 1 and script in (LATIN, GREEK) and run not in ("a", "A", "I"):
                continue
            amount = length / 2 if script in _PAIRED else 1.0
            counts[script] = counts.get(script, 0.0) + amount * times
    return counts


def main_script(words: Mapping[str, float], *, least: float = 0.6) -> str | None:
    """The script that has at least that share of the words, Han and kana together; None where none has."""
    together = dict(words)
    if KANA in together:
        together[HAN] = together.get(HAN, 0.0) + together.pop(KANA)
    found = max(together, key=together.__getitem__, default=None)
    return found if found and together[found] >= least * sum(together.values()) else None


def _without_blocks(text: str) -> str:
    """Without fenced code and displayed formulas; linear, whatever is open. An open fence runs to the end."""
    kept: list[str] = []
    never_closed: set[str] = set()
    position = 0
    while opener := _OPENERS.search(text, position):
        sign = opener[0]
        closer = _CLOSERS.get(sign) or sign.replace("begin", "end", 1)
        end = -1 if sign in never_closed else text.find(closer, opener.end())
        kept.append(text[position : opener.start()])
        if end < 0 and sign != "```":
            never_closed.add(sign)
            position = opener.end()
            continue
        inside = text[opener.end() : end if end >= 0 else len(text)]
        if not inside.isascii():
            kept.append(_lines_of_no_code(inside) if sign == "```" else _foreign_runs(inside))
        if end < 0:
            return CUT.join(kept)
        position = end + len(closer)
    return CUT.join([*kept, text[position:]])


def _foreign_inside(match: re.Match[str]) -> str:
    found = match[0]
    if found.isascii() or found.startswith(("http", "www.")):
        return CUT
    return _lines_of_no_code(found.strip("`")) if found.startswith("`") else _foreign_runs(found)


def _lines_of_no_code(code: str) -> str:
    """Words of other scripts in lines that are no code, literals apart."""
    lines = (_LITERAL.sub("", line) for line in code.split("\n") if not line.isascii())
    return CUT + "\n".join(_foreign_runs(line) for line in lines if not _CODE_LINE.search(line)) + CUT


def _foreign_runs(formula: str) -> str:
    return CUT + CUT.join(_NEVER_NOTATION.findall(formula)) + CUT


def _pieces(run: str) -> list[tuple[str, int]]:
    """Neighbouring characters of one script, with their number."""
    if run.isascii():
        return [(LATIN, len(run))]
    scripts = (letter_script(character) for character in run if character.isalpha())
    return [(script, len(list(characters))) for script, characters in groupby(scripts)]


@cache
def letter_script(character: str) -> str:
    point = ord(character)
    for first, last, script in word_lists(__file__)["blocks"]:
        if first <= point <= last:
            return script
    name = unicodedata.name(character, "UNKNOWN").partition(" ")[0].lower()
    return LATIN if name in ("latin", "fullwidth", "mathematical") else name
