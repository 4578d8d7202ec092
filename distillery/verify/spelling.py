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
        "（": "(", "）": ")", "、": ",", "。": ".", "\u00a0": " ", "\u200b": "", "\t": " ", "\n": " ", "\r": " ",
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
        (r"^\s*\\approx(?![a-zA-Z])", ""),
        (r"\\(?:dfrac|tfrac|cfrac)(?![a-zA-Z])", r"\\frac"),
        (r"\\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z])\s*\.?", ""),
        (r"(?<!\\)\\(?:!|,|;|:|>)|\\(?:quad|qquad|displaystyle|thinspace|limits|nolimits)(?![a-zA-Z])", " "),
        (r"(?<!\\)\\ |~|(?<!\\)\\$", " "),
        (r"\\(?:geqslant|geq)(?![a-zA-Z])|>=", r"\\ge "),
        (r"\\(?:leqslant|leq)(?![a-zA-Z])|<=", r"\\le "),
        (r"\\(?:neq)(?![a-zA-Z])|!=", r"\\ne "),
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
            "",
        ),  # degrees: the number alone is compared
        (r"\\\$|\\?€|\\?£|\\?¥|\\pounds", ""),
        (r"\\%", "%"),
        (r"\\begin\{[bvBV]matrix\}", r"\\begin{pmatrix}"),
        (r"\\end\{[bvBV]matrix\}", r"\\end{pmatrix}"),
        (r"\\begin\{array\}\s*\{[lcr| ]*\}", r"\\begin{pmatrix}"),
        (r"\\end\{array\}", r"\\end{pmatrix}"),
        (r"\\(frac|sqrt)\s+(?=[\d{\\\[a-zA-Z(])", r"\\\1"),
        (rf"\\frac\s*({_TOKEN})\s*({_TOKEN})", r"\\frac{\1}{\2}"),
        (rf"\\frac\s*({_TOKEN})\s*\{{", r"\\frac{\1}{"),
        (rf"(\\frac\s*\{{[^{{}}]*\}})\s*({_TOKEN})", r"\1{\2}"),
        (r"\\sqrt\s*(\d|[a-zA-Z])", r"\\sqrt{\1}"),
        (r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"_\s*\{\s*\\text\s*\{\s*([^{}]*?)\s*\}\s*\}", r"_{\1}"),
        (r"([_^])\s*\{\s*([\w])\s*\}", r"\1\2"),
        (r"\\times(?![a-zA-Z])", r"\\cdot "),
    )
)
_DOLLARS = re.compile(r"(?<!\\)\$")
_SPACES = re.compile(r"\s+")
_SPACES_BESIDE = re.compile(r"(?<![A-Za-z])\s+|\s+(?![A-Za-z])")
_GROUPED = re.compile(r"(?<=\{)\d{1,3}(?:,\d{3})+(?=\})")  # \frac{1}{20,000}
_NOTE = re.compile(r"\s*\((?:or|i\.e\.|approximately|approx)[^()]*\)\s*$", re.IGNORECASE)


@lru_cache(maxsize=1 << 14)
def canonical(answer: str) -> str:
    """Spaces stay only between two letters, where they part words or a command from what follows."""
    text = unicodedata.normalize("NFKC", answer.translate(_SIGNS)).translate(_SIGNS)
    text = _NOTE.sub("", text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text)
    text = _DOLLARS.sub("", text).strip().rstrip(".,;:").strip()
    return _SPACES_BESIDE.sub("", _SPACES.sub(" ", text))
