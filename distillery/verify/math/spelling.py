r"""One spelling for answers that LaTeX and people write in many: \dfrac12, 1/2 and $\frac{1}{2}$.

It changes how a thing is written, never what it is; what it cannot read it leaves.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SIGNS = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "﹣": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/",
        "π": r"\pi ", "∞": r"\infty ", "°": r"^\circ ", "√": r"\sqrt ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ",
        "±": r"\pm ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "≈": r"\approx ", "ℝ": r"\mathbb{R}", "∅": r"\emptyset ",
        "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "“": '"', "”": '"', "’": "'", "，": ",", "；": ";", "：": ":",
        "（": "(", "）": ")", "｛": r"\{", "｝": r"\}", "、": ",", "⁄": "/", "。": ".", "\u00a0": " ", "\u200b": "", "\t": " ", "\n": " ", "\r": " ",
    }
)  # fmt: skip
_TOKEN = r"\d|[a-zA-Z]|\\[a-zA-Z]+"  # what TeX takes for an argument where no brace is
_REWRITES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (
            r"(?<=\d)\s*(?:\{,\}|\{,\s?\\!\}|,\s*\\!)\s*(?=\d{3}(?!\d))",
            "",
        ),  # a comma of thousands, beyond doubt
        (r"\\phantom\s*(?:\{[^{}]*\}|-|\w)?", ""),
        (r"\\?\x0c(?=rac)", r"\\f"),  # a program's string took \f for a form feed
        (r"百分之\s*(\d+(?:\.\d+)?)", r"\1%"),
        (
            r"(?<=[\d})])[\s$]*(?:\\(?:text|mathrm)\s*\{)?\s*(?:percent|per cent|pct)(?![A-Za-z])\.?\s*\}?",
            "%",
        ),
        (
            r"^\s*(?:=|\\approx(?![a-zA-Z])|\\text\{\s*(?:[Tt]he )?(?:[Ff]inal )?[Aa]nswer(?: is)?\s*:?\s*\})",
            "",
        ),
        (r"(?<![\\A-Za-z])(sqrt|pi|sin|cos|tan|cot|log|ln|theta|infinity)(?=[^A-Za-z]|$)", r"\\\1 "),
        (r"\\infinity(?![a-zA-Z])", r"\\infty"),
        (r"(?<=[\w)}])\s*\*\*\s*(?=[\w({-])", "^"),
        (r"(?<=[\w)}])\s*\*\s*(?=[\w(\\])", r"\\cdot "),
        (r"(?<=\d)\s*(?:\\(?:text|mathrm)\s*\{)?\s*([aApP])\.?\s?[mM]\b\.?\s*\}?$", r"\\text{\1m}"),
        (r"\\(?:dfrac|tfrac|cfrac)(?![a-zA-Z])", r"\\frac"),
        (r"\\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z])\s*\.?", ""),
        (r"(?<!\\)\\(?:!|,|;|:|>)|\\q?quad|\\(?:displaystyle|thinspace|limits|nolimits)(?![a-zA-Z])", " "),
        (r"(?<!\\)\\ |~|(?<!\\)\\$", " "),
        (r"(?<=\d),\s+(?=\d{3}(?!\d))", ";"),  # a comma of thousands has no space behind it
        (r"(?<=\d)\s?(?:\\text\s*\{)?\s*(?:million(?![a-z])|百万)\}?", r"\\cdot 10^6"),
        (r"(?<=\d)\s?(?:\\text\s*\{)?\s*(?:billion(?![a-z])|十亿)\}?", r"\\cdot 10^9"),
        (r"(?<=\d)\s?(?:\\text\s*\{)?\s*trillion(?![a-z])\}?", r"\\cdot 10^{12}"),
        (r"(?<=\d)\s?(?:\\text\s*\{)?\s*万\}?", r"\\cdot 10^4"),
        (r"(?<=\d)\s?(?:\\text\s*\{)?\s*亿\}?", r"\\cdot 10^8"),
        (r"\\(?:langle|lparen)(?![a-zA-Z])", "("),
        (r"\\(?:rangle|rparen)(?![a-zA-Z])", ")"),
        (r"\\not\s*<", r"\\ge "),
        (r"\\not\s*>", r"\\le "),
        (r"\\not\s*=", r"\\ne "),
        (r"\\(?:geqslant|geq)(?![a-zA-Z])|>=", r"\\ge "),
        (r"\\(?:leqslant|leq)(?![a-zA-Z])|<=", r"\\le "),
        (r"\\(?:neq)(?![a-zA-Z])|!=", r"\\ne "),
        (r"\\lt(?![a-zA-Z])", "<"),
        (r"\\gt(?![a-zA-Z])", ">"),
        (r"\\mid(?![a-zA-Z])", "|"),
        (r"\\(?:to|rightarrow)(?![a-zA-Z])", r"\\to "),
        (r"\\(?:lbrace)(?![a-zA-Z])", r"\\{"),
        (r"\\(?:rbrace)(?![a-zA-Z])", r"\\}"),
        (r"\\(?:cdotp|ast)(?![a-zA-Z])", r"\\cdot "),
        (r"(^|[(,\[])\s*\+\s*\\infty", r"\1\\infty"),
        (r"\\(?:varnothing)(?![a-zA-Z])|\\\{\s*\\\}", r"\\emptyset "),
        (r"\\(?:textbf|textit|textrm|textsf|mbox|bm|boldsymbol|mathbf|mathit|mathsf)(?=\s*\{)", r"\\text"),
        (r"\\(?:mathrm|operatorname|rm)(?=\s*\{)", r"\\text"),
        (
            r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?|\\degree(?![a-zA-Z])",
            "°",
        ),
        (r"\\\$|\\?€|\\?£|\\?¥|\\pounds", ""),
        (r"\\%", "%"),
        (r"\\begin\{[bB]matrix\}", r"\\begin{pmatrix}"),
        (r"\\end\{[bB]matrix\}", r"\\end{pmatrix}"),
        (r"\\begin\{array\}\s*\{[lcr| ]*\}", r"\\begin{pmatrix}"),
        (r"\\end\{array\}", r"\\end{pmatrix}"),
        (r"\\(frac|sqrt)\s+(?=[\d{\\\[a-zA-Z(])", r"\\\1"),
        (r"\{([^{}]*)\\choose(?![a-zA-Z])([^{}]*)\}", r"\\binom{\1}{\2}"),
        (r"^([\w+-]+)\s*\\choose(?![a-zA-Z])\s*([\w+-]+)$", r"\\binom{\1}{\2}"),
        (r"\\[dt]binom(?![a-zA-Z])", r"\\binom"),
        (r"\\binom\s*(\w)\s*(\w)", r"\\binom{\1}{\2}"),
        (r"(?<![A-Za-z\\])C\s*_\s*\{?(\d+)\}?\s*\^\s*\{?(\d+)\}?", r"\\binom{\1}{\2}"),
        (r"(?<![A-Za-z\\])[AP]\s*_\s*\{?(\d+)\}?\s*\^\s*\{?(\d+)\}?", r"\\frac{\1!}{(\1-\2)!}"),
        (rf"\\frac\s*({_TOKEN})\s*({_TOKEN})", r"\\frac{\1}{\2}"),
        (rf"\\frac\s*({_TOKEN})\s*\{{", r"\\frac{\1}{"),
        (rf"(\\frac\s*\{{[^{{}}]*\}})\s*({_TOKEN})", r"\1{\2}"),
        (r"\\sqrt\s*(\d|[a-zA-Z])", r"\\sqrt{\1}"),
        (r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"_\s*\{\s*\\text\s*\{\s*([^{}]*?)\s*\}\s*\}", r"_{\1}"),
        (r"\\log\s*_\s*(\w)", r"\\log_{\1}"),
        (r"(?<!\\log)([_^])\s*\{\s*([\w])\s*\}", r"\1\2"),
        (r"\\times(?![a-zA-Z])", r"\\cdot "),
    )
)
_ONLY_TEXT = re.compile(r"\\text\{([^{}\\]*)\}")
_DOLLARS = re.compile(r"(?<!\\)\$")
_SPACES = re.compile(r"\s+")
_THOUSANDS = re.compile(r"(?<![\d.,/^_{ ])\d{1,3}(?: \d{3})+(?![\d/])")
_SPACES_BESIDE = re.compile(r"(?<![A-Za-z\d])\s+|(?<=[A-Za-z])\s+(?![A-Za-z])|(?<=\d)\s+(?!\d)")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+")
_LOWERED = re.compile(r"[₀₁₂₃₄₅₆₇₈₉ₙ]+")
_VULGAR = re.compile(r"[¼-¾⅐-⅞]")
_GROUPED = re.compile(r"(?<=\{)\d{1,3}(?:,\d{3})+(?=\})")  # \frac{1}{20,000}
_NOTE = re.compile(r"\s*\((?:approximately|approx)[^()]*\)\s*$", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?<=.)(?:,|\(|\\quad|\\text\{\s*(?:where|for)\s*\}|\s)\s*\(?[kmn]\s*(?:\\in|∈)\s*(?:\\mathbb\s*\{?)?[ZN]\}?\)?\s*$"
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
    """Spaces stay only between two digits, or letters, where they part words or a command from what follows."""
    text = _RAISED.sub(lambda found: f"^{{{_folded(found[0])}}}", answer)
    text = _LOWERED.sub(lambda found: f"_{{{_folded(found[0])}}}", text)
    text = _VULGAR.sub(lambda found: f" {_folded(found[0]).replace('⁄', '/')}", text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    text = _PARAMETER.sub("", _NOTE.sub("", text))
    if "\\\\" in text and "\\begin" not in text:  # there it ends a row
        text = _ESCAPED_TWICE.sub(r"\\", text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = _GOES_ON.sub(_repeating, text) if "." in text else text
    text = _RAISED_TWICE.sub(_power, text) if text.count("^") > 1 else text
    text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text)
    text = _DOLLARS.sub("", text).strip().rstrip(".,;:").strip()
    text = _THOUSANDS.sub(lambda found: found[0].replace(" ", ""), _SPACES.sub(" ", text))
    text = _brackets(_SPACES_BESIDE.sub("", text))
    words = _ONLY_TEXT.fullmatch(text)
    return words[1].strip() if words else text


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
