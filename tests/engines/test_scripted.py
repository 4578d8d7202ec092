import pytest

from distillery.engines import Completion, Failure, Request, Sampling, open_engine
from distillery.engines.scripted import Scripted
from distillery.errors import ConfigError
from tests.engines.ask_all import ask_all


def request(seed=9, max_tokens=100):
    return Request("k", (("user", "How much is it?"),), Sampling(max_tokens=max_tokens), seed)


def test_echo_thinks_the_question_over_and_answers_from_the_seed():
    with Scripted() as engine:
        assert list(ask_all(engine, [request()])) == [
            Completion("k", "<think>\nHow much is it?\n</think>\n\\boxed{2}", "stop", 4, 4)
        ]
    assert engine.calls == [request()]


def test_agree_is_a_judge_that_accepts_all():
    (reply,) = ask_all(open_engine("scripted", {"script": "agree"}), [request()])
    assert reply.text == "correct"


def test_a_text_longer_than_allowed_is_cut():
    (reply,) = ask_all(Scripted(reply=lambda _: "one two three"), [request(max_tokens=2)])
    assert (reply.text, reply.finish, reply.completion_tokens) == ("one two", "length", 2)


def test_a_reply_can_be_a_failure():
    failure = Failure("k", "refused", "no")
    assert list(ask_all(Scripted(reply=lambda _: failure), [request()])) == [failure]


def test_scripts_differ_in_identity():
    assert Scripted(script="agree").identity != Scripted().identity


def test_a_callable_is_no_option_of_a_file():
    with pytest.raises(ConfigError, match="script"):
        open_engine("scripted", {"script": "no such"})
