from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.reasoning import Parts, join, split
from distillery.stages.ingest.mapping.texts import UnfitError
from distillery.stages.ingest.mapping.thought_tags import own_form, parts, response

GOOD = "<think>\nadd them\n</think>\nIt is 4."
HARMONY = "<|start|>assistant<|channel|>"


@pytest.mark.parametrize(
    "text",
    [
        "<think>add them</think>It is 4.",
        "\n<THINK>\nadd them\n</Think>\n\nIt is 4.\n",
        "add them\n</think>\nIt is 4.",
        "<thinking>add them</thinking>It is 4.",
        "<reasoning>\nadd them\n</reasoning>\nIt is 4.",
        "<thought>add them</thought>It is 4.",
        "<think>add them</think>\n<answer>It is 4.</answer>",
        "<reasoning>\nadd them\n</reasoning>\n<answer>\nIt is 4.\n</answer>",
        "<|im_start|>think\nadd them\n<|im_start|>answer\nIt is 4.<|im_end|>",
        "<|im_start|>think\nadd them<|im_end|>\n<|im_start|>answer\nIt is 4.",
        "<|START_THINKING|>add them<|END_THINKING|><|START_RESPONSE|>It is 4.<|END_RESPONSE|>",
        "<Thought>\nadd them\n</Thought>\n<Output>\nIt is 4.\n</Output>",
        "<seed:think>add them</seed:think>It is 4.",
        "◁think▷add them◁/think▷It is 4.",
        "[THINK]add them[/THINK]It is 4.",
        "<|begin_of_thought|>\n\nadd them\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nIt is 4.\n\n<|end_of_solution|>",
        "<|begin_of_thought|>add them<|end_of_thought|><|begin_of_solution|>It is 4.",
        "<|channel|>analysis<|message|>add them<|end|><|start|>assistant<|channel|>final<|message|>It is 4.",
        f"{HARMONY}analysis<|message|>add them<|end|>{HARMONY}final<|message|>It is 4.<|return|>",
        "## Thinking\n\nadd them\n\n## Final Response\n\nIt is 4.",
        "**Thought**\nadd them\n\n**Final Answer**\nIt is 4.",
        "**Thought:** add them\n**Final Answer:** It is 4.",
    ],
)
def test_a_thought_of_any_house_is_in_the_normal_form(text: str):
    assert response(text) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "It is 4.",
        " It is 4. ",
        "Write <thinking>a</thinking> around it.",
        "The tags are <think> and </think>.",
        "Use [THINK] or **Thought** first.",
        "## Thinking\nis hard, and nothing follows.",
        "**Thought** is a heading here.",
        "First:\n## Thinking\na\n## Final Response\nb",
    ],
)
def test_a_tag_in_prose_is_a_word(text: str):
    assert response(text) == text
    assert parts(text) == Parts(None, text.strip())


def test_what_stands_around_an_answer_alone_goes_too():
    assert response(f"{HARMONY}final<|message|>It is 4.<|end|>") == "It is 4."
    assert response("<think>a</think><answer>4</answer>") == "<think>\na\n</think>\n4"
    assert response("<answer>4</answer>", "a") == "<think>\na\n</think>\n4"
    two = "<think>\na\n</think>\n<answer>4</answer><answer>5</answer>"
    assert response(two) == two
    assert response("<thought>a</thought><output>4</output> Done.") == "<think>\na\n</think>\n4\nDone."


def test_two_thoughts_of_one_channel_are_one():
    text = (
        f"{HARMONY}analysis<|message|>a<|end|>{HARMONY}analysis<|message|>b<|end|>{HARMONY}final<|message|>4"
    )
    assert response(text) == "<think>\na\n\nb\n</think>\n4"


@pytest.mark.parametrize(
    "text", ["<thinking>never closed", "<|begin_of_thought|>never closed", "<think>never closed"]
)
def test_a_thought_that_is_never_closed_has_no_answer(text: str):
    assert response(text) == "<think>\nnever closed"


def test_ones_own_tags_go_before_the_known_ones():
    assert response("<A>x</a>y", forms=[own_form(("<a>", "</a>"))]) == "<think>\nx\n</think>\ny"
    four = own_form(("<a>", "</a>", "{", "}"))
    assert (
        response("<a>x</a> {y}", forms=[four])
        == response("<a>x</a>y", forms=[four])
        == "<think>\nx\n</think>\ny"
    )


def test_a_thought_in_a_field_stands_before_the_answer():
    assert response("It is 4.", "add them") == response(GOOD, "add them\n") == GOOD
    assert response("It is 4.", " ") == "It is 4."
    assert response("", "add them") == "<think>\nadd them"
    assert response("<think>\n\n</think>\nIt is 4.", "add them") == GOOD


@pytest.mark.parametrize(
    ("text", "thought", "says"),
    [
        ("<think>a</think>b", "c", "two thoughts"),
        ("b", "a </think> c", "inside its thought"),
        ("<thinking>a </think> c</thinking>b", None, "inside a thought"),
        ("<|channel|>commentary to=f<|message|>{}", None, "neither"),
    ],
)
def test_what_would_be_misread_is_refused(text: str, thought: str | None, says: str):
    with pytest.raises(UnfitError, match=says):
        response(text, thought)


@given(st.text("ab<>/\n think", max_size=30), st.text("ab<>/\n ", max_size=30))
def test_the_normal_form_stays_as_it_is(thought: str, answer: str):
    text = response(join(thought, answer))
    assert response(text) == text
    assert parts(text) == split(text)
