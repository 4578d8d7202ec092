import pytest

from distillery.records import Outcome
from distillery.verify import symbolic
from distillery.verify.values import atoms_of


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
