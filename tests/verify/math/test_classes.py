"""Forms that graders often get wrong: each line is gold ~ answer, in a box or as a whole completion."""

import pytest

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.math.check import decide, gold_fault
from distillery.verify.math.final_answer import final_answer, stated_gold
from distillery.verify.math.symbolic import prepare, work
from distillery.verify.math.tolerance import read_tolerance
from distillery.verify.pool.processes import judge
from tests.verify.math.boxed_lines import boxed, judged

SAME = r"""
300, 400    ~    400, 300
(12,102)    ~    (12, 102)
6,75    ~    6.75
0.375    ~    0,375
62.5\%    ~    62.5 pct
62.5\%    ~    62.5\text{ percent}
30\%    ~    百分之30
4.5\times10^6    ~    4.5 million
7 \text{ billion}    ~    7\cdot 10^9
0.41666\ldots    ~    \frac{5}{12}
0.272727...    ~    \frac{3}{11}
3^{2^2}    ~    81
C_6^2    ~    15
A_6^2    ~    30
\binom62    ~    15
{m \choose 2}    ~    \frac{m(m-1)}{2}
(2,7]    ~    ]2,7]
[2,7)    ~    [2,7[
[3,8)    ~    x\ge3 \text{ and } x<8
(-\infty,3)\cup(8,\infty)    ~    x<3, x>8
(3,8)    ~    x>3, x<8
(\pm2, 5)    ~    (2,5),(-2,5)
(6,7)    ~    \langle 6,7\rangle
(a,b)=(6,7)    ~    b=7, a=6
\begin{pmatrix}6\\7\end{pmatrix}    ~    [6,7]^T
[6,\infty)    ~    x\not<6
(6,7)    ~    (a,b)=(6,7)
u=1,v=2;u=3,v=4    ~    (1,2),(3,4)
(1,2),(3,4)    ~    u=1,v=2 \text{ or } u=3,v=4
4,9    ~    9,4,4
{4, 9}    ~    9, 4
\begin{pmatrix}4\\9\end{pmatrix}    ~    (4,9)^T
\begin{pmatrix}4&9\\1&0\end{pmatrix}    ~    [[4,9],[1,0]]
\begin{pmatrix}5&9\\1&1\end{pmatrix}    ~    \begin{pmatrix}4&9\\1&0\end{pmatrix}+\begin{pmatrix}1&0\\0&1\end{pmatrix}
16    ~    16 \pmod{30}
16 \pmod{30}    ~    16
17    ~    \text{(D) } 17
D    ~    \text{Option D}
\text{odd}    ~    The number is odd
\text{no solution}    ~    \emptyset
\text{no solution}    ~    无解
23    ~    二十三
4 \text{ hours and } 10 \text{ minutes}    ~    4 hours 10 minutes
\frac{3}{8}    ~    \\frac{3}{8}
R_{\odot}^2+T    ~    T+R_{\odot}^2
9:05    ~    09:05
2.71828    ~    e
1-\frac{1}{3^{90}}    ~    \sum_{k=1}^{90}\frac{2}{3^k}
\sum_{k=1}^{m}k^3    ~    \frac{m^2(m+1)^2}{4}
3^{4000}-1    ~    \sum_{k=0}^{3999}2\cdot 3^k
e    ~    \sum_{k=0}^{\infty}\frac{1}{k!}
"""

OTHER = r"""
300400    ~    300, 400
300, 400    ~    300400
6.75    ~    675
6,750    ~    6.750
67    ~    6,7
[3,8)    ~    x\ge3 \text{ and } x\le8
(-\infty,3)\cup(8,\infty)    ~    x>3, x<8
(\pm2, 5)    ~    (2,5)
u=1,v=2;u=3,v=4    ~    (1,4),(3,2)
4,4,9    ~    4,9
\begin{pmatrix}4&9\\1&0\end{pmatrix}    ~    \begin{vmatrix}4&9\\1&0\end{vmatrix}
16    ~    17 \pmod{30}
16 \pmod{30}    ~    16 \pmod{31}
17    ~    \text{(D) } 18
12:00    ~    1:00
9:05    ~    9:50
1-\frac{1}{3^{90}}    ~    1
1+e^{-150}    ~    1
e^{-150}    ~    0
\sqrt{3}+10^{-70}    ~    \sqrt{3}
x+10^{-40}    ~    x
\frac{1}{900!}    ~    \frac{1}{901!}
\frac{1}{0}    ~    \frac{2}{0}
\sum_{k=0}^{88888}\frac{1}{k!}    ~    \sum_{k=0}^{88889}\frac{1}{k!}
e    ~    \sum_{k=0}^{120}\frac{1}{k!}
\sum_{k=1}^{1500}\frac{1}{k}    ~    \sum_{k=1}^{1501}\frac{1}{k}
\sum_{k=1}^{m}k^3    ~    \sum_{k=1}^{m-1}k^3
\prod_{k=1}^{400}\frac{1}{k}    ~    0
2.71    ~    e
"""

TEXTS = {
    "Answer $42$": "42",
    "**Answer**\n\\[\n42\n\\]": "42",
    "Final Answer: The final answer is $42$. I hope it is correct.": "42",
    "Therefore, the number of paths is 42. I hope it is correct.": "42",
    "Hence there are 42 such paths.<|im_end|>\n<|im_start|>user\nThanks": "42",
    "So the pair $(x, y)$ we look for is $(4, 2)$.": "(4, 2)",
    "We conclude that $x \\ge 42$ holds.": "x \\ge 42",
    "The zero vector: $(0, 0)$": "(0, 0)",
    "It is not 41, it is 42.": "42",
    "Total : 4,2 $": "4,2",
    "The correct option is (B).": "(B)",
    "Step one gives \\boxed{41}.\nFinal Answer: The final answer is $42$.": "42",
    "\\boxed{42} The final answer is in the box.": "42",
}


