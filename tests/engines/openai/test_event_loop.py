"""The scheduler against the mock server: faults, several endpoints, tails, loops, draining."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from distillery.backoff import Backoff
from distillery.engines import Completion, Failure, Request, Sampling
from distillery.engines.mock.replies import MockOptions, Style
from distillery.engines.openai.engine import OpenAIServer
from distillery.errors import ConfigError, EngineError
from tests.engines.ask_all import ask_all
from tests.engines.mock_server import MockServer


@contextmanager
def serving(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Iterator[str]:
    """A server of one's own in a thread."""
    ready: SimpleQueue[tuple[int, Callable[[], object]]] = SimpleQueue()

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    async def serve() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await asyncio.start_server(closing, "127.0.0.1", 0) as server:
            ready.put((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(over.set)))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    port, stop = ready.get()
    yield f"http://127.0.0.1:{port}/v1"
    stop()
    thread.join()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("distillery.engines.openai.event_loop._BACKOFF", Backoff(0.01, 60.0))


def requests(count, sampling=None, text="q{n}", start=0):
    sampling = sampling or Sampling(max_tokens=64)
    return [Request(f"k{n}", (("user", text.format(n=n)),), sampling, n) for n in range(start, start + count)]


def replies(engine, asked):
    return {reply.key: reply for reply in ask_all(engine, asked)}


FAULTS = {
    "rate_limit": 0.1,
    "server_error": 0.1,
    "disconnect": 0.05,
    "malformed": 0.1,
}


def test_faults_that_pass_cost_tries_and_no_rows():
    with MockServer(MockOptions(**FAULTS, retry_after_s=0, latency_s=0.002)) as server:
        found = replies(OpenAIServer("mock", server.url, concurrency=32), requests(400))
        stats = server.stats()
    assert {type(reply) for reply in found.values()} == {Completion}
    assert len(found) == 400
    assert stats["requests"] == 400 + sum(stats["errors"][fault] for fault in FAULTS)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limit", "rate_limit"),
        ("server_error", "transport"),
        ("malformed", "malformed"),
        pytest.param("disconnect", "transport", marks=pytest.mark.slow),
        ("empty", "empty"),
        ("refusal", "refused"),
    ],
)
def test_a_fault_that_stays_is_a_failure_of_its_kind_and_harms_no_other_row(fault, kind):
    options = MockOptions(**{fault: 0.1}, sticky_errors=True, retry_after_s=0)
    with MockServer(options) as server:
        found = replies(OpenAIServer("mock", server.url, concurrency=16, max_retries=1), requests(60))
    kinds = [reply.kind for reply in found.values() if isinstance(reply, Failure)]
    assert len(found) == 60
    assert set(kinds) == {kind}
    assert 0 < len(kinds) < 20


def test_a_reply_that_never_comes_is_a_failure_in_time():
    with MockServer(MockOptions(hang=0.2, sticky_errors=True)) as server:
        engine = OpenAIServer("mock", server.url, timeout_s=0.3, max_retries=0)
        found = replies(engine, requests(30))
    assert {reply.kind for reply in found.values() if isinstance(reply, Failure)} == {"transport"}


def test_a_prompt_that_does_not_fit_is_a_failure_after_one_try_without_a_limit():
    with MockServer(MockOptions(max_model_len=5)) as server:
        asked = requests(1, Sampling(max_tokens=4), text="a b c d e f g {n}")
        found = replies(OpenAIServer("mock", server.url), asked)
        assert server.stats()["requests"] == server.stats()["errors"]["context_length"] == 2
    assert found["k0"].kind == "context_length"


def test_a_reply_is_asked_to_be_as_long_as_the_context_leaves_room_for():
    with MockServer(MockOptions(max_model_len=40, loop=1.0)) as server:
        found = replies(
            OpenAIServer("mock", server.url), requests(1, Sampling(max_tokens=100), text="a b c {n}")
        )
        assert server.stats()["errors"] == {"context_length": 1}
    assert (found["k0"].finish, found["k0"].completion_tokens, found["k0"].meta["room"]) == ("length", 36, 36)


@pytest.mark.slow
def test_requests_are_shared_between_endpoints_by_what_is_outstanding():
    with MockServer(MockOptions(latency_s=0.05)) as fast, MockServer(MockOptions(latency_s=0.4)) as slow:
        engine = OpenAIServer("mock", (fast.url, slow.url), concurrency=16)
        assert len(replies(engine, requests(300))) == 300
        quick, lazy = fast.stats()["served"], slow.stats()["served"]
    assert quick + lazy == 300
    assert quick > 1.5 * lazy > 0


