r"""One spelling for answers that LaTeX and people write in many: \dfrac12, 1/2 and $\frac{1}{2}$.

It changes how a thing is written, never what it is; what it cannot read it leaves.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from distillery.installed.word_lists import word_lists

_LISTS = word_lists(__file__)
_SIGNS = str.maketrans(_LISTS["signs"])


def _filled(pattern: str) -> re.Pattern[str]:
    for name in ("token", "text", "factor"):
        pattern = pattern.replace(f"{{{name}}}", _LISTS[name])
    return re.compile(pattern)


def _read(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_filled(pattern), replacement) for pattern, replacement in _LISTS[name])


_REWRITES, _FACTORS = _read("rewrites"), _read("factors")
_FACTOR_WORDS = _filled(_LISTS["words"])
_PLAIN = re.compile(r"-?\d+")
_ONLY_TEXT = re.compile(r"\\text\{([^{}\\]*)\}")
_DOLLARS = re.compile(r"(?<!\\)\$")
_SPACES = re.compile(r"\s+")
_THOUSANDS = re.compile(r"(?<![\d.,/^_{ ])\d{1,3}(?: \d{3})+(?![\d/])")
_SPACES_BESIDE = re.compile(r"(?<![A-Za-z\d])\s+|(?<=[A-Za-z])\s+(?![A-Za-z])|(?<=\d)\s+(?!\d)")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣʸᵏᵐᵗ]+")
_LOWERED = re.compile(r"[₀₁₂₃₄₅₆₇₈₉₊₋ₙₖₘᵢⱼₓ]+")
_VULGAR = re.compile(r"[¼-¾⅐-⅞]")
_GROUPED = re.compile(r"(?<=\{)\d{1,3}(?:,\d{3})+(?=\})")  # \frac{1}{20,000}
_NOTE = re.compile(r"\s*\((?:approximately|approx)[^()]*\)\s*$", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?<=.)(?:,|\(|\\quad|\\text\{\s*(?:where|for)\s*\}|\s)[\s\\]*\(?[kmn]\s*(?:\\in|∈)\s*(?:\\math(?:bb|bf|rm)\s*\{?)?[ZN]\}?"
    r"(?:[\^_]\s*\{?\s*[*+]\s*\}?)?\s*\)?\s*$"
)


_RAISED_IN_BRACKETS = re.compile(r"(?:\\sqrt\s*(?:\[[^\[\]]*\])?|[\^_])\s*(?=\()")
# behind an answer: check marks and pictures, not a cross; the end of a proof
_MARKS = re.compile(
    r"(?<=[^\s])[\s\\,;]*(?:(?![❌❎✗✘✖✕❓❔👎🚫⛔])[\u2300-\u23ff\u25a0-\u25ff\u2600-\u27bf\u2b00-\u2bff\u220e\ufe0f\u200d\U0001f000-\U0001faff]"
    r"|\\(?:checkmark|blacksquare|square|Box|qed)(?![a-z])\s*)+[\s.$]*$"
)
_ESCAPED_TWICE = re.compile(r"\\\\(?=[a-zA-Z]{2})")
_GOES_ON = re.compile(
    r"(?<![\d.])(\d*\.\d*?)(?:(\d)\2{2,}|(\d{2,6}?)\3+)(?:\.{2,}|\\(?:dots|ldots|cdots)(?![a-z]))"
)
_RAISED_TWICE = re.compile(r"(?<=\d)\^\s*\{?\s*(\d)\s*\^\s*(?:\{\s*(\d)\s*\}|(\d))\s*\}?(?![\d^!])")
_OUTWARD = re.compile(r"([\[\](])([^\[\]()]*[,;][^\[\]()]*)([\[\])])")
_ROWS = re.compile(r"\[(\[[^\[\]]*\](?:,\[[^\[\]]*\])+)\]")


@lru_cache(maxsize=1 << 14)
def canonical(answer: str) -> str:
    """Spaces stay only between two digits, or letters, where they part words or a command from what
    follows."""
    if _PLAIN.fullmatch(answer) and answer.isascii():
        return answer
    text = answer if answer.isascii() and "\\" not in answer else _MARKS.sub("", answer)
    text = _RAISED.sub(lambda found: f"^{{{_folded(found[0])}}}", text)
    text = _LOWERED.sub(lambda found: f"_{{{_folded(found[0])}}}", text)
    text = _VULGAR.sub(lambda found: f" {_folded(found[0]).replace('⁄', '/')}", text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    text = _PARAMETER.sub("", _NOTE.sub("", text))
    if "\\\\" in text and "\\begin" not in text:  # there it ends a row
        text = _ESCAPED_TWICE.sub(r"\\", text)
    for pattern, replacement in (*_FACTORS, *_REWRITES) if _FACTOR_WORDS.search(text) else _REWRITES:
        text = pattern.sub(replacement, text)
    text = _in_braces(text) if "(" in text else text
    text = _GOES_ON.sub(_repeating, text) if "." in text else text
    text = _RAISED_TWICE.sub(_power, text) if text.count("^") > 1 else text
    text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text)
    text = _DOLLARS.sub("", text).strip().rstrip(".,;:").strip()
    text = _THOUSANDS.sub(lambda found: found[0].replace(" ", ""), _SPACES.sub(" ", text))
    text = _brackets(_SPACES_BESIDE.sub("", text))
    words = _ONLY_TEXT.fullmatch(text)
    return words[1].strip() if words else text


def _in_braces(text: str) -> str:
    r"""e^(2x) as e^{2x}, \sqrt(2) as \sqrt{2}."""
    place = 0
    while found := _RAISED_IN_BRACKETS.search(text, place):
        begin, place = found.end(), found.end()
        end = closing(text, begin)
        if end > begin:
            text = f"{text[:begin].rstrip()}{{{text[begin + 1 : end]}}}{text[end + 1 :]}"
    return text


def closing(text: str, begin: int) -> int:
    """Where the bracket at `begin` is closed; -1: nowhere."""
    depth = 0
    for place in range(begin, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return -1


def _repeating(found: re.Match[str]) -> str:
    return f"{found[1]}\\overline{{{found[2] or found[3]}}}"


def _power(found: re.Match[str]) -> str:
    """The value of a small power in an exponent: 2^{3^2} is 2^9."""
    value = int(found[1]) ** int(found[2] or found[3])
    return f"^{{{value}}}" if value < 1000 else found[0]


def _brackets(text: str) -> str:
    """Without braces around all of it; ]0,1[ as (0,1); [[1,2],[3,4]] as a matrix."""
    for _ in range(3):
        if text[:1] == "{" and text[-1:] == "}" and first_closes_last(text):
            text = text[1:-1].strip()
    if text[:1] == "]" or text[-1:] == "[":
        text = _OUTWARD.sub(
            lambda found: ("[" if found[1] == "[" else "(") + found[2] + ("]" if found[3] == "]" else ")"),
            text,
        )
    rows = _ROWS.fullmatch(text)
    if rows and len({row.count(",") for row in rows[1][1:-1].split("],[")}) == 1:
        cells = rows[1][1:-1].replace("],[", "\\\\").replace(",", "&")
        text = f"\\begin{{pmatrix}}{cells}\\end{{pmatrix}}"
    return text


def first_closes_last(text: str, opening: str = "{", closing: str = "}") -> bool:
    """Whether the last character closes the first; brackets may be mixed, as those of half-open intervals."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign in opening) - (sign in closing)
        if depth == 0:
            return place == len(text) - 1
    return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("−", "-")