def score(gold: str, text: str, payload: str = "{}") -> float | None:
    return judge([(Problem("q", gold, checker="math", payload=payload), text)], deadline_s=60)[0].score


@pytest.mark.slow
def test_the_same_answer_is_accepted_in_each_of_these_forms():
    assert judged(SAME, Outcome.CORRECT) == []


@pytest.mark.slow
def test_another_answer_is_refused_in_each_of_these_forms():
    assert judged(OTHER, Outcome.WRONG) == []


@pytest.mark.parametrize(("text", "answer"), TEXTS.items())
def test_a_conclusion_in_words_is_read(text: str, answer: str):
    assert final_answer(text).parts == (answer,)


@pytest.mark.parametrize(
    "text",
    [
        "So it is not $42$.",
        "We conclude that 42 is wrong.",
        "It is 41, or perhaps it is 42.",
        "I tried 42 and then 43 as well.",
        "Could it be $42$?",
        "x" * 500 + " so it is 42",
    ],
)
def test_what_concludes_nothing_is_no_answer(text: str):
    assert final_answer(text).parts == ()


def test_a_gold_that_is_a_solution_is_what_its_boxes_say():
    assert stated_gold("As $a=2$ we find $a+(40)=\\boxed{42}$.") == "42"
    assert stated_gold("Cases: (a) one (b) two, so $\\boxed{1}$ and $\\boxed{-2}$.") == "1, -2"
    assert stated_gold("First \\boxed{7} which leads us to conclude \\boxed{8}.") == "8"
    assert stated_gold("\\boxed{x = 1") == "x = 1"
    assert stated_gold("word " * 100 + "\nFinal answer: $28\\%$.") == "28\\%"
    assert gold_fault("By (a) one and (b) two we have $f(n) = \\boxed{3}$.") is None
    assert gold_fault("(a) $\\boxed{3}$ (b) $\\boxed{4}$")


def test_several_boxes_that_need_algebra_may_list_the_gold():
    assert score("\\sqrt{5}, 2\\sqrt{2}", "\\boxed{\\sqrt{8}} and \\boxed{\\sqrt5}") == 1.0
    assert score("\\sqrt{5}, 2\\sqrt{2}", "\\boxed{\\sqrt{8}} and \\boxed{\\sqrt6}") == 0.0


@pytest.mark.parametrize(
    ("gold", "answer", "payload", "right"),
    [
        ("(1.0, 2.0)", "(1.001, 2)", '{"tolerance": 0.01}', True),
        ("(1.0, 2.0)", "(2.0, 1.0)", '{"tolerance": 0.01}', False),
        ("(1/3, 8/3]", "(0.33, 2.67]", '{"tolerance": 0.01}', True),
        ("(1/3, 8/3]", "[0.33, 2.67]", '{"tolerance": 0.01}', False),
        ("\\begin{pmatrix}\\frac13\\\\ \\frac15\\end{pmatrix}", "\\begin{pmatrix}0.33\\\\0.2\\end{pmatrix}", '{"tolerance": 0.01}', True),
        ("7e35, 0.002", "0.001, 7.1e35", '{"tolerance": [1e34, 0.001]}', True),
        ("7e35, 0.002", "0.001, 7.1e35", '{"tolerance": [1e33, 0.001]}', False),
        ("7e35, \\pi", "3.14, 7.1e35", '{"tolerance": [1e34, "1e-2"]}', True),
        ("x = \\frac13", "0.33", '{"tolerance": "1e-2"}', True),
        ("50\\%", "0.5", '{"tolerance": 0.001}', True),
        ("5 cm", "5.001 m", '{"tolerance": 0.01}', False),
        ("1.0, 1.01", "1.012, 1.002", '{"tolerance": 0.005}', True),
        ("3, 1, 2", "1, 2, 3", '{"order": "gold"}', False),
        ("3, 1, 2", "3.0, 1, 2", '{"order": "gold"}', True),
        ("3, 1, 2", "1, 2, 3", "{}", True),
    ],
)  # fmt: skip
def test_a_tolerance_goes_into_tuples_and_an_order_can_be_asked_for(
    gold: str, answer: str, payload: str, right: bool
):
    assert score(gold, boxed(answer), payload) == float(right)


@pytest.mark.parametrize("value", ["true", "-1", '"near"', "[1, 2, 3]", '{"a": 1}'])
def test_a_tolerance_that_is_none_is_an_error(value: str):
    found = decide(Problem("q", "1, 2", checker="math", payload=f'{{"tolerance": {value}}}'), boxed("1, 2"))
    assert isinstance(found, Verdict)
    assert found.outcome is Outcome.ERROR


def test_each_item_of_the_gold_may_have_a_tolerance_of_its_own():
    tolerance = read_tolerance("10, \\sqrt{2}", [1, 0.5])
    assert (tolerance.of("10"), tolerance.of("\\sqrt{2}")) == (1, 0.5)
    prepare()
    assert work("\\sqrt{2}, 10", ["1.1, 10"], tolerance=[0.5, 1]).outcome is Outcome.CORRECT


@pytest.mark.parametrize("question", ["Write 11 in binary.", "Write 11 in base 2."])
def test_a_base_that_the_question_names_in_a_word_counts_too(question: str):
    problem = Problem(question, "1011", checker="math")
    assert judge([(problem, boxed("1011_2")), (problem, boxed("1011_3"))])[0].score == 1.0
    assert judge([(problem, boxed("1011_3"))])[0].score == 0.0