@pytest.mark.slow
def test_an_endpoint_that_dies_and_comes_back_fails_no_row():
    options = MockOptions(latency_s=0.01)
    with MockServer(options) as steady, MockServer(options) as shaky:
        port = int(shaky.url.split(":")[2].split("/")[0])
        engine = OpenAIServer("mock", (steady.url, shaky.url), concurrency=16, max_retries=1)
        stream = ask_all(engine, requests(4000))
        found = [next(stream) for _ in range(100)]
        shaky.stop()
        found += [next(stream) for _ in range(200)]
        with MockServer(MockOptions(latency_s=0.01, port=port)) as back:
            while not back.stats()["served"]:
                found.append(next(stream))
            found += list(stream)
    assert len(found) == 4000
    assert {type(reply) for reply in found} == {Completion}


@pytest.mark.slow
def test_when_no_endpoint_comes_back_the_run_ends_with_what_it_has():
    with MockServer(MockOptions(latency_s=0.01)) as server:
        stream = ask_all(OpenAIServer("mock", server.url, concurrency=4, patience_s=0.3), requests(500))
        found = [next(stream) for _ in range(20)]
        server.stop()
        with pytest.raises(EngineError, match="gives no answer for"):
            found += list(stream)
    assert len(found) >= 20


def test_an_endpoint_down_from_the_start_is_only_passed_over_when_another_is_there():
    with MockServer() as server:
        engine = OpenAIServer("mock", ("http://127.0.0.1:9/v1", server.url))
        assert len(replies(engine, requests(20))) == 20


@pytest.mark.parametrize("style", ["inline", "reasoning", "reasoning_content", "prefilled"])
@pytest.mark.parametrize("stream", [True, False])
def test_every_servers_way_to_send_a_thought_gives_the_same_row(style, stream):
    with MockServer(MockOptions(style=Style.INLINE)) as plain:
        expected = replies(OpenAIServer("mock", plain.url), requests(5))
    with MockServer(MockOptions(style=Style(style))) as server:
        found = replies(OpenAIServer("mock", server.url, stream=stream), requests(5))
    assert {key: reply.text for key, reply in found.items()} == {k: r.text for k, r in expected.items()}
    tokens = {key: reply.completion_tokens for key, reply in found.items()}
    assert all(
        abs(tokens[key] - reply.completion_tokens) <= 1 for key, reply in expected.items()
    )  # a prefilled tag


def test_a_reasoning_model_that_gives_no_thought_is_a_failure():
    with MockServer(MockOptions(style=Style.NONE)) as server:
        found = replies(OpenAIServer("mock", server.url, must_think=True), requests(3))
        plain = replies(OpenAIServer("mock", server.url), requests(3))
    assert {reply.kind for reply in found.values()} == {"no_reasoning"}
    assert {type(reply) for reply in plain.values()} == {Completion}


def test_a_loop_is_cut_while_it_is_written():
    sampling = Sampling(max_tokens=20_000, cut_loops=True)
    with MockServer(MockOptions(loop=1.0, latency_s=0.2)) as server:
        found = replies(OpenAIServer("mock", server.url, concurrency=4), requests(4, sampling))
        deadline = time.monotonic() + 10
        while server.stats()["errors"].get("aborted", 0) < 4:
            assert time.monotonic() < deadline
    assert {reply.finish for reply in found.values()} == {"loop"}
    assert max(reply.completion_tokens for reply in found.values()) < 5000


def test_a_loop_found_only_at_the_end_gives_the_same_text():
    sampling = Sampling(max_tokens=5000, cut_loops=True)
    with MockServer(MockOptions(loop=1.0)) as server:
        heard = replies(OpenAIServer("mock", server.url, stream=True), requests(2, sampling))
        whole = replies(OpenAIServer("mock", server.url, stream=False), requests(2, sampling))
    assert {k: (r.text, r.finish) for k, r in heard.items()} == {
        k: (r.text, r.finish) for k, r in whole.items()
    }


@pytest.mark.slow
def test_a_slow_few_hold_up_no_other_request():
    options = MockOptions(latency_s=0.01, slow_share=0.02, slow_factor=100)
    with MockServer(options) as server:
        began = time.monotonic()
        found = replies(OpenAIServer("mock", server.url, concurrency=64), requests(1500))
        stats = server.stats()
    assert len(found) == 1500
    assert stats["most_in_flight"] <= 64
    assert time.monotonic() - began < 10  # with barriers it would be 17


def test_drained_it_hears_what_is_in_flight_and_asks_nothing_more():
    with MockServer(MockOptions(latency_s=0.05)) as server:
        engine = OpenAIServer("mock", server.url, concurrency=8)
        stream = engine.batches(requests(500))
        found = len(next(stream))
        engine.drain()
        found += sum(len(group) for group in stream)
        assert server.stats()["errors"] == {}
        assert found == server.stats()["served"] < 60


