import pytest

from distillery.records import Outcome
from distillery.verify.math import symbolic
from distillery.verify.math.equality import atoms_of


@pytest.mark.parametrize(
    ("gold", "answers", "outcome"),
    [
        ("x^2-1", ["(x-1)(x+1)"], Outcome.CORRECT),
        ("x^2-1", ["(x-1)(x+1)", "-1+x^2"], Outcome.CORRECT),
        ("x^2-1", ["(x-1)(x+1)", "x^2"], Outcome.WRONG),
        ("x^2-1", ["\\nonsense{"], Outcome.WRONG),
        ("\\div(", ["x"], Outcome.NO_GOLD),
        ("\\div(", [], Outcome.NO_GOLD),
        ("2\\sqrt{2}, x=\\frac{\\pi}{2}, \\text{odd}", [], Outcome.CORRECT),
    ],
)
def test_all_answers_must_be_the_gold(gold: str, answers: list[str], outcome: Outcome):
    symbolic.prepare()
    assert symbolic.work(gold, answers).outcome is outcome


@pytest.mark.parametrize(
    ("gold", "answer", "outcome"),
    [
        ("\\sqrt{2}", "1.41", Outcome.CORRECT),
        ("\\sqrt{2}", "1.4", Outcome.WRONG),
        ("\\sqrt{2}, \\pi", "3.14, 1.41", Outcome.CORRECT),
        ("x+1", "1+x", Outcome.CORRECT),
        ("x+1", "x", Outcome.WRONG),
    ],
)
def test_within_a_tolerance_numbers_need_only_be_near(gold: str, answer: str, outcome: Outcome):
    assert symbolic.work(gold, [answer], tolerance=0.01).outcome is outcome


def test_only_what_is_no_number_word_or_list_is_left_for_algebra():
    assert list(atoms_of("x = 2, \\sqrt{3}, \\text{none}, (1, [y+1, 5\\text{ cm}]), 12_5")) == [
        "\\sqrt{3}",
        "y+1",
    ]


@pytest.mark.parametrize(
    ("gold", "answer", "outcome"),
    [
        ("1-\\frac{1}{3^{90}}", "1", Outcome.WRONG),
        ("1+e^{-150}", "1", Outcome.WRONG),
        ("e^{-150}", "\\sqrt{8}-2\\sqrt{2}", Outcome.WRONG),
        ("\\sqrt{3}+10^{-70}", "\\sqrt{3}", Outcome.WRONG),
        ("\\sqrt{8}-2\\sqrt{2}", "0", Outcome.CORRECT),
        ("\\ln 6", "1.791759", Outcome.CORRECT),
        ("\\ln 6", "1.79", Outcome.WRONG),
        ("\\frac{1}{0}", "\\frac{2}{0}", Outcome.WRONG),
        ("\\sum_{k=0}^{88888}\\frac{1}{k!}", "\\sum_{k=0}^{88889}\\frac{1}{k!}", Outcome.WRONG),
        ("\\sum_{k=1}^{40}k^2", "22140", Outcome.CORRECT),
        ("\\sum_{k=1}^{9999}k", "49995000", Outcome.CORRECT),
        ("3^{4000}-1", "\\sum_{k=0}^{3999}2\\cdot 3^k", Outcome.CORRECT),
        ("\\prod_{k=1}^{6}k", "720", Outcome.CORRECT),
        ("\\sum_{k=0}^{\\infty}\\frac{1}{2^k}", "2", Outcome.CORRECT),
        ("\\sum_{k=1}^{m}k", "\\frac{m(m+1)}{2}", Outcome.CORRECT),
        ("\\sum_{k=1}^{m}k", "\\frac{m(m-1)}{2}", Outcome.WRONG),
    ],
)
def test_what_has_the_same_first_digits_need_not_be_the_same(gold: str, answer: str, outcome: Outcome):
    symbolic.prepare()
    assert symbolic.work(gold, [answer]).outcome is outcome


def test_a_list_of_boxes_is_an_alternative_to_each_of_them():
    symbolic.prepare()
    boxes = ["\\sqrt{8}", "\\sqrt{5}"]
    assert symbolic.work("\\sqrt{5}, 2\\sqrt{2}", boxes, joined=", ".join(boxes)).outcome is Outcome.CORRECT
    assert symbolic.work("2\\sqrt{2}", boxes, joined=", ".join(boxes)).outcome is Outcome.WRONG
