import threading
import time
from dataclasses import replace

import pytest

from distillery.backoff import Backoff
from distillery.engines import Completion, Failure, Request, Sampling, open_engine
from distillery.engines.cached import Cached
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.request_store import RequestStore
from distillery.errors import EngineError
from tests.engines.ask_all import ask_all


def said(content="fine", *, finish="stop", **fields):
    message = {"role": "assistant", "content": content, **fields}
    return (
        200,
        {},
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
        },
    )


def refuses(status, message="no", **headers):
    return status, headers, {"error": {"message": message, "code": None}}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("distillery.engines.openai.event_loop._BACKOFF", Backoff(0.01, 60.0))


def requests(count, sampling=None):
    return [
        Request(f"k{n}", (("system", "Be brief."), ("user", f"q{n}")), sampling or Sampling(), n)
        for n in range(count)
    ]


def engine(server, **options):
    return OpenAIServer(model="m", base_url=server.url, **options)


def ask(server, count=1, **options):
    return {reply.key: reply for reply in ask_all(engine(server, **options), requests(count))}


def question(body):
    return body["messages"][-1]["content"]


def test_all_that_was_sampled_is_sent_and_all_that_was_said_comes_back(serve):
    server = serve(lambda body: said())
    sampling = Sampling(0.7, 0.9, 64, ("END",))
    (reply,) = ask_all(engine(server, extra_body={"top_k": 5}), requests(1, sampling))
    assert server.seen == [
        {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "q0"}],
            "temperature": 0.7,
            "top_p": 0.9,
            "max_tokens": 64,
            "seed": 0,
            "stop": ["END"],
            "top_k": 5,
        }
    ]
    assert (reply.key, reply.text, reply.finish) == ("k0", "fine", "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (5, 7)
    assert reply.meta["endpoint"] == server.url.split("/")[2]


@pytest.mark.parametrize(
    "answer",
    [
        said("42", reasoning="let me see"),
        said("\n\n42", reasoning_content="let me see\n"),
        said("<think>\nlet me see\n</think>\n\n42"),
        said("let me see\n</think>\n\n42"),
        said("42", reasoning="let me see", reasoning_content="let me see"),
    ],
    ids=["reasoning", "reasoning_content", "inline", "no opening tag", "both fields"],
)
def test_a_thought_comes_back_in_one_form_however_the_server_writes_it(serve, answer):
    assert ask(serve(lambda body: answer))["k0"].text == "<think>\nlet me see\n</think>\n42"


def test_a_reply_cut_at_its_limit_says_so_and_has_no_answer(serve):
    replies = ask(serve(lambda body: said(None, reasoning="let me", finish="length")))
    assert (replies["k0"].finish, replies["k0"].text) == ("length", "<think>\nlet me")


def test_a_cut_thought_that_the_template_opened_is_no_answer(serve):
    replies = ask(serve(lambda body: said("let me", finish="length")), prefilled=True)
    assert replies["k0"].text == "<think>\nlet me"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said("", finish="stop"), "empty"),
        (said(None, finish="length"), "empty"),
        (said("x", finish="content_filter"), "refused"),
        (said(None, refusal="I will not"), "refused"),
        (
            (200, {}, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}),
            "malformed",
        ),
        ((200, {}, b"{not json"), "malformed"),
        (said(5), "malformed"),
        (said("half", finish="abort"), "unfinished"),
        (said("half", finish=None), "unfinished"),
        (said("half", finish="sensitive"), "refused"),
        (said("half", tool_calls=[{"id": "a"}]), "tool_call"),
        (refuses(403, "flagged by our safety system"), "refused"),
        (refuses(400, "This model's maximum context length is 512 tokens."), "context_length"),
        (refuses(413, "payload"), "context_length"),
        (refuses(400, "blocked by our content management policy"), "refused"),
        (refuses(400, "top_k must be positive"), "malformed"),
        (refuses(422, "extra fields"), "malformed"),
        (refuses(429, "slow down"), "rate_limit"),
        (refuses(503, "overloaded"), "transport"),
    ],
)
def test_each_way_to_fail_has_its_kind(serve, answer, kind):
    reply = ask(serve(lambda body: answer), max_retries=1)["k0"]
    assert isinstance(reply, Failure)
    assert reply.kind == kind


