"""What an answer says beside its value: equal signs, units, currencies, factors, conditions, marks."""

import itertools

import pytest

from distillery.records import Outcome, Problem
from distillery.verify.pool.processes import judge
from tests.verify.math.boxed_lines import boxed, judged

SAME = r"""
\sqrt{10}    ~    √10
\sqrt{10}    ~    \sqrt10
\sqrt{10}    ~    sqrt10
\sqrt{10}    ~    √(10)
\sqrt{10}    ~    √{10}
2\sqrt{10}    ~    2√10
\frac{\sqrt{10}}{3}    ~    √10/3
\sqrt[3]{10}    ~    ∛10
\sqrt{x+1}    ~    √(x+1)
x^2+1    ~    x²+1
x^{10}    ~    x¹⁰
x^{-1}    ~    x⁻¹
x^{n+1}    ~    xⁿ⁺¹
\frac{1}{2}    ~    ½
2\pi    ~    2π
(-\infty,2]    ~    (−∞,2]
x\le 2    ~    x ≤ 2
6    ~    2×3
2    ~    6÷3
e^{2x}    ~    e^(2x)
e^{-x}    ~    e^(-x)
2^{n+1}    ~    2^(n+1)
e^{(x+1)^2}    ~    e^((x+1)^2)
x^{1/2}    ~    x^(1/2)
\frac{1}{2e}    ~    \frac12\mathrm{e}^{-1}
e^{2}    ~    \mathrm{e}^2
e    ~    \text{e}
3+4i    ~    3+4\mathrm{i}
\arctan 2    ~    \operatorname{arctan} 2
\arctan 2    ~    \mathrm{arctan}\,2
\arctan 2    ~    \text{arctan}(2)
\arctan 2    ~    arctan(2)
\arctan 2    ~    arctan 2
\arctan 2    ~    \tan^{-1}(2)
\arctan 2    ~    \operatorname{arctg} 2
\arcsin\frac13    ~    \operatorname{arcsin}\frac{1}{3}
\arcsin\frac13    ~    arcsin(1/3)
\sin 2    ~    \operatorname{sin} 2
\ln 3    ~    \operatorname{ln} 3
\ln 3    ~    \mathrm{ln}3
\log_2 3    ~    \operatorname{log}_2 3
\log_2 3    ~    \log_{2}(3)
\log_2 3    ~    log_2(3)
\tan x    ~    \operatorname{tg} x
\sinh 2    ~    \operatorname{sinh} 2
\exp(2)    ~    \operatorname{exp}(2)
e^2    ~    \exp(2)
\sec x    ~    \operatorname{sec} x
\max(a,b)    ~    \operatorname{max}(a,b)
a_n=2n-1    ~    a_n=2n-1 (n\in\mathbb{N}^*)
a_n=2n-1    ~    a_n=2n-1, n\in\mathbb{N}^*
a_n=2n-1    ~    a_n=2n-1 \quad (n \in \mathbb{N}^{*})
a_n=2n-1    ~    a_n = 2n-1 \ (n \in N_+)
a_n=2n-1    ~    a_n = 2n-1, n \ge 1
a_n=2n-1    ~    a_n = 2n-1 (n \geq 1)
2n-1    ~    2n-1 \text{ for } n \ge 1
2n-1    ~    2n-1 \text{ for all } n \in \mathbb{N}
f(x)=cx    ~    f(x)=cx \text{ for any constant } c
f(x)=cx    ~    f(x)=cx \text{ for some constant } c
f(x)=cx    ~    f(x)=cx \text{ where } c \text{ is a constant}
f(x)=cx    ~    f(x)=cx, \text{ where } c \text{ is any real constant}
f(x)=cx    ~    f(x)=cx \text{ for all } x
f(x)=cx    ~    f(x)=cx,\ c\in\mathbb{R}
f(x)=cx    ~    f(x) = cx (c \in \mathbb{R})
f(x)=cx    ~    f(x) = cx \text{ (c is a constant)}
f(x)=cx    ~    f(x) = cx，其中c为常数
\frac{1}{x}    ~    \frac1x, x \ne 0
\frac{1}{x}    ~    \frac1x \quad (x \neq 0)
\frac{1}{x}    ~    \frac1x \text{ for } x > 0
5    ~    5 ✅
5    ~    5 ✓
5    ~    5 \checkmark
5    ~    5 🎉🎉
5    ~    5 \quad\blacksquare
5    ~    5 ✔️
x^2+1    ~    x^2+1 ✅
5    ~    5=x
5    ~    x=5
x=5    ~    5=x
5    ~    f(2)=5
5    ~    AB = 5
5    ~    P(A)=5
5    ~    |AB| = 5
5    ~    |z| = 5
\frac12    ~    \sin A=\frac12
30^\circ    ~    \angle ABC = 30^\circ
30^\circ    ~    \angle A = 30^\circ
5    ~    2+3=5
5    ~    x=2+3=5
\sqrt2    ~    x=\sqrt{2}
2\sqrt2    ~    x=\sqrt{8}=2\sqrt{2}
2\sqrt2    ~    \sqrt{8}=2\sqrt{2}
2+3=5    ~    2+3=5
2+3=5    ~    2 + 3 = 5
2+3=5    ~    5=2+3
\log_6\frac{1}{36}=-2    ~    \log_6\frac{1}{36}=-2
\log_6\frac{1}{36}=-2    ~    \log_6(1/36) = -2
\$5    ~    5 dollars
\$5    ~    5
\$5    ~    5\text{ dollars}
\$5    ~    \$5.00
\$5    ~    5 USD
5    ~    \$5
5    ~    5 cents
5\text{ cents}    ~    5 cents
5\text{ cents}    ~    5¢
€5    ~    5 euros
5元    ~    ¥5
5元    ~    5 yuan
60    ~    5 dozen
60    ~    5\text{ dozen}
5000    ~    5 thousand
5000    ~    5\text{ thousand}
500    ~    5 hundred
25    ~    5\text{ squared}
125    ~    5\text{ cubed}
5000    ~    5 thousand dollars
5\text{ dozen}    ~    60
5\%    ~    5\text{ percent}
0.005    ~    5‰
500    ~    5百
y=2x+3    ~    2x-y+3=0
x^2+y^2=1    ~    x^2=1-y^2
25\text{ cm}^2    ~    25\text{ cm squared}
25    ~    25 cm squared
25    ~    25 square units
25    ~    25\text{ squared units}
"""

