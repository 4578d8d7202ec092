import unicodedata

import pytest

from distillery.records import Outcome, Problem
from distillery.verify import get_checker

check = get_checker("exact").check
TAG = '{"within": "answer"}'


@pytest.mark.parametrize(
    "text",
    [
        "<answer>4</answer>",
        "<think>x</think>\\boxed{4}",
        "<think>x</think>\n 4 ",
        "<think></think><answer> 4\n</answer>",
    ],
)
def test_an_answer_is_found_in_tag_box_or_text(text: str):
    assert check(Problem("q", "4"), text).score == 1.0


def test_spacing_and_case_do_not_matter():
    assert check(Problem("q", "Hello Ann, nice to meet you."), "hello  Ann,\nNICE to meet you.").score == 1.0


@pytest.mark.parametrize("gold", ["Zürich", "Ångström", "Tiếng Việt", "한국", "ἀρχή", "Éclair", "é\u0323"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_letter_may_be_one_sign_or_two(gold: str, form: str):
    answer = f"<think>x</think>{unicodedata.normalize(form, gold)}"
    for other in ("NFC", "NFD"):
        assert check(Problem("q", unicodedata.normalize(other, gold)), answer).score == 1.0
    plain = "".join(sign for sign in unicodedata.normalize("NFD", gold) if not unicodedata.combining(sign))
    assert check(Problem("q", plain), answer).score == float(gold == "한국")


def test_the_tag_goes_before_the_box():
    assert check(Problem("q", "4"), r"\boxed{5} <answer>4</answer>").extracted == "4"


def test_the_option_demands_the_tag():
    verdict = check(Problem("q", "4", payload=TAG), "<think>x</think>\n4")
    assert (verdict.outcome, verdict.score) == (Outcome.NO_ANSWER, 0.0)


def test_an_unclosed_thought_has_no_answer():
    assert check(Problem("q", "4"), "<think><answer>4</answer>").outcome is Outcome.NO_ANSWER


def test_an_empty_tag_is_no_answer():
    assert check(Problem("q", "4"), "<answer> </answer>").outcome is Outcome.NO_ANSWER


def test_an_empty_gold_is_not_the_answers_fault():
    verdict = check(Problem("q", " "), "4")
    assert (verdict.outcome, verdict.score) == (Outcome.NO_GOLD, None)


@pytest.mark.parametrize("payload", ["[1]", "no json", '{"within": "box"}'])
def test_an_unreadable_payload_is_an_error_and_not_a_zero(payload: str):
    verdict = check(Problem("q", "4", payload=payload), "4")
    assert (verdict.outcome, verdict.score) == (Outcome.ERROR, None)


def test_several_answers_in_one_are_wrong():
    assert check(Problem("q", "4"), "<answer>4 or 5</answer>").score == 0.0


def test_what_is_announced_as_the_answer_counts_where_nothing_is_marked():
    assert check(Problem("q", "Paris"), "<think>x</think>We looked it up. The answer is Paris.").score == 1.0
    assert check(Problem("q", "Paris"), "The answer is not Paris.").detail == "negated"
    assert check(Problem("q", "Paris"), "The answer is Paris or Rome.").score == 0.0


def test_composed_and_decomposed_letters_are_the_same():
    assert check(Problem("q", "Z\u00fcrich"), "Zu\u0308rich").score == 1.0
