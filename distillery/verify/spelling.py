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
        (r"(?<!\\)\\(?:!|,|;|:|>)|\\(?:quad|qquad|displaystyle|thinspace|limits|nolimits)(?![a-zA-Z])", " "),
        (r"(?<!\\)\\ |~|(?<!\\)\\$", " "),
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


@lru_cache(maxsize=1 << 14)
def canonical(answer: str) -> str:
    """Spaces stay only between two letters, where they part words or a command from what follows, and two digits."""
    text = _RAISED.sub(lambda found: f"^{{{_folded(found[0])}}}", answer)
    text = _LOWERED.sub(lambda found: f"_{{{_folded(found[0])}}}", text)
    text = _VULGAR.sub(lambda found: f" {_folded(found[0]).replace('⁄', '/')}", text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    text = _PARAMETER.sub("", _NOTE.sub("", text))
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text)
    text = _DOLLARS.sub("", text).strip().rstrip(".,;:").strip()
    text = _THOUSANDS.sub(lambda found: found[0].replace(" ", ""), _SPACES.sub(" ", text))
    text = _SPACES_BESIDE.sub("", text)
    words = _ONLY_TEXT.fullmatch(text)
    return words[1].strip() if words else text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("−", "-")
