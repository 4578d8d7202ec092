import gzip
import json
import time
from pathlib import Path

import pytest

from distillery.records import Outcome, Problem, Thinking
from distillery.verify import get_checker
from distillery.verify.language import language_share, wanted_language

check = get_checker("language").check


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [
        ("two plus three is five", "en", 1.0),
        ("二加三等于五", "zh", 1.0),
        ("二加三等于五", "en", 0.0),
        ("two plus 三加二四", "en", 0.5),
        ("これは数の問題です", "ja", 1.0),
        ("これは数の問題です", "zh", 0.0),
        ("二加三等于五", "ja", 0.0),
        ("두 수를 더하면 다섯이다", "ko", 1.0),
        ("сумма двух чисел", "ru", 1.0),
        ("zh-CN 二加三", "zh-CN", 0.6),
        ("les élèves ont mangé", "fr", 1.0),
    ],
)
def test_the_share_counts_words_of_any_script(text: str, language: str, share: float):
    assert language_share(text, language) == pytest.approx(share)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 + 2 = 3",
        "$x + y$ \\(ab\\) \\[cd ef\\]",
        "```python\nprint('hello')\n```",
        "`code here` https://a.b/c",
        "x y z",
    ],
)
def test_what_is_nobodys_language_is_not_counted(text: str):
    assert language_share(text, "en") is None


def test_code_and_formulas_do_not_dilute_a_thought():
    text = "设 $x = \\text{speed}$，则\n```python\nfor item in items: pass\n```\n所以答案如下"
    assert language_share(text, "zh") == 1.0


def test_an_unclosed_formula_hides_no_words():
    assert language_share("\\[ two words 三个字好", "en") == pytest.approx(0.5)


def test_prices_are_no_formulas():
    assert language_share("it costs $5 and then $6 more", "en") == 1.0


def test_a_mixed_thought_is_wrong_with_its_share_as_score():
    verdict = check(Problem("q", "", language="en"), "<think>two plus 三加二四</think>4")
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.5)


def test_only_the_thought_is_held_to_the_language():
    verdict = check(Problem("q", "", language="en"), "<think>two plus two</think>四个苹果在这里")
    assert (verdict.outcome, verdict.score) == (Outcome.CORRECT, 1.0)


def test_no_words_are_no_answer_where_a_thought_is_wanted_and_fine_where_none_is():
    assert check(Problem("q", "", language="en"), "<think>1+1</think>2").outcome is Outcome.NO_ANSWER
    off = Problem("q", "", language="en", thinking=Thinking.OFF)
    assert check(off, "<think>\n\n</think>2").outcome is Outcome.CORRECT


def test_a_problem_without_a_language_cannot_be_judged_by_it():
    assert check(Problem("q", ""), "<think>words here</think>2").outcome is Outcome.NO_GOLD


def test_the_least_share_is_an_option():
    problem = Problem("q", "", language="en", payload='{"min_share": 0.4}')
    assert check(problem, "<think>two plus 三加二四</think>4").outcome is Outcome.CORRECT
    assert check(Problem("q", "", language="en", payload='{"min_share": "x"}'), "a").outcome is Outcome.ERROR


