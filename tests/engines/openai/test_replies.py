"""What a reply means: which is whole, what it cost, what is asked again."""

import itertools
import math

import pytest

from distillery.engines.base import Completion, Failure, FailureKind, Request, Sampling
from distillery.engines.openai.replies import Fault, Said, add_piece, read_error, read_reply, whole_reply

REQUEST = Request("k", (("user", "a question of 30 characters..."),), Sampling(), 0)
KINDS = {
    "stop": ["stop", "STOP", "eos", "end_turn", "stop_sequence", "FINISH_REASON_STOP"],
    "length": ["length", "max_tokens", "MAX_TOKENS", "model_length"],
    "refused": ["content_filter", "sensitive", "SAFETY", "RECITATION"],
    "tool_call": ["tool_calls", "function_call", "tool_use"],
    "unfinished": [
        "insufficient_system_resource", "error", "abort", "cancelled", "", None, 7, 1.5, True, {"type": "stop"},
        ["stop"], "repetition_truncation", "unknown", "null", "None",
    ],
}  # fmt: skip


def read(said: Said | Fault):
    assert isinstance(said, Said)
    return read_reply(REQUEST, said, prefilled=False, must_think=False)


def body(finish, content="half an answer", **fields):
    choice = {"message": {"content": content, **fields}, "finish_reason": finish}
    return {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}


@pytest.mark.parametrize(("kind", "finish"), [(k, f) for k, group in KINDS.items() for f in group])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_finish_that_is_not_known_to_be_one_is_none(kind: str, finish, streamed: bool):
    if streamed:
        said = Said()
        add_piece(said, {"choices": [{"delta": {"content": "half an"}}]}, cut_loops=False)
        choice = {"delta": {"content": " answer"}, "finish_reason": finish}
        add_piece(said, {"choices": [choice], "usage": body("")["usage"]}, cut_loops=False)
    else:
        said = whole_reply(body(finish))
    reply = read(said)
    if kind in ("stop", "length"):
        assert isinstance(reply, Completion)
        assert (reply.finish, reply.text) == (kind, "half an answer")
    else:
        assert not isinstance(reply, Completion)
        assert reply.kind == kind
        assert isinstance(reply, Fault) == (kind == "unfinished")
        assert not isinstance(reply, Fault) or (reply.again and reply.paid == (5, 7))
        assert not isinstance(reply, Failure) or (reply.prompt_tokens, reply.completion_tokens) == (5, 7)


def test_a_call_of_a_tool_is_one_whatever_the_server_says_of_it():
    reply = read(whole_reply(body("stop", None, tool_calls=[{"id": "a"}])))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.TOOL_CALL


COUNTS = [
    None, "many", "", "1.5", [1], {}, -1, -(2**40), 2**31, 2**63, 10**30, math.inf, -math.inf, math.nan, 7.5, True,
    False, "99999999999", "-7", "٧" * 11,
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "count"), list(itertools.product(["prompt_tokens", "completion_tokens"], COUNTS))
)
def test_a_count_that_cannot_be_is_reckoned_and_said(where: str, count):
    given = body("stop", "x" * 60)
    given["usage"][where] = count
    reply = read(whole_reply(given))
    assert isinstance(reply, Completion)
    expected = {"prompt_tokens": 5, "completion_tokens": 7}
    expected[where] = {"prompt_tokens": 10, "completion_tokens": 20}[where]
    assert {name: getattr(reply, name) for name in expected} == expected
    assert reply.meta["reckoned"].startswith("the server counts ")


@pytest.mark.parametrize("usage", [None, "many", [1], 5, {}])
def test_a_reply_without_counts_is_reckoned(usage):
    reply = read(whole_reply({**body("stop", "x" * 60), "usage": usage}))
    assert isinstance(reply, Completion)
    assert (reply.prompt_tokens, reply.completion_tokens) == (10, 20)


@pytest.mark.parametrize("count", [7, 7.0, "7"])
def test_a_count_that_can_be_is_believed(count):
    given = body("stop")
    given["usage"]["completion_tokens"] = count
    reply = read(whole_reply(given))
    assert isinstance(reply, Completion)
    assert reply.completion_tokens == 7
    assert "reckoned" not in reply.meta


def test_pieces_of_a_stream_count_as_tokens_where_they_may_be_some():
    for size, expected in [(4, 50), (4000, 66_667)]:
        said = Said()
        for _ in range(50):
            add_piece(said, {"choices": [{"delta": {"content": "x" * size}}]}, cut_loops=False)
        said.finish = "stop"
        reply = read(said)
        assert isinstance(reply, Completion)
        assert reply.completion_tokens == expected


@pytest.mark.parametrize("value", [5, 0, False, True, 1.5, {"a": 1}, [5], [{"text": {}}]])
@pytest.mark.parametrize("name", ["content", "reasoning", "reasoning_content"])
def test_what_is_no_text_is_malformed(name: str, value):
    found = whole_reply(body("stop", **{"content": "fine", name: value}))
    assert isinstance(found, Fault)
    assert (found.kind, found.again) == (FailureKind.MALFORMED, True)


@pytest.mark.parametrize("value", [["no"], {"reason": "policy"}, 5, True, "I will not"])
def test_a_refusal_is_one_in_whatever_form(value):
    reply = read(whole_reply(body("stop", None, refusal=value)))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.REFUSED


def test_an_empty_reply_is_asked_for_again_but_not_where_the_limit_left_no_room():
    for finish, again in [("stop", True), ("length", False)]:
        reply = read(whole_reply(body(finish, "")))
        assert isinstance(reply, Fault)
        assert (reply.kind, reply.again) == (FailureKind.EMPTY, again)


def test_a_limit_beyond_every_count_is_none():
    words = "This model's maximum context length is " + "9" * 30
    fault = read_error(400, {}, '{"error": {"message": "' + words + '"}}')
    assert (fault.kind, fault.limit) == (FailureKind.CONTEXT_LENGTH, 0)
