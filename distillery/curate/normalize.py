r"""One spelling for texts that say the same: LaTeX variants, width, case, digits, spacing, punctuation.

Everything works on a polars Series of texts. Operators and brackets stay tokens: "2+3" and "2-3" are two problems.
Han, kana and Thai are written without spaces, so each character is a token.
"""

from __future__ import annotations

import unicodedata

import polars as pl

NUMBER = "#"
"""What every number becomes in `masked`."""

_GREEK = {
    unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda"): letter  # Unicode spells it lamda
    for letter in "αβγδεζηθικλμνξοπρστυφχψω"
}
_LETTERS = {f"\\{form}{name}": letter for name, letter in _GREEK.items() for form in ("var", "")}
"""As plain replacements, longest first: \\pitchfork loses its start, in every text alike."""
_SUPERSCRIPTS = {mark: f"^{digit}" for digit, mark in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_CHARACTERS = {
    **_SUPERSCRIPTS,
    "½": "1/2",
    "−": "-",
    "–": "-",
    "—": " ",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∗": "*",
    "÷": "/",
    "∣": "|",
    "°": " degrees ",
    "√": r"\sqrt ",
    "∞": r"\infty ",
    "…": " ",
    "'": "",
    "’": "",
    "≤": "≤",
    "≥": "≥",
}
"""Replaced before NFKC, which would turn x² into x2."""

_COMMANDS = (
    (r"\\(?:left|right|middle|bigg?[lrm]?|displaystyle|textstyle|limits|nolimits|notag)\b", " "),
    (
        r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|boldsymbol|operatorname|mbox|emph)\b\*?",
        " ",
    ),
    (r"(\d)(?:,|\{,\}|,?\\[!,])(\d{3})\b", "${1}${2}"),
    (r"(\d)(?:,|\{,\}|,?\\[!,])(\d{3})\b", "${1}${2}"),  # twice: matches do not overlap, 1,000,000 has two
    (r"\\[,;:!> ]|\\q?quad\b|~", " "),
    (r"\\[dtc]frac\b", r"\frac"),
    (r"\\frac\s*(\d)\s*(\d)", r"\frac ${1} ${2}"),
    (r"\^\s*\{?\s*\\circ\b\s*\}?|\\degree\b", " degrees "),
    (r"\\(?:cdot|times|ast)\b", "*"),
    (r"\\div\b", "/"),
    (r"\\(?:leq?|leqslant)\b", "≤"),
    (r"\\(?:geq?|geqslant)\b", "≥"),
    (r"\\neq?\b", "≠"),
    (r"\\(?:[lr]?vert|mid)\b", "|"),
    (r"\\(?:[lcd]|vd)?dots\b", " "),
    (r"\\([%&#_])", "${1}"),
    (r"\\[\[\]()$]|\$|\\\\", " "),
    (r"__+", " "),
    (r"(\d)\s*:\s*(\d)", "${1}∶${2}"),
    (r"(\p{L}{2})-(\p{L}{2})", "${1} ${2}"),
    (r"(\p{L}{2})-(\p{L}{2})", "${1} ${2}"),  # twice, for state-of-the-art
)
_BLANKS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # what str.split takes for white space in ASCII, besides the space itself
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}"
WORD = rf"\\[a-z]+|\d+(?:\.\d+)?|[{_UNSPACED}]|[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]+"
_TOKEN = rf"{WORD}|[-*/^!%&#@_()\[\]\p{{Sm}}]"
BREAK = r"[.?:;。\n]"
"""What ends a sentence or a line."""
_NUMBER = r"\d+(?:\.\d+)?"


def squeezed(text: str) -> str:
    """Runs of white space become one space; nothing else changes."""
    if not text.isascii():
        return " ".join(unicodedata.normalize("NFC", text).split())
    for blank in _BLANKS:  # more than twice as fast as split and join
        text = text.replace(blank, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


def tokens(texts: pl.Series) -> pl.Series:
    """Lists of words, numbers, LaTeX commands, operators and brackets; null stays null."""
    return _prepared(texts).str.extract_all(_TOKEN)


def tokens_and_breaks(texts: pl.Series) -> pl.Series:
    """As `tokens`, with the marks at which a sentence or a line ends."""
    return _prepared(texts).str.extract_all(f"{_TOKEN}|{BREAK}")


def words(texts: pl.Series) -> pl.Series:
    """As `tokens`, without operators and brackets: what n-gram overlap is counted on."""
    return _prepared(texts).str.extract_all(WORD)


def masked(texts: pl.Series) -> pl.Series:
    """As `words`, every number being `NUMBER`: equal for problems in which only the numbers differ."""
    numbered = _prepared(texts).str.replace_all(_NUMBER, f" {NUMBER} ")
    return numbered.str.extract_all(rf"{NUMBER}|{WORD}")


def canonical(texts: pl.Series) -> pl.Series:
    """One string for all spellings of a text: its tokens, a space between them."""
    return tokens(texts).list.join(" ")


def _prepared(texts: pl.Series) -> pl.Series:
    out = texts.cast(pl.String).str.replace_many(list(_CHARACTERS), list(_CHARACTERS.values()))
    wide = (out.str.len_bytes() != out.str.len_chars()).fill_null(value=False)  # ASCII is in its normal form
    out = out.scatter(wide.arg_true(), out.filter(wide).str.normalize("NFKC")).str.to_lowercase()
    marked = out.str.contains_any(["\\", "$", "-", ",", "~", "__", ":"]).fill_null(False)
    special = out.filter(marked).str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    for pattern, replacement in _COMMANDS:
        special = special.str.replace_all(pattern, replacement)
    return out.scatter(marked.arg_true(), special)
