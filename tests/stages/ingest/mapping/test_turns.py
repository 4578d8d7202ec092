from __future__ import annotations

import json
from typing import Any

import pytest

from distillery.stages.ingest.mapping.texts import UnfitError
from distillery.stages.ingest.mapping.thought_tags import response
from distillery.stages.ingest.mapping.turns import Conversation, conversation


def turns(*said: tuple[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"role": role, "content": content, **more} for role, content in said]


def read(value: Any, *, with_system: bool = True) -> Conversation:
    return conversation(value, response, with_system=with_system)


ASKED = (("user", "Hello"), ("assistant", "Hi!"), ("user", "2+2?"), ("assistant", "4"))
EXPECTED = Conversation("2+2?", "4", (("user", "Hello"), ("assistant", "Hi!")), "")


@pytest.mark.parametrize(
    "value",
    [
        turns(*ASKED),
        [{"from": {"user": "human", "assistant": "gpt"}[who], "value": what} for who, what in ASKED],
        json.dumps(turns(*ASKED)),
        {"role": [who for who, _ in ASKED], "content": [what for _, what in ASKED]},
        turns(*((who.upper(), [{"type": "text", "text": what}]) for who, what in ASKED)),
        [{"from": None, "value": None, **turn} for turn in turns(*ASKED, tool_calls=[], name=None)],
    ],
)
def test_every_form_of_turns_is_the_same_conversation(value: Any):
    assert read(value) == EXPECTED


def test_two_turns_of_the_user_are_one():
    assert read(turns(("user", "1"), ("user", " "), ("user", "2"), ("assistant", "3"))).question == "1\n\n2"


def test_system_prompts_at_the_beginning_are_one_and_can_be_left_out():
    said = turns(("system", "a"), ("developer", "b"), ("system", " "), *ASKED)
    assert read(said) == EXPECTED._replace(system="a\n\nb")
    assert read(said, with_system=False) == EXPECTED
    assert read(turns(ASKED[0], ASKED[1], ("system", "x"), *ASKED[2:]), with_system=False) == EXPECTED


def test_a_conversation_that_the_user_ends_has_no_answer():
    assert read(turns(*ASKED[:3])) == EXPECTED._replace(text=None)
    assert read(turns(*ASKED[:3], ("assistant", None))) == EXPECTED._replace(text=None)


def test_thoughts_of_earlier_turns_are_left_out():
    said = turns(("user", "Hello"), ("assistant", "<thinking>hm</thinking>Hi!"), *ASKED[2:])
    assert read(said) == EXPECTED


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_a_thought_may_come_in_a_field_or_a_part(name: str):
    last = {"role": "assistant", "content": "4", name: "add"}
    assert read([*turns(*ASKED[:3]), last]).text == "<think>\nadd\n</think>\n4"
    parts = [{"type": "thinking", "thinking": "add"}, {"type": "text", "text": "4"}]
    assert read(turns(*ASKED[:3], ("assistant", parts))).text == "<think>\nadd\n</think>\n4"


@pytest.mark.parametrize(
    ("value", "reason", "says"),
    [
        (None, "no_question", "no conversation"),
        ([], "no_question", "no conversation"),
        (turns(("system", "a")), "no_question", "no question"),
        (turns(("user", "\u200b"), ("assistant", "a")), "no_question", "empty"),
        (turns(("assistant", "a"), *ASKED), "malformed", "speaks first"),
        (turns(*ASKED, ("assistant", "5")), "malformed", "twice in a row"),
        (turns(("user", "a"), ("assistant", " "), ("user", "b")), "malformed", "says nothing"),
        (turns(ASKED[0], ("system", "x"), ASKED[1]), "malformed", "system stands"),
        (turns(ASKED[0], ("tool", "x"), ASKED[1]), "malformed", "tool stands"),
        (turns(ASKED[0], ("assistant", "a"), tool_calls=[{"id": 1}]), "malformed", "turn 1 calls a tool"),
        (turns(ASKED[0], ("narrator", "a")), "malformed", "turn 2 has the role 'narrator'"),
        (turns(("user", [{"type": "image_url", "image_url": "x"}])), "malformed", "no text"),
        (turns(("user", {"parts": ["a"]})), "malformed", "no text"),
        (turns(("user", 4)), "", ""),
        (["a", "b"], "malformed", "turn 1 is 'a'"),
        ("not json", "malformed", "not a list"),
        ("4", "malformed", "not a list"),
        ([{"role": "user", "content": "a", "reasoning": "b"}], "malformed", "has a thought"),
        (turns(ASKED[0], ("assistant", "a"), reasoning="b"), "malformed", "the user's and has a thought"),
        ([*turns(ASKED[0]), {"role": "assistant", "reasoning": "b", "thinking": "c"}], "malformed", "differ"),
    ],
)
def test_what_has_no_place_in_a_problem_is_refused(value: Any, reason: str, says: str):
    if not reason:
        assert read(value).question == "4"
        return
    with pytest.raises(UnfitError, match=says) as caught:
        read(value)
    assert caught.value.reason == reason