@pytest.mark.parametrize(
    "counted",
    [
        "However, you requested 612 tokens (112 in the messages, 500 in the completion).",
        "However, you requested 500 output tokens and your prompt contains 112 input tokens, for a total of 612.",
        "You requested a total of 612 tokens: 112 tokens from the input messages and 500 for the completion.",
    ],
)
def test_a_server_that_says_how_much_room_there_is_gets_asked_for_that_much(serve, counted):
    words = f"This model's maximum context length is 512 tokens. {counted}"
    server = serve(lambda body: refuses(400, words) if body["max_tokens"] > 400 else said("fine"))
    (reply,) = ask_all(engine(server), requests(1, Sampling(max_tokens=500)))
    assert [body["max_tokens"] for body in server.seen] == [500, 400]
    assert (reply.text, reply.meta["room"]) == ("fine", 400)


@pytest.mark.parametrize(
    "words",
    [
        (
            "This model's maximum context length is 512 tokens. However, you requested 400 output tokens and your "
            "prompt contains at least 113 input tokens, for a total of at least 513 tokens."
        ),
        (
            "This model's maximum context length is 512 tokens. However, you requested 400 output tokens and your "
            "prompt contains 9000 characters (more than 2240 characters, which is the upper bound for 112 input tokens)."
        ),
        (
            "This model's maximum context length is 512 tokens. However, you requested 512 output tokens and your "
            "prompt contains 9 characters (more than 0 characters, which is the upper bound for 0 input tokens)."
        ),
        "max_tokens=512 cannot be greater than max_model_len=max_total_tokens=512. Please request fewer output tokens.",
    ],
    ids=["at-least", "characters", "no-room", "reply"],
)
def test_a_server_that_did_not_count_the_prompt_sets_the_limit_itself(serve, words):
    server = serve(lambda body: refuses(400, words) if "max_tokens" in body else said("fine"))
    (reply,) = ask_all(engine(server), requests(1, Sampling(max_tokens=512)))
    assert [body.get("max_tokens") for body in server.seen] == [512, None]
    assert (reply.text, reply.meta["room"]) == ("fine", 507)


def test_a_prompt_that_leaves_no_room_is_asked_twice_where_it_is_not_counted(serve):
    words = "This model's maximum context length is 512 tokens. (it contains at least 113 input tokens)"
    server = serve(lambda body: refuses(400, words))
    (reply,) = ask_all(engine(server), requests(1, Sampling(max_tokens=400)))
    assert [body.get("max_tokens") for body in server.seen] == [400, None]
    assert reply.kind == "context_length"


def test_a_prompt_that_leaves_no_room_is_asked_once(serve):
    words = "This model's maximum context length is 512 tokens. (612 in the messages, 500 in the completion)"
    server = serve(lambda body: refuses(400, words))
    (reply,) = ask_all(engine(server), requests(1, Sampling(max_tokens=500)))
    assert (len(server.seen), reply.kind) == (1, "context_length")


def test_an_event_of_a_stream_that_makes_no_sense_is_a_failure_of_its_row(serve):
    events = b'data: {"choices": [{"delta": {"content": {"a": 1}}}]}\n\ndata: [DONE]\n\n'
    headers = {"content-type": "text/event-stream"}
    reply = ask(serve(lambda body: (200, headers, events)), max_retries=0, stream=True)["k0"]
    assert (reply.kind, "unreadable event" in reply.message) == ("malformed", True)


def test_half_a_surrogate_pair_is_replaced_and_can_be_stored(serve, tmp_path):
    broken = b'{"choices": [{"message": {"content": "a\\ud83d b \\ud83d\\ude00"}, "finish_reason": "stop"}]}'
    store = RequestStore(tmp_path)
    (reply,) = ask_all(Cached(engine(serve(lambda body: (200, {}, broken))), store), requests(1))
    assert reply.text == "a\ufffd b \U0001f600"