OTHER = r"""
5    ~    x^2=5
1    ~    x^2+y^2=1
5    ~    2x=10
5    ~    2x=5
5    ~    5=2x
5    ~    x^2+y=5
5    ~    x+y=5
0    ~    x-y=0
0    ~    x^2-1=0
x=5    ~    2x=10
x=5    ~    x^2=5
x=5    ~    x^2=25
x=5    ~    y=5
\sqrt2    ~    x^2=\sqrt2
x+1    ~    y^2=x+1
x+1    ~    2y=x+1
x+1    ~    0=x+1
2+3=5    ~    7=9
2+3=5    ~    7=7
2+3=5    ~    1+4=6
2+3=5    ~    4+1=5
2+3=5    ~    0=0
\log_6\frac{1}{36}=-2    ~    \log_6\frac{1}{36}=-3
\log_6\frac{1}{36}=-2    ~    1=1
x^2+y^2=4    ~    1=1
x^2+y^2=4    ~    x=x
y=2x+3    ~    0=0
\$5    ~    5\text{ cents}
\$5    ~    5 cents
\$5    ~    5¢
\$5    ~    5 euros
\$5    ~    €5
\$5    ~    £5
\$5    ~    5 kg
\$5    ~    5元
5元    ~    5美元
5元    ~    5角
5 \text{ cents}    ~    \$5
5    ~    5 dozen
5    ~    5\text{ dozen}
5    ~    5\text{ dozen eggs}
5    ~    5\text{ thousand}
5    ~    5 thousand
5    ~    5\text{ thousand dollars}
5    ~    5\text{ hundred}
5    ~    5 hundred
5    ~    5\text{ million}
5    ~    5\text{ squared}
5    ~    5 squared
5    ~    5\text{ cubed}
5    ~    5\text{ factorial}
5    ~    5\text{ tenths}
5    ~    5\text{ fifths}
5    ~    5‰
5    ~    5百
5    ~    5千
5    ~    5打
0.5    ~    0.5\text{ percent}
0.5    ~    0.5%
5    ~    5\text{ times } 2
5    ~    5 ❌
5    ~    5 ✗
\sqrt{10}    ~    √1 0
\sqrt{10}    ~    √11
\sqrt{10}    ~    √(11)
e^{2x}    ~    e^(2)x
e^{2x}    ~    e^(3x)
\frac{1}{2e}    ~    \frac12\mathrm{e}
\arctan 2    ~    \operatorname{arcsin} 2
\arctan 2    ~    \operatorname{tan} 2
\ln 3    ~    \operatorname{lg} 3
a_n=2n-1    ~    a_n=2n+1 (n\in\mathbb{N}^*)
f(x)=cx    ~    f(x)=cx+1 \text{ for any constant } c
f(x)=cx    ~    f(x)=x \text{ for any constant } c
5    ~    5 \text{ or } 6 ✅
5    ~    x>3
5    ~    5, x>3
5    ~    5 \text{ for } n=1, 6 \text{ for } n=2
5    ~    5 \text{ for } n=1
2    ~    \frac{\sin x}{\cos x}=2
2+3=5    ~    3+3=6
"""
VALUES = ["7", "-3", "\\frac{2}{3}", "\\sqrt{5}", "2\\pi"]
STATES = [
    "x={}",
    "{}=x",
    "x_1={}",
    "f(2)={}",
    "AB={}",
    "\\theta={}",
    "P(A)={}",
    "\\text{{Area}}={}",
    "x={0}={0}",
]
STATES_NOT = [
    "x^2={}",
    "2x={}",
    "{}=2x",
    "x+y={}",
    "xy={}",
    "x^2+y^2={}",
    "\\frac{{x}}{{y}}={}",
    "x={}=y+1",
]
SIGNS = {"dollar": "\\${}", "euro": "€{}", "sterling": "£{}", "yuan": "¥{}", "rupee": "₹{}", "cent": "{}¢"}
WORDS = {
    "dollar": "dollars", "euro": "euros", "sterling": "GBP", "yuan": "yuan", "rupee": "rupees", "cent": "cents", "yen": "yen",
}  # fmt: skip
FACTORS = {"dozen": 12, "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9}
WRITTEN = ["{} {}", "{}\\text{{ {}}}", "{}\\mathrm{{ {}}}", "{}\\text{{ {} things}}", "{} {} dollars"]
FUNCTIONS = [
    "arctan",
    "arcsin",
    "arccos",
    "sin",
    "cos",
    "tan",
    "cot",
    "sec",
    "csc",
    "sinh",
    "cosh",
    "tanh",
    "ln",
    "exp",
]
NAMED = ["\\operatorname{{{}}}", "\\mathrm{{{}}}", "\\text{{{}}}", "\\operatorname*{{{}}}"]
CONDITIONS = [
    " \\text{ for any constant } c", ", c\\in\\mathbb{R}", " \\quad (c \\in \\mathbb{R})", " (c \\ne 0)", "\\text{ where } c \\text{ is a constant}",
    " \\text{ for all } x", " \\text{ for } x > 0", "，其中c为常数", " (x \\in \\mathbb{N}^*)", ", x \\ge 1",
]  # fmt: skip
MARKS = [" ✅", "✓", " ✔️", " 🎉", "\\checkmark", " \\quad\\blacksquare", " ∎", " 👍👍"]


def outcomes(*rows: tuple[str, str]) -> list[Outcome]:
    asked = [(Problem("q", gold, checker="math"), boxed(answer)) for gold, answer in rows]
    return [verdict.outcome for verdict in judge(asked, deadline_s=60)]


def right(*rows: tuple[str, str]) -> list[tuple[str, str]]:
    return [row for row, found in zip(rows, outcomes(*rows), strict=True) if found is Outcome.CORRECT]


@pytest.mark.slow
def test_the_value_is_found_in_what_stands_beside_it():
    assert judged(SAME, Outcome.CORRECT) == []


@pytest.mark.slow
def test_what_stands_beside_it_may_make_it_another_one():
    assert judged(OTHER, Outcome.WRONG) == []


@pytest.mark.parametrize("value", VALUES)
def test_an_equation_is_a_value_only_where_it_states_that_of_one_thing(value: str):
    states = [(value, form.format(value)) for form in STATES]
    assert right(*states) == states
    assert right(*[(value, form.format(value)) for form in STATES_NOT]) == []
    assert right(*[(f"x={value}", form.format(value)) for form in STATES_NOT]) == []


@pytest.mark.parametrize("gold", ["2+3=5", "\\log_6\\frac{1}{36}=-2", "3^2+4^2=5^2", "\\sqrt{16}=4"])
def test_an_identity_is_that_identity_and_no_other_truth(gold: str):
    left, _, value = gold.partition("=")
    said = [gold, f" {left} = {value} ", f"{value}={left}"]
    assert right(*[(gold, one) for one in said]) == [(gold, one) for one in said]
    other = ["1=1", "0=0", "7=9", f"{left}={value}1", f"{value}={value}", f"{left}={left}", value]
    assert right(*[(gold, one) for one in other]) == []


@pytest.mark.parametrize("currency", SIGNS)
def test_a_currency_is_itself_and_may_be_left_out(currency: str):
    gold = SIGNS[currency].format(5)
    fitting = [gold, "5", f"5 {WORDS[currency]}", f"5\\text{{ {WORDS[currency]}}}"]
    assert right(*[(gold, one) for one in fitting]) == [(gold, one) for one in fitting]
    other = [word for name, word in WORDS.items() if name != currency and (currency, name) != ("yuan", "yen")]
    assert right(*[(gold, f"5 {word}") for word in other]) == []
    assert right(*[(gold, sign.format(5)) for name, sign in SIGNS.items() if name != currency]) == []
    assert right((gold, "5 kg"), (gold, "5 hours"), (gold, "5%")) == []


@pytest.mark.parametrize("word", FACTORS)
def test_a_word_that_multiplies_is_never_a_unit(word: str):
    for form in WRITTEN:
        answer = form.format(3, word)
        assert right(("3", answer), (str(3 * FACTORS[word]), answer)) == [(str(3 * FACTORS[word]), answer)]


@pytest.mark.parametrize("word", ["squared", "cubed", "factorial", "tenths", "fifths", "percent"])
def test_other_words_that_change_a_value_are_no_units_either(word: str):
    worth = {"squared": "0.36", "cubed": "0.216", "tenths": "0.06", "fifths": "0.12", "percent": "0.006"}
    for form in ("0.6 {}", "0.6\\text{{ {}}}"):
        assert right(("0.6", form.format(word))) == []
        if word in worth:
            assert right((worth[word], form.format(word))) == [(worth[word], form.format(word))]


def test_dozens_are_counted_where_the_question_asks_for_dozens():
    asked = Problem("How many dozens of eggs does she need?", "5", checker="math")
    assert (
        judge([(asked, boxed("5 dozen")), (asked, boxed("5\\text{ dozen}")), (asked, boxed("60"))])[0].score
        == 1.0
    )
    assert judge([(asked, boxed("60"))])[0].score == 0.0


@pytest.mark.parametrize(
    ("asks", "says"), [("a+b", "a+b"), ("x^2+y^2", "x^2 + y^2"), ("\\frac{a}{b}", "a/b")]
)
def test_an_equation_may_say_of_what_the_question_asks_for(asks: str, says: str):
    for question, outcome in ((f"Find ${asks}$.", Outcome.CORRECT), ("Find $z$.", Outcome.WRONG)):
        assert judge([(Problem(question, "7", checker="math"), boxed(f"{says}=7"))])[0].outcome is outcome


def test_a_gold_may_say_it_too():
    for answer, outcome in (("7", Outcome.CORRECT), ("a+b=7", Outcome.CORRECT), ("a+b=8", Outcome.WRONG)):
        asked = Problem("What is $a+b$?", "a+b=7", checker="math")
        assert judge([(asked, boxed(answer))])[0].outcome is outcome


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_be_written_as_text(name: str):
    gold = f"\\{name} 2"
    forms = [
        f"{form.format(name)}{argument}" for form in NAMED for argument in (" 2", "(2)", "\\left(2\\right)")
    ]
    assert right(*[(gold, form) for form in forms]) == [(gold, form) for form in forms]
    other = "cos" if name != "cos" else "sin"
    assert right(*[(gold, form.format(other) + " 2") for form in NAMED]) == []


@pytest.mark.parametrize("unit", ["min", "sec", "deg"])
def test_minutes_seconds_and_degrees_are_no_functions(unit: str):
    forms = [f"9\\text{{ {unit}}}", f"9\\,\\mathrm{{{unit}}}", f"9 {unit}", f"9\\text{{{unit}}}", "9"]
    assert right(*[(forms[0], form) for form in forms]) == [(forms[0], form) for form in forms]
    assert right((forms[0], "(8, \\pi)"), (forms[0], "9\\text{ kg}")) == []


@pytest.mark.parametrize("number", ["2", "10", "123", "2.5"])
@pytest.mark.parametrize("root", ["√{}", "√({})", "√{{{}}}", "sqrt{}", "sqrt({})", "\\sqrt({})", "\\sqrt {}"])
def test_a_root_is_of_the_whole_number(number: str, root: str):
    gold, answer = f"\\sqrt{{{number}}}", root.format(number)
    assert right((gold, answer), (f"\\sqrt{{{number}1}}", answer), (number, answer)) == [(gold, answer)]


@pytest.mark.parametrize("power", ["2x", "-x", "n+1", "(x+1)^2", "1/2"])
def test_a_power_in_brackets_is_one(power: str):
    for base in "e", "2", "x":
        gold, answer = f"{base}^{{{power}}}", f"{base}^({power})"
        assert right((gold, answer), (gold, f"{base}^({power}+1)")) == [(gold, answer)]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_is_said_of_a_letter_behind_an_answer_is_not_its_value(condition: str):
    rows = [("f(x)=cx", f"f(x)=cx{condition}"), ("cx", f"cx{condition}")]
    assert right(*rows) == rows
    assert (
        right(("f(x)=cx", f"f(x)=cx+1{condition}"), ("5", f"5{condition}"), ("x<3", f"x<3{condition}")) == []
    )


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("value", ["5", "x^2+1", "\\frac{1}{2}", "(1,2)"])
def test_a_mark_behind_an_answer_is_none_of_it(mark: str, value: str):
    assert right((value, value + mark), (value + "0", value + mark)) == [(value, value + mark)]


def test_a_cross_is_no_check_mark():
    assert right(*[("5", f"5 {cross}") for cross in "❌✗✘❎"]) == []


ASKED = {
    "2000^3-1999\\cdot 2000^2": ["2000^3-1999\\cdot2000^2", "2000^{3} - 1999*2000^{2}", "2000³ − 1999 × 2000²", "\\left(2000^3-1999\\cdot 2000^2\\right)"],
    "\\frac{7+8}{3}": ["(7+8)/3", "\\dfrac{7+8}3", "x=\\frac{7+8}{3}", "\\frac{7 + 8}{3}\\text{ cm}"],
    "\\sqrt{48}": ["\\sqrt{48}", "√48", "\\sqrt 48", "sqrt(48)"],
    "(x-1)(x+2)": ["(x-1)(x+2)", "(x - 1)\\cdot(x + 2)", "\\left(x-1\\right)\\left(x+2\\right)"],
    "\\sin 60^\\circ": ["\\sin60^\\circ", "\\sin(60^{\\circ})", "\\operatorname{sin} 60°"],
    "\\frac{6}{8}": ["6/8", "\\frac68", "\\tfrac{6}{8}"],
    "5!": ["5!", "(5!)"],
}  # fmt: skip
GOLDS = ["4000000", "5", "4\\sqrt{3}", "x^2+x-2", "\\frac{\\sqrt{3}}{2}", "\\frac{3}{4}", "120"]
FRAMES = ["Evaluate ${}$.", "What is {}?", "Simplify\n\\[{}\\]", "求 ${}$ 的值", "Let $t=1+{}$. Find $t-1$."]


@pytest.mark.parametrize(("formula", "gold"), list(zip(ASKED, GOLDS, strict=True)))
def test_a_formula_of_the_question_is_no_answer_to_it(formula: str, gold: str):
    for frame, said in itertools.product(FRAMES, ASKED[formula]):
        asked = Problem(frame.format(formula), gold, checker="math")
        found = judge(
            [(asked, boxed(said)), (asked, boxed(gold)), (asked, boxed(f"{said.split('=')[-1]}={gold}"))]
        )
        assert (found[0].outcome, found[0].detail) == (Outcome.WRONG, "repeats the question"), (frame, said)
        assert found[1].outcome is Outcome.CORRECT
        own = Problem(frame.format(formula), formula, checker="math")
        free = Problem(frame.format(formula), gold, checker="math", payload='{"repeats": "right"}')
        other = Problem("What is it?", gold, checker="math")
        assert {v.outcome for v in judge([(one, boxed(said)) for one in (own, free, other)])} == {
            Outcome.CORRECT
        }


@pytest.mark.parametrize(
    ("question", "gold", "answer"),
    [
        ("Write $0.5$ as a fraction.", "\\frac{1}{2}", "0.5"),
        ("Which is right? (A) $2^{10}$ (B) $2^9$", "1024", "2^{10}"),
        ("Is $x$ or $y$ larger?", "x", "x"),
        ("Evaluate $12\\cdot3+1$.", "7", "2\\cdot3+1"),
        ("Evaluate $2^3+1$.", "9", "8+1"),
        ("The roots are $1$ and $2$.", "1, 2", "\\{1,2\\}"),
        ("On $-1<x<1$ it grows.", "(-1,1)", "-1<x<1"),
    ],
)
def test_numbers_symbols_choices_and_steps_repeat_nothing(question: str, gold: str, answer: str):
    assert judge([(Problem(question, gold, checker="math"), boxed(answer))])[0].outcome is Outcome.CORRECT


ENDLESS = "\\sum_{k=1}^{\\infty}\\frac{\\sin(k^2)}{k^3}"


@pytest.mark.slow
def test_a_time_out_is_the_answers_where_its_gold_can_be_compared():
    rows = [("1+\\sqrt2", ENDLESS), ("7", ENDLESS), ("(2,x+1)", f"(2,{ENDLESS})"), (ENDLESS, "1+\\sqrt2")]
    found = judge(
        [(Problem("q", gold, checker="math"), boxed(answer)) for gold, answer in rows], deadline_s=5
    )
    assert [verdict.outcome for verdict in found] == [Outcome.WRONG] * 3 + [Outcome.TIMEOUT]
    assert all("the gold was read in time" in verdict.detail for verdict in found[:3])
    assert found[3].score is None
