r"""One spelling for texts that say the same: LaTeX, script, width, case, digits, spacing, punctuation.

Everything works on a polars Series of texts. What changes a problem stays: operators, brackets, braces around
more than one word (as brackets), primes, dots between numbers.
Han, kana and Thai are written without spaces, so each character is a token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import unescape
from typing import Any

import polars as pl

from distillery.installed.word_lists import word_lists

NUMBER = "#"
"""What every number becomes in `masked`."""

_KNOWN: dict[str, Any] = word_lists(__file__)
_GREEK = {
    unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda"): letter  # Unicode spells it lamda
    for letter in "αβγδεζηθικλμνξοπρστυφχψω"
}
_COMMANDS = {
    **{f"\\{form}{name} ": f"{letter} " for name, letter in _GREEK.items() for form in ("var", "")},
    **{f"\\{name} ": by for by, names in _KNOWN["commands"].items() for name in names},
    **{f"\\{name} ": f" {name} " for name in _KNOWN["functions"]},
}
"""By what they become, each with the space that `_SPACED` puts behind it."""
_EVERY = [chr(code) for code in range(0x80, 0x20000)]
_CHARACTERS: dict[str, str] = {
    # 2½ is no 21/2
    **{one: f" {unicodedata.normalize('NFKC', one).replace('⁄', '/')}" for one in _EVERY
       if unicodedata.decomposition(one).startswith("<fraction>")},
    **_KNOWN["characters"],
}  # fmt: skip
_DIGITS = {one: str(unicodedata.decimal(one)) for one in _EVERY if one.isdecimal()}
_SIMPLIFIED: dict[str, str] = dict(_KNOWN["simplified"].split())
_JOINTS = r"(?:,|\{,\}|,?\\[!,])"
# matches do not overlap: 1,000,000 has two
_THOUSANDS = ((rf"([0-9]){_JOINTS}([0-9]{{3}})([^0-9]|$)", "${1}${2}${3}"),) * 2
_NARROW_SPACED = ((r"(\d)[\u2009\u202f](\d{3})(\D|$)", "${1}${2}${3}"),) * 2
_RAISED = ((r"[⁰¹²³⁴-⁹⁺⁻ⁿ]+", "^{${0}}"), (r"[₀-₉₊₋]+", "_{${0}}"), (r"\p{Cf}", ""))
_BOLD = r"(^|[\s(])(?:\*\*|__)(\p{L}[^*_\n]*)(?:\*\*|__)([\s).,:;?!]|$)"
_WRITTEN_UP = rf"&(?:[a-z]+|#[0-9]+);|{_BOLD}"
"""Entities of HTML, and what Markdown makes bold; 2**3 is a power."""
_HYPHENS = ((r"(\p{L}{2})-(\p{L}{2})", "${1} ${2}"),) * 2  # for state-of-the-art
_MARKS = (
    (r"[~$]", " "),
    (r"__+", " "),
    (r"(\d)\s*:\s*(\d)", "${1}∶${2}"),
    *_HYPHENS,
    (r"(^|[\s(\[{=+*/,<>-])\.(\d)", "${1}0.${2}"),
    (r"\.\.\.+", " ⋯ "),
    (r"percent([^a-z]|$)", "%${1}"),
)
_MARKED = r"[~$:-]|__|[0-9](?:,|\{,\})|(?:^|[^0-9a-z])\.[0-9]|\.\.\.|percent"
"""Without this, and without a backslash, none of the patterns above can match."""
_LINES, _SPACED = (r"\\\\[()]?", " "), (r"\\([a-z]+)", r"\${1} ")
_STRUCTURE = (
    _LINES,
    *_THOUSANDS,
    (r"\\\{", " ⦃ "),
    (r"\\\}", " ⦄ "),
    (r"\\(?:text[a-z]*|math[a-z]+|operatorname|mbox|hbox)\*?\s*\{([^{}]*)\}", " ${1} "),
    (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ\b)", " degrees "),
    (r"\^\s*\{((?:\s*\\prime)+)\s*\}|\^\s*(\\prime)\b", "${1}${2}"),
    _SPACED,
)
_ESCAPES = (
    (r"\\frac\s*(\d)\s*(\d)", r"\frac {${1}}{${2}}"),
    (r"\\[,;:!> ]", " "),
    (r"\\([%&#_])", "${1}"),
    (r"\\[\[\]()$]", " "),
)
_ONE = r"\{\s*([-+]?\s*(?:\\[a-z]+|\p{L}+|\d+(?:\.\d+)?)?)\s*\}"
_ATOM = r"([\p{L}\d.]+|\([^()]*\))"
# braces that hold one word say nothing; others are brackets, for \sqrt{x}+9 is not \sqrt{x+9}
_GROUPS = (
    (r"([=:(∈]\s*)\{([^{}]*,[^{}]*)\}", "${1}⦃${2}⦄"),
    *((_ONE, " ${1} "), (r"\{([^{}]*)\}", " (${1}) ")) * 3,
    (r"\(\s*\(([^()]*)\)\s*\)", "(${1})"),
    *((rf"\\frac\s*{_ATOM}\s*{_ATOM}", " ${1}/${2} "),) * 2,
    (r"\\pmod\s*(?:\(([^()]*)\)|([\p{L}\d]+))", "(mod ${1}${2})"),
)
_PRIMES = tuple(
    change
    for quotes, prime in (("'''", "′′′"), ("''", "′′"), ("'", "′"))
    for change in ((rf"(^|[^'\p{{L}}\d])(\p{{L}}|\d+){quotes}\B", f"${{1}}${{2}} {prime}"),
                   (rf"([)\]}}]){quotes}\B", f"${{1}} {prime}"))
)  # fmt: skip
"""Of f'(x) and 30', which say what they stand behind; the apostrophes of words do not."""
_BLANKS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # what str.split takes for white space in ASCII, but the space
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}"
WORD = rf"\\[a-z]+|\d+(?:\.\d+)?|[{_UNSPACED}]|[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]+"
_TOKEN = rf"{WORD}|[-*/^!%&#@_()\[\]⦃⦄′\p{{Sm}}]|[\p{{Sc}}--$]"
BREAKS = ".?:;。\n"
"""What ends a sentence or a line."""
BREAK = f"[{BREAKS}]"
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


_TEXT = pl.col("text")


def _prepared(texts: pl.Series) -> pl.Series:
    """Few calls, each over the rows that need it: a call of polars costs as much as a hundred short texts."""
    texts = texts.cast(pl.String).alias("text")
    texts = _where(texts.str.contains(_WRITTEN_UP), texts, _plain)
    wide = texts.str.len_bytes() != texts.str.len_chars()
    out = _changed(texts, _TEXT.str.to_lowercase())
    out = _where(wide, texts, _narrowed, into=out)
    latex = out.str.contains("\\", literal=True)
    marked = out.str.contains(_MARKED) & ~latex
    out = _where(latex, out, _without_latex)
    out = _where(marked, out, partial(_changed, change=_respelt(_TEXT, (*_THOUSANDS, *_MARKS))))
    out = _where(out.str.contains(r"\{|\\frac"), out, partial(_changed, change=_respelt(_TEXT, _GROUPS)))
    quoted = _respelt(_TEXT, _PRIMES).str.replace_all("'", "", literal=True)
    return _where(out.str.contains("'", literal=True), out, partial(_changed, change=quoted))


def _plain(texts: pl.Series) -> pl.Series:
    bare = pl.Series("text", [unescape(text) for text in texts], dtype=pl.String)
    return _changed(bare, _respelt(_TEXT, ((_BOLD, "${1}${2}${3}"),) * 2))


def _narrowed(texts: pl.Series) -> pl.Series:
    """Texts that are not all ASCII, in their normal form."""
    rare = partial(_changed, change=_respelt(_TEXT, (*_NARROW_SPACED, *_RAISED)))
    texts = _where(texts.str.contains(r"[\u2009\u202f⁰¹²³⁴-⁹⁺⁻ⁿ₀-₉₊₋\p{Cf}]"), texts, rare)
    out = _changed(texts, _replaced(_TEXT, _CHARACTERS).str.to_lowercase())
    return _where(out.str.len_bytes() != out.str.len_chars(), out, _composed)


def _composed(texts: pl.Series) -> pl.Series:
    out = _changed(texts, _TEXT.str.normalize("NFKC").str.to_lowercase())
    out = _where(out.str.contains(r"[\d--[0-9]]"), out, partial(_changed, change=_replaced(_TEXT, _DIGITS)))
    simplified = partial(_changed, change=_replaced(_TEXT, _SIMPLIFIED))
    return _where(out.str.contains(r"\p{Han}"), out, simplified)


def _without_latex(texts: pl.Series) -> pl.Series:
    known = _replaced(_respelt(_TEXT, _STRUCTURE), _COMMANDS)
    return _changed(texts, _respelt(known, (*_ESCAPES, *_MARKS)))


def _replaced(text: pl.Expr, by: Mapping[str, str]) -> pl.Expr:
    return text.str.replace_many(list(by), list(by.values()))


def _respelt(text: pl.Expr, changes: Sequence[tuple[str, str]]) -> pl.Expr:
    for pattern, by in changes:
        text = text.str.replace_all(pattern, by)
    return text


def _changed(texts: pl.Series, change: pl.Expr) -> pl.Series:
    return texts.to_frame().select(change).to_series()


def _where(
    rows: pl.Series,
    texts: pl.Series,
    change: Callable[[pl.Series], pl.Series],
    *,
    into: pl.Series | None = None,
) -> pl.Series:
    """`into`, else the texts themselves, with the change in these rows."""
    rows = rows.fill_null(value=False)
    into = texts if into is None else into
    return into.scatter(rows.arg_true(), change(texts.filter(rows))) if rows.any() else into