def test_an_answer_after_a_thought_that_repeated_itself_is_no_loop(serve):
    loop = "wait, so it is. " * 300
    answer = said("7", reasoning_content=loop)
    sampling = Sampling(cut_loops=True)
    (reply,) = ask_all(engine(serve(lambda body: answer)), requests(1, sampling))
    assert (reply.finish, reply.text.endswith("</think>\n7")) == ("stop", True)
    endless = said("", finish="length", reasoning_content=loop)
    (reply,) = ask_all(engine(serve(lambda body: endless)), requests(1, sampling))
    assert reply.finish == "loop"


def test_tokens_of_a_reply_that_is_of_no_use_are_known(serve):
    reply = ask(serve(lambda body: said("no thought")), must_think=True)["k0"]
    assert (reply.kind, reply.prompt_tokens, reply.completion_tokens) == ("no_reasoning", 5, 7)


@pytest.mark.parametrize("trouble", [refuses(429), refuses(500), refuses(408), (200, {}, b"<html>")])
def test_what_may_pass_is_tried_again(serve, trouble):
    answers = [trouble, trouble, said("at last")]
    assert ask(serve(lambda body: answers.pop(0)), max_retries=2)["k0"].text == "at last"


SCHEMA = '{"type": "object"}'


def test_a_schema_is_sent_as_the_response_format(serve):
    server = serve(lambda body: said())
    list(ask_all(engine(server), [replace(requests(1)[0], schema=SCHEMA)]))
    assert server.seen[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "strict": True, "schema": {"type": "object"}},
    }
    ask(server)
    assert "response_format" not in server.seen[1]


def test_a_server_that_knows_no_schema_is_out_of_use_and_says_so_once(serve):
    server = serve(lambda body: refuses(400, "This response_format type is unavailable now"))
    with pytest.raises(EngineError, match="does not hold replies to a JSON schema; set structured: false"):
        list(ask_all(engine(server), [replace(one, schema=SCHEMA) for one in requests(3)]))
    assert ask(server)["k0"].kind == "malformed", "without a schema it is this request's own failure"


def test_what_cannot_pass_is_not_tried_again(serve):
    server = serve(lambda body: refuses(400, "context_length_exceeded"))
    ask(server)
    assert len(server.seen) == 1


@pytest.mark.parametrize("header", [{"retry_after": "0.4"}, {"retry_after_ms": "400"}])
def test_the_server_says_how_long_to_wait(serve, header):
    answers = [refuses(429, **header), said()]
    began = time.monotonic()
    ask(serve(lambda body: answers.pop(0)))
    assert 0.4 <= time.monotonic() - began < 3


def test_an_unreadable_retry_after_is_not_obeyed(serve):
    answers = [refuses(429, retry_after="soon"), refuses(429, retry_after="5 May"), said()]
    assert isinstance(ask(serve(lambda body: answers.pop(0)))["k0"], Completion)


def test_a_date_in_retry_after_is_obeyed(serve):
    answers = [refuses(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), said()]
    assert isinstance(ask(serve(lambda body: answers.pop(0)))["k0"], Completion)


def test_a_request_that_waits_leaves_its_slot_to_others(serve):
    first = []

    def reply(body):
        if question(body) == "q0" and not first:
            first.append(1)
            return refuses(429, retry_after="0.5")
        return said()

    server = serve(reply)
    order = [reply.key for reply in ask_all(engine(server, concurrency=1), requests(5))]
    assert order == ["k1", "k2", "k3", "k4", "k0"]


def test_as_many_requests_are_in_flight_as_were_asked_for_and_no_more(serve):
    gate = threading.Event()

    def reply(body):
        if len(server.seen) >= 150:
            gate.set()
        gate.wait(20)
        return said()

    server = serve(reply)
    assert len(ask(server, 300, concurrency=150)) == 300
    assert server.most_in_flight == 150


