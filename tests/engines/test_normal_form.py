import pytest

from distillery.engines.normal_form import normal_form

WHOLE = "<think>\nlet me see\n</think>\n42"


@pytest.mark.parametrize(
    ("content", "thought"),
    [
        ("<think>\nlet me see\n</think>\n42", ""),
        ("<think>let me see</think>42", ""),
        ("let me see\n</think>\n\n42", ""),
        ("\n\n42", "let me see\n"),
        ("42", "let me see"),
    ],
)
def test_every_way_to_write_a_thought_becomes_one(content, thought):
    assert normal_form(content, thought=thought) == WHOLE


def test_a_text_without_a_thought_stays_a_text_without_a_thought():
    assert normal_form(" 42\n") == "42"


def test_an_empty_block_stays_an_empty_block():
    assert normal_form("<think></think>\n\nHello!") == "<think>\n\n</think>\nHello!"


def test_a_thought_that_was_cut_off_has_no_answer():
    assert normal_form("<think>let me", cut=True) == "<think>\nlet me"
    assert normal_form("", thought="let me", cut=True) == "<think>\nlet me"


def test_a_thought_opened_by_the_template_and_cut_off_is_all_thought():
    assert normal_form("let me", prefilled=True, cut=True) == "<think>\nlet me"


def test_a_thought_without_an_answer_is_not_a_cut_one():
    assert normal_form("", thought="let me see") == "<think>\nlet me see\n</think>\n"


@pytest.mark.parametrize("text", ["Sure! <think>a</think>b", "<think>a <think>b</think>c"])
def test_tags_in_wrong_places_are_left_as_they_are(text):
    assert normal_form(text) == text