@pytest.mark.slow
def test_concurrency_auto_fills_the_servers_batch_and_leaves_its_queue_short(monkeypatch):
    monkeypatch.setattr("distillery.engines.openai.event_loop._WINDOW_S", 0.3)
    with MockServer(MockOptions(latency_s=0.1, capacity=48)) as server:
        engine = OpenAIServer("mock", server.url, concurrency="auto")
        assert len(replies(engine, requests(1500))) == 1500
        stats = server.stats()
    assert 44 <= stats["most_in_flight"] <= 110


@pytest.mark.slow
def test_concurrency_auto_grows_at_a_server_that_answers_slowly_and_tells_nothing(monkeypatch):
    async def silent(*_):
        return None

    monkeypatch.setattr("distillery.engines.openai.http_client.Client.load", silent)
    monkeypatch.setattr("distillery.engines.openai.event_loop._WINDOW_S", 0.02)
    with MockServer(MockOptions(latency_s=0.3)) as server:
        assert len(replies(OpenAIServer("mock", server.url, concurrency="auto"), requests(800))) == 800
        assert server.stats()["most_in_flight"] >= 81  # 16 grown by a half four times


def test_a_store_that_cannot_take_a_completion_ends_the_run():
    def full(_completions):
        raise RuntimeError("no room")

    with MockServer() as server:
        engine = OpenAIServer("mock", server.url)
        engine.keep_with(full)
        with pytest.raises(RuntimeError, match="no room"):
            list(ask_all(engine, requests(50)))


@pytest.mark.slow
def test_a_probe_that_finds_the_key_refused_ends_the_run(monkeypatch):
    with MockServer(MockOptions(latency_s=0.01)) as server:
        engine = OpenAIServer("mock", server.url, concurrency=4)
        stream = ask_all(engine, requests(5000))
        found = [next(stream) for _ in range(20)]

        async def refused(client, endpoint):
            raise client.unusable(endpoint, "does not accept the key (401)")

        monkeypatch.setattr("distillery.engines.openai.http_client.Client.probe", refused)
        server.stop()
        with pytest.raises(EngineError, match="does not accept the key"):
            found += list(stream)
    assert len(found) >= 20


def test_when_the_balance_is_used_up_what_is_in_flight_is_still_heard():
    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", head.lower() + b"content-length: 0").group(1))
        body = json.loads(await reader.readexactly(size) or b"{}")
        question = body["messages"][0]["content"] if body else ""
        await asyncio.sleep(0.5 if question != "q3" else 0.1)
        status = "402 Payment Required" if question == "q3" else "200 OK"
        choice = {"message": {"content": f"about {question}"}, "finish_reason": "stop"}
        text = json.dumps({"choices": [choice], "error": {"message": "balance"}}).encode()
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        writer.write(head.encode() + text)

    kept: list[str] = []
    with serving(answer) as url:
        engine = OpenAIServer("mock", url, concurrency=8)
        engine.keep_with(lambda completions: kept.extend(one.key for one in completions))
        with pytest.raises(EngineError, match="balance is used up"):
            list(ask_all(engine, requests(50)))
    assert sorted(kept) == ["k0", "k1", "k2", "k4", "k5", "k6", "k7"]


def test_user_and_password_in_an_address_are_refused_and_not_shown():
    with pytest.raises(ConfigError, match=r"h\.\.\.@host:8000: has a user or a password") as caught:
        OpenAIServer("mock", ("http://127.0.0.1:9/v1", "http://hugo:sesame@host:8000/v1"))
    assert "sesame" not in str(caught.value)


def test_a_continuation_is_what_comes_after_the_text_that_was_begun():
    asked = requests(1, Sampling(max_tokens=4))[0]
    with MockServer(MockOptions(words=30)) as server:
        engine = OpenAIServer("mock", server.url)
        (cut,) = ask_all(engine, [asked])
        long = Request("rest", asked.messages, Sampling(max_tokens=4000), asked.seed, begun=cut.text)
        (rest,) = ask_all(engine, [long])
        (whole,) = ask_all(engine, [Request("whole", asked.messages, Sampling(max_tokens=4000), asked.seed)])
    assert (cut.finish, rest.finish) == ("length", "stop")
    assert (cut.text + rest.text).split() == whole.text.split()


def test_no_thread_is_left_when_the_caller_stops_early():
    with MockServer(MockOptions(latency_s=0.05)) as server:
        stream = ask_all(OpenAIServer("mock", server.url, concurrency=4), requests(100))
        next(stream)
        stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("requests to")]