def test_one_slow_reply_holds_up_no_other(serve):
    slow = threading.Event()

    def reply(body):
        if question(body) == "q0":
            slow.wait(20)
        return said()

    replies = ask_all(engine(serve(reply), concurrency=2), requests(20))
    first = [next(replies).key for _ in range(19)]
    assert "k0" not in first
    slow.set()
    assert [reply.key for reply in replies] == ["k0"]


def test_an_endpoint_that_is_down_is_named_before_anything_is_asked(serve):
    server = serve(lambda body: said())
    server.stop()
    dead = engine(server)
    with pytest.raises(EngineError, match=f"endpoint {dead.base_url} .*gives no answer"):
        list(ask_all(dead, requests(3)))


def test_an_endpoint_that_dies_ends_the_run_and_loses_no_reply(serve, tmp_path):
    def reply(body):
        if len(server.seen) > 5:
            threading.Thread(target=server.server.shutdown).start()
            server.server.socket.close()
            raise ConnectionError
        return said()

    server = serve(reply)
    store = RequestStore(tmp_path)
    with pytest.raises(EngineError, match="gives no answer"):
        list(ask_all(Cached(engine(server, concurrency=1, patience_s=0.3), store), requests(20)))
    assert store.sizes()[0].completions == 5


def test_a_request_that_hangs_up_the_connection_is_its_own_failure_if_the_endpoint_lives(serve):
    def reply(body):
        if question(body) == "q1":
            raise ConnectionError
        return said()

    replies = ask(serve(reply), 3, max_retries=1)
    assert [type(replies[key]) for key in ("k0", "k1", "k2")] == [Completion, Failure, Completion]
    assert replies["k1"].kind == "transport"


def test_a_reply_that_takes_too_long_is_a_transport_failure(serve):
    late = threading.Event()
    server = serve(lambda body: late.wait(20) and said())
    reply = ask(server, timeout_s=0.2, max_retries=0)["k0"]
    late.set()
    assert (reply.kind, "no reply within" in reply.message) == ("transport", True)


@pytest.mark.parametrize(
    ("status", "says"), [(401, "does not accept the key"), (402, "balance"), (404, "does not know the model")]
)
def test_an_endpoint_that_will_serve_nobody_ends_the_run(serve, status, says):
    with pytest.raises(EngineError, match=f"{says}.*DEEPSEEK_API_KEY"):
        ask(serve(lambda body: refuses(status)), 3, api_key_env="DEEPSEEK_API_KEY")


def test_the_key_comes_from_the_named_variable(serve, monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")
    server = serve(lambda body: said())
    ask(server, api_key_env="MY_KEY")
    assert server.keys == ["Bearer s3cret"]


def test_neither_url_nor_key_nor_tempo_is_part_of_the_identity():
    one = open_engine("openai", {"model": "m", "base_url": "http://a/v1"})
    two = open_engine(
        "openai", {"model": "m", "base_url": "http://b/v1", "concurrency": 1, "api_key_env": "K"}
    )
    assert one.identity == two.identity == {"model": "m"}


def test_what_changes_the_replies_is_part_of_the_identity():
    identities = [
        OpenAIServer(model="m", **options).identity
        for options in ({}, {"revision": "2"}, {"extra_body": {"top_k": 1}}, {"extra_body": {"top_k": 2}})
    ]
    assert len({str(identity) for identity in identities}) == 4


def test_stopping_early_leaves_no_thread_behind(serve):
    with engine(serve(lambda body: said()), concurrency=2) as served:
        replies = ask_all(served, requests(50))
        next(replies)
        replies.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("requests to")]


def test_a_fault_of_our_own_is_raised_where_the_replies_are_read(serve):
    broken = [Request("k", (("user", object()),), Sampling(), 0)]
    with pytest.raises(TypeError):
        list(ask_all(engine(serve(lambda body: said())), broken))
