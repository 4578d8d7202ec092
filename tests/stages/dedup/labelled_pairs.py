"""Pairs of problems with a known relation, made from templates here or from problems that are given.

`SPELLINGS` write one problem in another way. `CHANGES` make another problem of it, however alike. `REWORDED` are
one problem in other words, which a comparison of words need not find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

Rng = np.random.Generator
Rewrite = Callable[[str, Rng], str]
MATH = re.compile(r"(\$\$.+?\$\$|(?<!\\)\$[^$]+?(?<!\\)\$|\\\(.+?\\\)|\\\[.+?\\\])", re.DOTALL)


class Pair(NamedTuple):
    kind: str
    one: str
    other: str


_TEXTS = r"""
A farmer named Maria plants rows of beans and peas in a long field behind the barn. Every row of beans has
{a} plants and every row of peas has {b} plants. She plants 12 rows of beans and 9 rows of peas, then
sells some of the plants to a neighbour in the summer. The rest bear on average 7 pods each. How many pods
does Maria pick in all?

A rectangular pool is {a} meters long and 10 meters wide and has a uniform depth of 2 meters. It is filled
by two pumps which deliver 5 and {b} cubic meters of water every hour, and both pumps begin at the same
time in the morning. Find the time in hours until the pool is full.

Let $f(x)=x^{{2}}-{a}x+{b}$ be a function that is defined for all real numbers $x$ with $x \le 50$, and
let $g(x)=\frac{{x+1}}{{{b}}}$ be another one that is defined wherever the first one is. Find the minimum
value of $f(x) \times g(x)$ over the integers that are not negative and not greater than the number ${a}$.

A train leaves the station of Orle at noon and travels {a} km at a constant speed, then it stops for {b}
minutes and travels the same distance back with a load that makes it slower. Tom has more luggage than Ann
on this train. At what time does the train arrive at the station again, if the whole trip takes 5 hours?

In triangle $ABC$ the angle at $A$ is ${a}^\circ$ and the angle at $B$ is ${b}^\circ$. The bisector of the
angle at $C$ meets the side $AB$ in the point $D$, and a line through $D$ that is parallel to $BC$ meets
$AC$ in $E$. What is the size of the largest angle of the triangle $CDE$ in degrees?

A company pays {a},500 dollars for a machine that makes boxes and {b} percent of this price every year for
its repair. It's sold after 6 years for a quarter of what it cost when new. How much is the difference
between the sum of all that was paid and the price for which the machine is sold at the end?

An urn holds {a} red balls and {b} blue balls that cannot be told apart by touch. Two balls are drawn from
it one after the other, and the first one is not put back before the second is drawn. What is the
probability that both of the balls have the same color? Give it as a fraction.

