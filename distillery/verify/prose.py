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
from distillery.reasoning import visible

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
_LITERAL = re.compile(
    r"\"\"\".*?(?:\"\"\"|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|\"[^\"\n]*\"|'[^'\n]*'|/\*.*?\*/|<!--.*?-->|(?:#|//|--|%|;;)[^\n]*",
    re.DOTALL,
)
"""Strings and comments."""
_NAMES_FENCE = re.compile(r"\A[ \t]*[\w+#.-]*[ \t]*\n")
_CODE_LINE = re.compile(r"[=;{}()<>\[\]|]")
_CODE = re.compile(
    r"[A-Za-z_]\w*\s*(?:\(|\[|\.\w|[-+*/%|&^]?=|:=|::|->|=>|\+\+)|[;{}]\s*$|^\s*[}\])]|^\s*@\w|</?\w+[^<>]*>"
    r"|^\s*(?:def|class|for|while|if|else|elif|try|except|import|from|return|print|pass|break|continue|let|const|var"
    r"|int|public|private|void|func|fn|use|using|package|include|select|insert|update|create|where|end|do|then|fi|done"
    r"|echo|cd|pip|git|npm|sudo|ls)\b",
    re.MULTILINE | re.IGNORECASE,
)
_LEAST_CODE = 5  # lines for one of code; a fence with less of it is prose, whatever signs are set into it
_LONG_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{8,}|[，。、；：！？…]")
_FUNCTION_WORDS = re.compile(
    r"(?=[\u3040-\u30ff\u3400-\u9fff]{4})[\u3040-\u30ff\u3400-\u9fff]*(?:的|了|是|我们|然后|所以|因为|首先|如果|这个|那么|可以|です|ます|から)"
)
_TWO_WORDS = re.compile(
    r"[{0}]{{2,}}\s+[{0}]{{2,}}".format(r"\u0400-\u052f\u0590-\u08ff\u0900-\u0fff\u10a0-\u10ff\uac00-\ud7af")
)


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
    words = _without_blocks(visible(text))
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
    """Words of other scripts: of prose all, of code those in lines of prose, without strings and comments."""
    bare = _LITERAL.sub(" ", code)
    if not _is_code(code, bare):
        return _foreign_runs(code)
    lines = (line for line in bare.split("\n") if not line.isascii() and _is_prose_line(line))
    return CUT + "\n".join(map(_foreign_runs, lines)) + CUT


def _is_code(code: str, bare: str) -> bool:
    """Whether enough of its lines are code by what `bare` leaves of them: a call, an operator, a keyword."""
    lines = [line for line in _NAMES_FENCE.sub("", code).split("\n") if line.strip()]
    coded = [line for line in bare.split("\n") if _CODE.search(line) or _is_expression(line)]
    return len(coded) * _LEAST_CODE >= len(lines)


def _is_expression(line: str) -> bool:
    """Names of another script between operators: 总数 = 价格 * 数量."""
    return bool(_CODE_LINE.search(line)) and not _is_prose_line(line)


def _is_prose_line(line: str) -> bool:
    said = _LONG_RUN.search(line) or _FUNCTION_WORDS.search(line) or _TWO_WORDS.search(line)
    return bool(said) or not _CODE_LINE.search(line)


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
