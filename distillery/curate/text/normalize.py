r"""One spelling for texts that say the same: LaTeX variants, width, case, digits, spacing, punctuation.

Everything works on a polars Series of texts. Operators and brackets stay: "2+3" and "2-3" are two problems.
Han, kana and Thai are written without spaces, so each character is a token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from distillery.installed.word_lists import word_lists

NUMBER = "#"
"""What every number becomes in `masked`."""

_GREEK = {
    unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda"): letter  # Unicode spells it lamda
    for letter in "αβγδεζηθικλμνξοπρστυφχψω"
}
_LETTERS = {f"\\{form}{name}": letter for name, letter in _GREEK.items() for form in ("var", "")}
"""As plain replacements, longest first: \\pitchfork loses its start, in every text alike."""
_CHARACTERS: dict[str, str] = word_lists(__file__)["characters"]
_JOINTS = r"(?:,|\{,\}|,?\\[!,])"
# matches do not overlap: 1,000,000 has two
_THOUSANDS = ((rf"([0-9]){_JOINTS}([0-9]{{3}})\b", "${1}${2}"),) * 2
_OTHER_DIGIT = r"[\d--[0-9]]"
_OTHER_THOUSANDS = ((rf"(\d){_JOINTS}(\d{{3}})\b", "${1}${2}"),) * 2  # far slower
_HYPHENS = ((r"(\p{L}{2})-(\p{L}{2})", "${1} ${2}"),) * 2  # for state-of-the-art
_MARKS = ((r"[~$]", " "), (r"__+", " "), (r"(\d)\s*:\s*(\d)", "${1}∶${2}"), *_HYPHENS)
_MARKED = r"[~$:-]|__|[0-9](?:,|\{,\})"
"""Without this, and without a backslash, no pattern here can match."""
_BEFORE, _BEHIND = (
    [(pattern, replacement) for pattern, replacement in word_lists(__file__)["commands"][place]]
    for place in ("before", "behind")
)
_COMMANDS = (*_BEFORE, *_THOUSANDS, *_BEHIND, *_MARKS)
_BLANKS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # what str.split takes for white space in ASCII, but the space
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


_TEXT = pl.col("text")


def _prepared(texts: pl.Series) -> pl.Series:
    """Few calls, each over the rows that need it: a call of polars costs as much as a hundred short texts."""
    texts = texts.cast(pl.String).alias("text")
    wide = texts.str.len_bytes() != texts.str.len_chars()
    out = _changed(texts, _TEXT.str.replace_all("'", "", literal=True).str.to_lowercase())
    out = _where(wide, texts, _narrowed, into=out)
    latex = out.str.contains("\\", literal=True)
    marked = out.str.contains(_MARKED) & ~latex
    out = _where(latex, out, _without_latex)
    return _where(marked, out, partial(_changed, change=_respelt(_TEXT, (*_THOUSANDS, *_MARKS))))


def _narrowed(texts: pl.Series) -> pl.Series:
    """Texts that are not all ASCII, in their normal form."""
    characters = _TEXT.str.replace_many(list(_CHARACTERS), list(_CHARACTERS.values()))
    out = _changed(texts, characters.str.to_lowercase())
    return _where(out.str.len_bytes() != out.str.len_chars(), out, _composed)


def _composed(texts: pl.Series) -> pl.Series:
    out = _changed(texts, _TEXT.str.normalize("NFKC").str.to_lowercase())
    thousands = partial(_changed, change=_respelt(_TEXT, _OTHER_THOUSANDS))
    return _where(out.str.contains(_OTHER_DIGIT), out, thousands)


def _without_latex(texts: pl.Series) -> pl.Series:
    letters = _TEXT.str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    return _changed(texts, _respelt(letters, _COMMANDS))


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