For how many integers $n$ with ${a} \leq n \leq {b}00$ is the number $\sqrt{{n+9}} + \frac{{1}}{{2}}$
rational, where every root is taken to be positive and where $n$ is even? Remember that $a_{{1}} + a_{{2}}
= {b}$ holds for all of the sequences of the first two sections of this chapter.
"""
TEMPLATES = tuple(" ".join(text.split()) for text in _TEXTS.split("\n\n"))
"""Long ones, of which a changed word leaves most runs of three words."""
SHORT = (
    "Evaluate $\\frac{{{a}}}{{{b}}}+\\frac{{5}}{{6}}$.",
    "If $\\sqrt{{x+{a}}}={b}$, what is $x$?",
    "What is {a} + {b} - 7?",
    "Find the minimum value of $x^{{2}}-{a}x+{b}$.",
    "How many integers $n$ satisfy ${a} \\le n^{{2}} \\leq {b}00$?",
    "Compute $\\sum_{{k=1}}^{{{a}}} (2k-{b})$.",
)
CHINESE = "一个长方形花园的长是{a}米，宽是{b}米，沿着它的四周种树，每隔2米种一棵，四个角都要种。请问一共要种多少棵树？"


def problems(count: int, rng: Rng, templates: Iterable[str] = (*TEMPLATES, *SHORT)) -> list[str]:
    """Different ones, from template after template."""
    templates = tuple(templates)
    numbers = rng.choice(79, size=(count, 2), replace=True) + 11
    return [
        templates[at % len(templates)].format(a=a + at // 79 * 100, b=b + 100 * (at % 97))
        for at, (a, b) in enumerate(numbers.tolist())
    ]


def _in_math(text: str, change: Callable[[str], str]) -> str:
    return "".join(change(part) if number % 2 else part for number, part in enumerate(MATH.split(text)))


def _in_words(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if number % 2 else change(part) for number, part in enumerate(MATH.split(text)))


def _swap(*pairs: tuple[str, str]) -> Rewrite:
    """All that match the first that is there."""

    def change(text: str, rng: Rng) -> str:
        for old, new in pairs:
            if re.search(old, text):
                text = re.sub(old, new, text)
        return text

    return change


def _delimiters(text: str, rng: Rng) -> str:
    begin, end = (("\\(", "\\)"), ("$$", "$$"), ("\\[", "\\]"), ("$ ", " $"))[int(rng.integers(4))]
    return _in_math(text, lambda part: begin + part.strip("$").removeprefix("\\(").removesuffix("\\)") + end)


def _spacing(text: str, rng: Rng) -> str:
    text = _in_math(text, lambda part: re.sub(r"([=+<>]|\\leq? |\\times )", r" \1 ", part))
    return "\n " + re.sub(r" ", lambda _: ("  ", " ", "\n", "\t")[int(rng.integers(4))], text) + "  "


def _punctuation(text: str, rng: Rng) -> str:
    return _in_words(text, lambda part: re.sub(r"(?<=[a-z])[,;.?](?=\s|$)", "", part)).rstrip(".?") + " ."


def _full_width(text: str, rng: Rng) -> str:
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code) not in "'\\"}
    return text.translate(wide) if "\\" not in text else _in_words(text, lambda part: part.translate(wide))


def _zero_width(text: str, rng: Rng) -> str:
    def mark(found: re.Match[str]) -> str:
        return found[0] + "\u200b\u2060\ufeff\u00ad\u200d"[int(rng.integers(5))]

    return "\ufeff" + _in_words(
        text, lambda part: re.sub(r"[a-z ](?=[a-z ])", mark, part).replace(" ", "\u00a0")
    )


def _braces(text: str, rng: Rng) -> str:
    if rng.random() < 0.5:
        return _in_math(text, lambda part: re.sub(r"([_^])\{(\w)\}(?![\w\\])", r"\1\2", part))
    return _in_math(text, lambda part: re.sub(r"([_^])(\w)(?!\w)", r"\1{\2}", part))


def _sizes(text: str, rng: Rng) -> str:
    left, right = (("\\left(", "\\right)"), ("\\big( ", "\\big) "), ("\\Bigl(", "\\Bigr)"))[
        int(rng.integers(3))
    ]
    return _in_math(text, lambda part: re.sub(r"(?<!\\)\(([^()\\$]+)\)", lambda f: left + f[1] + right, part))


def _raised(text: str, rng: Rng) -> str:
    digits = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    low = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    text = re.sub(r"\^(?:\{([0-9]+)\}|([0-9]))(?!\d)", lambda f: (f[1] or f[2]).translate(digits), text)
    return re.sub(
        r"(?<=(?<![a-zA-Z])[a-zA-Z])_(?:\{([0-9]+)\}|([0-9]))(?!\d)",
        lambda f: (f[1] or f[2]).translate(low),
        text,
    )


def _thousands(text: str, rng: Rng) -> str:
    mark = (",", "", "{,}", "\\,", ",\\!", "\u202f")[int(rng.integers(6))]
    return re.sub(r"(?<![\d.,^_{])(\d{1,3}),?(\d{3})(?![\d,.])", lambda f: f[1] + mark + f[2], text)


def _other_digits(text: str, rng: Rng) -> str:
    return text.translate(
        str.maketrans("0123456789", ("٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")[int(rng.integers(3))])
    )


SPELLINGS: dict[str, Rewrite] = {
    "delimiters": _delimiters,
    "spacing": _spacing,
    "case": lambda text, rng: _in_words(text, str.upper),
    "punctuation": _punctuation,
    "full_width": _full_width,
    "zero_width": _zero_width,
    "fractions": _swap((r"\\frac(?=\{|\d)", r"\\dfrac"), (r"\\dfrac\{(\d)\}\{(\d)\}", r"\\tfrac\1\2")),
    "plain_fractions": _swap((r"(?<!\d)\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2")),
    "braces": _braces,
    "sizes": _sizes,
    "raised": _raised,
    "degrees": _swap((r"\^\\circ", "°")),
    "degrees_in_words": _swap((r"\^\\circ", " degrees")),
    "thousands": _thousands,
    "times": _swap((r"\\times|\\cdot(?![a-z])", "×")),
    "relations": _swap((r"\\leq?(?![a-z])", "≤"), (r"\\geq?(?![a-z])", "≥"), (r"\\neq?(?![a-z])", "≠")),
    "dashes": _swap((r"(?<=[\w}) ])-(?=[\w\\( ])", "−")),
    "quotes": _swap((r"'(?=[st] )", "’")),
    "percent": _swap((r" percent\b", "%")),
    "currency": _swap((r"\\\$(?=\d)", "$")),
    "digits": _other_digits,
    "entities": _swap((r"<", "&lt;"), (r">", "&gt;"), (r"\\times", "&times;"), (r"(?<=\w)'(?=s )", "&#39;")),
    "bold": _swap((r"(?<=[a-z] )([a-z]{4,})(?= [a-z])", r"**\1**")),
}


def _one_number(text: str, rng: Rng) -> str:
    found = list(re.finditer(r"(?<![\d.,])\d+(?![\d.,])", text))
    if not found:
        return text
    at = found[int(rng.integers(len(found)))]
    return f"{text[: at.start()]}{int(at[0]) + int(rng.integers(1, 9))}{text[at.end() :]}"


def _two_numbers(text: str, rng: Rng) -> str:
    """Which number stands where."""
    found = list(re.finditer(r"(?<![\d.,])\d+(?![\d.,])", text))
    first = found[0] if found else None
    other = next((one for one in found if first and one[0] != first[0]), None)
    if first is None or other is None:
        return text
    between = text[first.end() : other.start()]
    return f"{text[: first.start()]}{other[0]}{between}{first[0]}{text[other.end() :]}"


def _first(*pairs: tuple[str, str]) -> Rewrite:
    """The first that matches, once."""

    def change(text: str, rng: Rng) -> str:
        return next((re.sub(old, new, text, count=1) for old, new in pairs if re.search(old, text)), text)

    return change


CHANGES: dict[str, Rewrite] = {
    "number": _one_number,
    "numbers_exchanged": _two_numbers,
    "number_in_words": _first((r"\btwo\b", "three"), (r"\bTwo\b", "Four"), (r"\bfive\b", "six")),
    "operator": _first((r"(?<=[\w}) ])\+(?=[\w\\( {])", "-"), (r"(?<=[\w}) ])-(?=[\d\\( {])", "+"), (r"\\times", "+")),
    "relation": _first((r"\\leq?(?![a-z])", "<"), (r"\\geq?(?![a-z])", ">"), (r"=", r"\\neq ")),
    "exponent": _first((r"\^\{2\}|\^2", "^{3}"), (r"x\+", "x^2+")),
    "under_the_root": _first((r"\\sqrt\{([^{}]*)\+(\d+)\}", r"\\sqrt{\1}+\2")),
    "in_the_fraction": _first((r"\\frac\{([^{}]+)\+(\d+)\}\{([^{}]*)\}", r"\\frac{\1}{\2+\3}")),
    "negated": _first((r"\bis not\b", "is"), (r"\bcannot\b", "can"), (r"\bnot (?=neg|gr)", ""), (r"\bis (?=taken|even|sold)", "is not ")),
    "opposite": _first((r"\blargest\b", "smallest"), (r"\bminimum\b", "maximum"), (r"\bmore\b", "less"), (r"\beven\b", "odd"),
                       (r"\bsame\b(?= color)", "different"), (r"\bdifference\b", "sum"), (r"\bslower\b", "faster")),
    "units": _first((r"\bkm\b", "miles"), (r"\bmeters\b", "feet"), (r"\bdollars\b", "euros"), (r"\bminutes\b", "seconds")),
    "other_thing_asked": _first((r"How many pods does Maria pick", "How many plants does Maria sell"),
                                (r"Find the time in hours until", "Find the liters of water when"),
                                (r"At what time does the train", "On what day does the train"),
                                (r"What is the size", "What is the cosine"),
                                (r"How much is the difference", "How much is the quotient"),
                                (r"both of the balls", "one of the balls"),
                                (r"For how many integers", "For how many squares")),
    "other_person_asked": _first((r"Tom has more luggage than Ann", "Ann has more luggage than Tom")),
    "other_name": _first((r"(?<=point \$)D(?=\$)", "F"), (r"(?<=meets \$A)C(?=\$)", "B"), (r"triangle \$CDE", "triangle $ADE")),
}  # fmt: skip

REWORDED: dict[str, tuple[tuple[str, str], ...]] = {
    "renamed": (
        ("Maria has {a} red beads and {b} blue beads. She makes bracelets of 6 beads each. How many whole bracelets can Maria make?",
         "Tom has {a} red beads and {b} blue beads. He makes bracelets of 6 beads each. How many whole bracelets can Tom make?"),
        ("Find all real $x$ such that $x^3 - {a}x^2 + {b}x - 6 = 0$.", "Find all real $t$ such that $t^3 - {a}t^2 + {b}t - 6 = 0$."),
    ),
    "paraphrase": (
        ("A tank holds {a} litres and a tap fills it at {b} litres per minute. After how many minutes is the empty tank full?",
         "Water flows from a tap at {b} litres a minute into an empty tank whose capacity is {a} litres. How long, in minutes, does filling take?"),
        ("The sum of three consecutive even integers is {a}. What is the largest of them?",
         "Three even integers that follow one another add up to {a}; determine the greatest one."),
        ("A shop sells {a} apples at {b} cents each. How much money does the shop take in total?",
         "Apples cost {b} cents apiece, and {a} of them are sold in a shop. What is the total amount of money received?"),
    ),
    "translated": (
        ("A box has {a} red and {b} blue balls. Two balls are drawn. What is the probability that both are red?",
         "一个盒子里有{a}个红球和{b}个蓝球。随机取出两个球。两个都是红球的概率是多少?"),
        ("A train travels {a} km in {b} hours. What is its average speed in km/h?",
         "Un train parcourt {a} km en {b} heures. Quelle est sa vitesse moyenne en km/h ?"),
    ),
    "framed": (
        ("A circle has radius {a}. What is the area of a sector with central angle {b} degrees?",
         "Solve the following problem step by step and put your final answer within \\boxed{{}}.\n\nA circle has radius {a}. What is the area of a sector with central angle {b} degrees?"),
    ),
}  # fmt: skip


def rewritten(texts: Iterable[str], kinds: dict[str, Rewrite], rng: Rng) -> list[Pair]:
    """Each text in each way that changes it."""
    pairs = [Pair(kind, text, change(text, rng)) for kind, change in kinds.items() for text in texts]
    return [pair for pair in pairs if pair.one != pair.other]


def reworded(count: int, rng: Rng) -> list[Pair]:
    return [
        Pair(kind, *(text.format(a=a, b=b) for text in pair))
        for kind, texts in REWORDED.items()
        for pair in texts
        for a, b in (rng.choice(900, size=(count, 2), replace=False) + 50).tolist()
    ]