@pytest.mark.parametrize("sign", ["\\[", "$$", "\\begin{a}", "`", "$", "```\n", "<x"])
def test_signs_left_open_by_the_ten_thousand_cost_no_time(sign: str):
    begin = time.monotonic()
    language_share(f"{sign} word " * 30_000, "en")
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("language", "least"), [("en", 0.99), ("zh", 0.95), ("ja", 0.9), ("ko", 0.9), ("ru", 0.95)]
)
def test_real_sentences_are_in_their_own_language(real_data: Path, language: str, least: float):
    with gzip.open(real_data / "lang_id_sentences_45.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["language"].startswith(language)]
    shares = [share for row in rows if (share := language_share(row["text"], language)) is not None]
    assert len(shares) > 100
    assert sum(shares) / len(shares) > least


@pytest.mark.parametrize(
    ("given", "question", "thought", "told"),
    [
        ("zh", "What is the sum of the two numbers that we have?", "", "zh"),
        (None, "What is the sum of the two numbers that we have?", "二加二等于四，所以答案是四。", "en"),
        ("", "这两个数的和是多少？", "So the answer is four.", "zh"),
        ("english", "Wie groß ist die Summe der beiden Zahlen, die wir haben?", "", "de"),
        ("", "$x^2 = 4$", "We take the root of both sides, so it is two.", "en"),
        ("", "αβ + βγ = ?", "We take the root of both sides, so it is two.", "en"),
        ("", "", "二加二等于四，所以答案是四。", "zh"),
        (
            "",
            "Translate into English: Wir haben heute leider keine Zeit für dich.",
            "We have to say it so.",
            "en",
        ),
        (
            "",
            'Is this true: "天空是蓝色的，草是绿色的，大海是深的"?',
            "They ask if the sky is blue, and it is.",
            "en",
        ),
        ("", "Sum it", "二加二等于四，所以答案是四。", ""),
        ("", "$x$", "$x = 2$", ""),
    ],
)
def test_the_language_is_that_of_the_row_else_of_the_question_else_of_the_thought(
    given: str | None, question: str, thought: str, told: str
):
    assert wanted_language(given, question, f"<think>\n{thought}\n</think>\n4") == told


GERMAN = (
    "Zuerst addieren wir die beiden Zahlen, und danach teilen wir das Ergebnis durch die Anzahl der Tage."
)


def test_words_of_another_language_in_the_same_script_cost_their_share():
    english = (
        "We have two numbers and that is what they ask for. So the answer is of the same kind, not more."
    )
    assert language_share(english, "en") == 1.0
    assert language_share(GERMAN, "en") == 0.0
    assert language_share(GERMAN, "de") == 1.0
    assert 0.4 < (language_share(f"{english} {GERMAN}", "en") or 0) < 0.7


@pytest.mark.parametrize(
    "hidden",
    [
        "`计算总和`",
        "\\(\\text{总的次数} = 4\\)",
        "$x = 4\\text{ 个}$",
        "\\boxed{\\text{四个苹果}}",
        "\n```\n所以答案是四个苹果\n```\n",
        "`получаем ответ`",
    ],
)
def test_words_that_are_never_notation_are_prose_in_code_and_formulas(hidden: str):
    assert (language_share(f"so it is {hidden} and that is all", "en") or 0) < 1.0


@pytest.mark.parametrize(
    "code",
    [
        "`s = '计算'`",
        "`f(计算)`",
        "```python\nprint('你好')  # 问候\n```",
        "$\\aleph_0 + Ш$",
        "https://a.b/数学",
    ],
)
def test_code_stays_code(code: str):
    assert language_share(f"so it is {code} and that is all", "en") == 1.0


CHINESE = "我们首先把所有的数字加起来，然后再计算平均值"
HALF = "我们首先(把)所有的数字加起来; 然后(再)计算平均值"
RUSSIAN = "сначала сложим (все) числа; потом разделим"
FENCES = (
    "```{}```", "```\n{}\n```", "```python\n{}\n```", "```text\n1) {} = x\n```", "`{}`", "`\"{}\"`", "```\n# {0}\n# {0}\n```",
    "```\n* {0}\n* {0}\n```", "```\n// {}\n```", '```\n"""{}"""\n```', "```python\nx = 1\n# {0}\n# {0}\n# {0}\n# {0}\n# {0}\n# {0}\n```",
    "~~~\n{}\n~~~", "<code>{}</code>", "$$\\text{{{}}}$$", "</think><think>{}</think>",
)  # fmt: skip
REAL_CODE = (
    "```python\n# {0}\ndef f(x):\n    \"\"\"{0}\"\"\"\n    return sum(x)  # {0}\n```", "```python\nprint('{0}')\n```", "`print('{0}')`",
    "```js\n// {0}\nconst x = 5;\n```", "```sql\nSELECT * FROM t WHERE name = '{0}'\n```", "```bash\necho '{0}'\n```",
    "```cpp\n/* {0}\n   {0} */\nint main() {{ return 0; }}\n```",
)  # fmt: skip


@pytest.mark.parametrize("prose", [CHINESE, HALF, RUSSIAN])
@pytest.mark.parametrize("fence", FENCES)
def test_prose_is_prose_in_any_fence(fence: str, prose: str):
    found = check(Problem("q", "", language="en"), f"<think>so it is {fence.format(prose)} and done</think>5")
    assert found.outcome is Outcome.WRONG


@pytest.mark.parametrize("code", [*REAL_CODE, "```python\n总数 = 价格 * 数量\nprint(总数)\n```"])
@pytest.mark.parametrize("prose", [CHINESE, HALF, RUSSIAN])
def test_comments_and_strings_of_code_are_nobodys_language(code: str, prose: str):
    assert language_share(f"so it is {code.format(prose)} and that is all", "en") == 1.0


@pytest.mark.parametrize("sign", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"])
def test_signs_that_nobody_sees_are_no_words_and_part_none(sign: str):
    assert check(Problem("q", "", language="en"), f"<think>{sign * 9}</think>5").outcome is Outcome.NO_ANSWER
    hidden = sign.join("the words are here")
    assert language_share(hidden, "zh") == 0.0


def test_a_problem_whose_question_tells_is_judged_without_a_language_of_its_own():
    asked = Problem("What is the sum of the two numbers that we have?", "")
    assert check(asked, "<think>so it is two and that is all</think>2").outcome is Outcome.CORRECT
    assert check(asked, "<think>二加二等于四，所以答案是四</think>4").score == 0.0
