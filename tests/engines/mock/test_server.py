from __future__ import annotations

import asyncio
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import httpx
import openai
import pytest

from distillery.engines.mock.bodies import BadBodyError, completion_body, read_body
from distillery.engines.mock.replies import MockFault, MockOptions, Style, compose, draw_fault, draw_latency_s
from distillery.engines.mock.server import Service, serve
from distillery.errors import ConfigError
from tests.engines.mock_server import MockServer

MARK = "What is 6 times 7? [[answer: 42]]"
THOUGHTFUL = [Style.INLINE, Style.PREFILLED, Style.REASONING, Style.REASONING_CONTENT]


def body(question="What is 1 plus 1?", **fields):
    return {"model": "mock", "messages": [{"role": "user", "content": question}], **fields}


def continued(start, **fields):
    asked = body(**fields)
    asked["messages"].append({"role": "assistant", "content": start})
    return asked | {"continue_final_message": True, "add_generation_prompt": False}


def ask(content, *, seed=0, max_model_len=32_768):
    return read_body(json.dumps(content).encode(), seed=seed, max_model_len=max_model_len)


def said(content, **options):
    """What is said without a server, as (thought, content, finish, words, refusal)."""
    return compose(ask(content), MockOptions(**options))


def post(server, content, **options):
    return httpx.post(f"{server.url}/chat/completions", json=content, timeout=10, **options)


def message(reply):
    return reply.json()["choices"][0]["message"]


def events(reply):
    lines = [line.removeprefix("data: ") for line in reply.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


# what the mock says


def test_a_thought_stands_in_the_content():
    with MockServer() as server:
        reply = post(server, body(MARK))
    assert reply.headers["content-type"].startswith("application/json")
    content = message(reply)["content"]
    assert content.startswith("<think>\n")
    assert content.endswith("\n</think>\nThe answer is \\boxed{42}")


@pytest.mark.parametrize("style", ["reasoning", "reasoning_content"])
def test_a_thought_stands_in_a_field_of_its_own(style):
    with MockServer(MockOptions(style=Style(style))) as server:
        found = message(post(server, body(MARK)))
    assert found == {"role": "assistant", "content": "The answer is \\boxed{42}", style: found[style]}
    assert found[style].strip()
    assert "think>" not in found[style]


def test_a_thought_that_the_template_opened_lacks_its_opening_tag():
    thought, close, answer = said(body(MARK), style=Style.PREFILLED).content.partition("\n</think>\n")
    assert close
    assert thought
    assert "<think>" not in thought
    assert answer == "The answer is \\boxed{42}"


def test_a_model_without_thoughts_only_answers():
    assert said(body(MARK), style=Style.NONE).content == "The answer is \\boxed{42}"


def test_all_styles_think_the_same():
    inline = said(body()).content
    assert f"<think>\n{said(body(), style=Style.PREFILLED).content}" == inline
    for style in (Style.REASONING, Style.REASONING_CONTENT):
        reply = said(body(), style=style)
        assert f"<think>\n{reply.thought}\n</think>\n{reply.content}" == inline


def test_the_mark_in_the_prompt_says_how_often_the_answer_is_right():
    answers = [
        said(body("1 + 1? [[answer: 42 @0.3]]", seed=seed), style=Style.NONE).content for seed in range(2000)
    ]
    right = sum(answer.endswith("\\boxed{42}") for answer in answers) / len(answers)
    assert right == pytest.approx(0.3, abs=0.03)
    assert len(set(answers)) == 10, "nine wrong answers beside the right one"


@pytest.mark.parametrize(
    ("mark", "answers"),
    [
        ("[[answer: \\frac{1}{2}]]", {"\\frac{1}{2}"}),
        ("[[answer: -3 @1]]", {"-3"}),
        ("[[answer: 7]] or [[answer: B @1.0]]", {"B"}),
        ("[[answer: x + 1 @0]]", {str(n) for n in range(1, 10)}),
        ("[[answer: 42 @0.0]]", {str(n) for n in range(43, 52)}),
        ("no mark", {str(n) for n in range(10)}),
    ],
)
def test_marks_may_hold_any_answer(mark, answers):
    replies = {said(body(mark, seed=seed), style=Style.NONE).content for seed in range(200)}
    assert {reply.removeprefix("The answer is \\boxed{")[:-1] for reply in replies} == answers


def test_thoughts_have_the_asked_median_length():
    lengths = [
        len(said(body(seed=seed), words=40, style=Style.REASONING).thought.split()) for seed in range(500)
    ]
    assert statistics.median(lengths) == pytest.approx(40, rel=0.1)
    assert max(lengths) > 80


def test_a_loop_says_one_phrase_until_the_limit():
    reply = said(body(max_tokens=60), loop=1.0)
    words = reply.content.split()
    assert (reply.finish, reply.words, len(words)) == ("length", 60, 60)
    assert words[1:7] == words[7:13] == words[49:55]
    assert "</think>" not in reply.content


def test_a_loop_without_a_limit_ends_at_the_context():
    reply = said(body("two words"), loop=1.0, max_model_len=100, style=Style.NONE)
    assert (reply.finish, reply.words) == ("length", 98)


def test_loops_have_their_share():
    loops = [said(body(seed=seed, max_tokens=500), loop=0.2).finish for seed in range(1000)]
    assert loops.count("length") / 1000 == pytest.approx(0.2, abs=0.04)


def test_usage_counts_words():
    with MockServer() as server:
        reply = post(server, body("one two three")).json()
    words = len(reply["choices"][0]["message"]["content"].split())
    assert reply["usage"] == {"prompt_tokens": 3, "completion_tokens": words, "total_tokens": 3 + words}


def test_a_limit_cuts_the_text_that_a_longer_limit_continues():
    whole, cut = said(body(max_tokens=500)), said(body(max_tokens=5))
    assert (whole.finish, cut.finish, cut.words) == ("stop", "length", 5)
    assert whole.content.startswith(cut.content)


@pytest.mark.parametrize("style", ["reasoning", "reasoning_content"])
def test_a_thought_cut_at_the_limit_has_no_content(style):
    reply = said(body(max_tokens=4), style=Style(style))
    assert reply.content is None
    assert len(reply.thought.split()) == 3, "the tag was the first word"


def test_a_stop_text_ends_the_answer_before_it():
    reply = said(body(stop="\\boxed"))
    assert reply.finish == "stop"
    assert reply.content.endswith("The answer is ")
    assert said(body(stop=["</think>", "answer"])).content.strip().count("\n") == 1


@pytest.mark.parametrize("style", [Style.INLINE, Style.PREFILLED, Style.NONE])
@pytest.mark.parametrize("words", [1, 3])
def test_a_cut_text_continues_as_it_would_have(style, words):
    whole = said(body(), style=style).content
    cut = said(body(max_tokens=words), style=style).content
    rest = said(continued(cut), style=style)
    assert cut + rest.content == whole
    assert rest.finish == "stop"


def test_a_cut_thought_continues_in_its_field():
    whole = said(body(), style=Style.REASONING)
    cut = said(body(max_tokens=4), style=Style.REASONING)
    rest = said(continued(f"<think>\n{cut.thought}"), style=Style.REASONING)
    assert cut.thought + rest.thought == whole.thought
    assert rest.content == whole.content
    again = said(continued(f"<think>\n{cut.thought}", max_tokens=2), style=Style.REASONING)
    assert (len(again.thought.split()), again.content, again.finish) == (2, None, "length")


def test_a_loop_goes_on_when_it_is_continued():
    cut = said(body(max_tokens=10), loop=1.0).content
    rest = said(continued(cut, max_tokens=10), loop=1.0)
    assert cut + rest.content == said(body(max_tokens=20), loop=1.0).content


@pytest.mark.parametrize(
    ("start", "style", "rest"),
    [
        ("<think>\nI was told", Style.INLINE, "</think>\nThe answer is \\boxed{42}"),
        ("I was told", Style.PREFILLED, "</think>\nThe answer is \\boxed{42}"),
        ("<think>\nno\n</think>\n", Style.INLINE, "The answer is \\boxed{42}"),
        ("Sure:", Style.INLINE, " The answer is \\boxed{42}"),
        ("Sure:", Style.REASONING, " The answer is \\boxed{42}"),
    ],
)
def test_a_start_of_another_model_is_taken_on(start, style, rest):
    reply = said(continued(start, question=MARK), style=style)
    assert reply.content.endswith(rest)
    assert ("</think>" in reply.content) == ("</think>" in rest)
    assert reply.thought is None


# the same request, the same reply


def test_a_request_has_its_answer_whatever_came_before():
    with MockServer() as one, MockServer() as other:
        first = [message(post(one, body(seed=seed))) for seed in (1, 2, 3)]
        second = [message(post(other, body(seed=seed))) for seed in (3, 2, 1)]
    assert first == second[::-1]
    assert first[0] != first[1]


def test_another_seed_temperature_or_server_seed_gives_another_text():
    texts = {
        said(asked).content
        for asked in (body(), body(seed=1), body(temperature=0.1), body(top_p=0.5), body("else"))
    }
    options = MockOptions()
    texts.add(compose(ask(body(), seed=1), options).content)
    assert len(texts) == 6


def test_the_order_of_names_and_the_form_of_the_content_do_not_matter():
    turned = {"messages": [{"content": [{"type": "text", "text": "What is 1 plus 1?"}], "role": "user"}]}
    assert ask(turned).key == ask(body()).key


def test_streaming_and_foreign_names_change_no_key():
    assert ask(body(stream=True, stream_options={"include_usage": True}, user="me")).key == ask(body()).key


def test_keys_are_the_same_on_every_machine():
    assert ask(body(seed=5, max_tokens=64)).key.hex() == "19e06f7ba8d00963705d27712f543582"


# latencies


def test_slow_answers_have_their_share_and_their_factor():
    options = MockOptions(latency_s=0.1, slow_share=0.02, slow_factor=100)
    latencies = [draw_latency_s(ask(body(seed=seed)), options) for seed in range(5000)]
    assert set(latencies) == {0.1, 10.0}
    assert latencies.count(10.0) / 5000 == pytest.approx(0.02, abs=0.006)


def test_latencies_are_lognormal():
    options = MockOptions(latency_s=0.2, latency_sigma=0.8)
    latencies = sorted(draw_latency_s(ask(body(seed=seed)), options) for seed in range(4000))
    assert latencies[2000] == pytest.approx(0.2, rel=0.06)
    assert latencies[3364] / latencies[2000] == pytest.approx(2.718**0.8, rel=0.08), "one sigma above"


def test_an_answer_takes_its_latency_streamed_or_not():
    with MockServer(MockOptions(latency_s=0.2)) as server:
        for asked in (body(), body(stream=True)):
            began = time.monotonic()
            post(server, asked)
            assert 0.19 < time.monotonic() - began < 2


def test_a_stream_flows():
    with (
        MockServer(MockOptions(latency_s=0.3)) as server,
        httpx.stream("POST", f"{server.url}/chat/completions", json=body(stream=True)) as reply,
    ):
        times = [time.monotonic() for _ in reply.iter_raw()]
    assert times[-1] - times[0] > 0.15


# streams


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("fields", [{}, {"max_tokens": 7}, {"stop": "boxed"}], ids=["whole", "cut", "stop"])
def test_a_stream_says_what_a_plain_reply_says(style, fields):
    with MockServer(MockOptions(style=style, words=60)) as server:
        plain = post(server, body(**fields)).json()
        reply = post(server, body(stream=True, stream_options={"include_usage": True}, **fields))
    assert reply.headers["content-type"].startswith("text/event-stream")
    *chunks, last = events(reply)
    assert (last["choices"], last["usage"]) == ([], plain["usage"])
    choice = plain["choices"][0]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    for name in ("content", "reasoning", "reasoning_content"):
        assert "".join(delta.get(name) or "" for delta in deltas) == (choice["message"].get(name) or "")
    finishes = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert finishes == [None] * (len(chunks) - 1) + [choice["finish_reason"]]
    assert {chunk["id"] for chunk in chunks} == {plain["id"]}


def test_a_stream_has_no_usage_unless_asked_for():
    with MockServer() as server:
        assert not any("usage" in event for event in events(post(server, body(stream=True))))


def test_the_openai_package_reads_it_all():
    with (
        MockServer(MockOptions(style=Style.REASONING_CONTENT)) as server,
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
    ):
        assert [model.id for model in client.models.list()] == ["mock"]
        plain = client.chat.completions.create(**body(MARK))
        stream = client.chat.completions.create(**body(MARK), stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert plain.choices[0].message.content == text == "The answer is \\boxed{42}"
    assert plain.choices[0].message.model_extra["reasoning_content"]


# faults


def test_a_429_says_when_to_come_back_and_then_answers():
    with MockServer(MockOptions(rate_limit=1.0, retry_after_s=7)) as server:
        first, second = post(server, body()), post(server, body())
        assert server.stats()["errors"] == {"rate_limit": 1}
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert set(first.json()["error"]) == {"message", "type", "param", "code"}
    assert second.status_code == 200


def test_sticky_errors_stay():
    with MockServer(MockOptions(server_error=1.0, sticky_errors=True)) as server:
        assert [post(server, body()).status_code for _ in range(3)] == [500] * 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_closes_within_the_reply(stream):
    with MockServer(MockOptions(disconnect=1.0)) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            post(server, body(stream=stream))
        assert post(server, body(stream=stream)).status_code == 200
        assert server.stats()["errors"]["disconnect"] == 1


def test_a_malformed_reply_is_no_json():
    with MockServer(MockOptions(malformed=1.0)) as server:
        reply = post(server, body())
        assert reply.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            reply.json()
        assert post(server, body()).json()["usage"]


def test_a_malformed_stream_has_an_event_that_is_no_json():
    with MockServer(MockOptions(malformed=1.0)) as server:
        with pytest.raises(json.JSONDecodeError):
            events(post(server, body(stream=True)))
        assert events(post(server, body(stream=True)))


def test_an_empty_reply_has_no_content_once():
    with MockServer(MockOptions(empty=1.0)) as server:
        replies = [post(server, body()).json()["choices"][0] for _ in range(2)]
    assert (replies[0]["message"]["content"], replies[0]["finish_reason"]) == ("", "stop")
    assert replies[1]["message"]["content"]


@pytest.mark.parametrize("style", [style for style in Style if style is not Style.NONE])
def test_a_truncated_thought_never_closes(style):
    with MockServer(MockOptions(truncated=1.0, style=style)) as server:
        replies = [post(server, body()).json()["choices"][0] for _ in range(2)]
    assert replies[0] == replies[1], "it is the model's, and no retry helps"
    assert replies[0]["finish_reason"] == "length"
    assert "</think>" not in (replies[0]["message"]["content"] or "")


def test_a_refusal_is_the_content_filters():
    with MockServer(MockOptions(refusal=1.0)) as server:
        plain = [post(server, body()).json()["choices"][0] for _ in range(2)]
        chunks = events(post(server, body(stream=True)))
    assert plain[0] == plain[1]
    assert plain[0]["finish_reason"] == chunks[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert plain[0]["message"]["content"] is None
    assert chunks[-2]["choices"][0]["delta"]["refusal"] == plain[0]["message"]["refusal"]


def test_a_hanging_request_gives_its_slot_back_when_the_client_hangs_up():
    with MockServer(MockOptions(hang=1.0, capacity=1)) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.url}/chat/completions", json=body(), timeout=0.3)
        assert post(server, body()).status_code == 200
        assert server.stats()["errors"] == {"hang": 1, "aborted": 1}
        assert server.stats()["running"] == 0


def test_each_request_fails_its_first_attempts():
    with MockServer(MockOptions(first_errors=2, keep_keys=True)) as server:
        codes = [post(server, body(seed=seed)).status_code for seed in (1, 2, 1, 1, 2, 2, 1)]
        stats = server.stats()
    assert codes == [500, 500, 500, 200, 500, 200, 200]
    assert (stats["requests"], stats["served"], stats["errors"]) == (7, 3, {"server_error": 4})
    assert sorted(stats["keys"].values()) == [3, 4]


def test_the_drawn_fault_comes_after_the_first_errors():
    with MockServer(MockOptions(first_errors=1, rate_limit=1.0)) as server:
        assert [post(server, body()).status_code for _ in range(3)] == [500, 429, 200]


def test_faults_have_their_shares():
    shares = {"rate_limit": 0.05, "server_error": 0.1, "disconnect": 0.02, "hang": 0.01, "refusal": 0.2}
    options = MockOptions(**shares)
    faults = [draw_fault(ask(body(seed=seed)), options) for seed in range(5000)]
    for name, share in shares.items():
        assert faults.count(MockFault(name)) / 5000 == pytest.approx(share, abs=0.02)
    assert faults.count(None) / 5000 == pytest.approx(0.62, abs=0.03)


def test_more_than_the_model_can_hold_is_refused_in_vllms_words():
    with MockServer(MockOptions(max_model_len=5)) as server:
        assert post(server, body("one two three four")).status_code == 200
        assert post(server, body("one two", max_tokens=3)).status_code == 200
        reply = post(server, body("one two", max_tokens=4))
        uncounted = post(server, body("one two", max_tokens=5))
        assert server.stats()["errors"] == {"context_length": 2}
    assert reply.status_code == uncounted.status_code == 400
    error = reply.json()["error"]
    asked = "This model's maximum context length is 5 tokens. However, you requested {} output tokens and your prompt "
    assert error["message"].startswith(
        asked.format(4) + "contains at least 2 input tokens, for a total of at least 6 tokens."
    )
    assert uncounted.json()["error"]["message"].startswith(
        asked.format(5) + "contains 7 characters (more than 0"
    )
    assert (error["type"], error["code"]) == ("BadRequestError", 400)


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        (b"{not json", None),
        (b"\xff", None),
        (b"[]", None),
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hello"]}, "messages"),
        ({"messages": [{"content": "hello"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        (body(max_tokens=0), "max_tokens"),
        (body(max_tokens="9"), "max_tokens"),
        (body(temperature=-1), "temperature"),
        (body(top_p=1.5), "top_p"),
        (body(n=2), "n"),
        (body(stop=[1]), "stop"),
        (body(stop=[""]), "stop"),
        (body(continue_final_message=True), "messages"),
        (continued("x") | {"add_generation_prompt": True}, "continue_final_message"),
    ],
    ids=str,
)
def test_a_bad_body_is_refused_in_openais_shape(asked, param):
    raw = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    with MockServer() as server:
        reply = httpx.post(f"{server.url}/chat/completions", content=raw)
        assert server.stats()["errors"] == {"bad_request": 1}
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("BadRequestError", param, 400)


def test_odd_but_good_bodies_are_read():
    assert ask(body(max_completion_tokens=3, max_tokens=9)).max_tokens == 3
    assert ask({"messages": [{"role": "assistant", "content": None, "tool_calls": []}]}).prompt == ""
    assert ask(body("a lone surrogate \ud800")).prompt_words == 4
    with pytest.raises(BadBodyError, match="no JSON"):
        read_body(b"[" * 100_000, seed=0, max_model_len=9)


def test_a_body_of_megabytes_is_read():
    with MockServer(MockOptions(max_model_len=10_000_000)) as server:
        assert post(server, body("word " * 1_000_000)).json()["usage"]["prompt_tokens"] == 1_000_000


# the server


def test_what_is_over_capacity_waits_and_the_metrics_say_so():
    async def load(server):
        async with aiohttp.ClientSession() as client:

            async def one(seed):
                async with client.post(f"{server.url}/chat/completions", json=body(seed=seed)) as reply:
                    await reply.read()

            tasks = [asyncio.create_task(one(seed)) for seed in range(12)]
            while server.stats()["in_flight"] < 12:
                await asyncio.sleep(0.01)
            async with client.get(server.url.removesuffix("/v1") + "/metrics") as reply:
                text = await reply.text()
            await asyncio.gather(*tasks)
        return text

    with MockServer(MockOptions(latency_s=0.3, capacity=4, model='a "b"')) as server:
        began = time.monotonic()
        metrics = asyncio.run(load(server)).splitlines()
        took_s = time.monotonic() - began
        stats = server.stats()
    labels = '{engine="0",model_name="a \\"b\\""}'
    assert f"vllm:num_requests_running{labels} 4.0" in metrics
    assert f"vllm:num_requests_waiting{labels} 8.0" in metrics
    assert f"vllm:gpu_cache_usage_perc{labels} 1.0" in metrics
    assert f"vllm:kv_cache_usage_perc{labels} 1.0" in metrics
    assert took_s >= 0.9, "three rounds of four"
    assert (stats["served"], stats["most_in_flight"], stats["in_flight"]) == (12, 12, 0)
    assert 5 < stats["mean_in_flight"] < 11, "12, 8 and 4 for a third of the time each"


def test_without_a_capacity_all_run():
    with MockServer(MockOptions(latency_s=0.3)) as server:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda seed: post(server, body(seed=seed)), range(8)))
        assert server.stats()["most_in_flight"] > 1
        assert server.stats()["waiting"] == 0


def test_the_statistics_are_there_over_http_and_after_the_end():
    with MockServer() as server:
        post(server, body())
        over_http = httpx.get(server.url.removesuffix("/v1") + "/mock/stats").json()
    assert over_http == server.stats()
    assert over_http["served"] == over_http["most_in_flight"] == 1
    assert "keys" not in over_http


def test_the_mean_in_flight_is_not_thinned_by_what_comes_after():
    with MockServer(MockOptions(latency_s=0.2)) as server:
        assert server.stats()["mean_in_flight"] == 0.0
        post(server, body())
        time.sleep(0.3)
        assert server.stats()["mean_in_flight"] == 1.0


def test_health_and_unknown_pages():
    with MockServer() as server:
        root = server.url.removesuffix("/v1")
        assert httpx.get(f"{root}/health").status_code == 200
        assert httpx.get(f"{root}/v1/nothing").json()["error"]["code"] == 404
        assert httpx.get(f"{root}/v1/chat/completions").status_code == 404


def test_a_server_stops_at_once_though_requests_hang():
    with MockServer(MockOptions(hang=1.0)) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, server, body())
        while not server.stats()["in_flight"]:
            time.sleep(0.01)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 2
        with pytest.raises(httpx.HTTPError):
            waiting.result()
        server.stop()
    assert server.stats()["in_flight"] == 0


def test_a_stopped_server_comes_back_under_its_address():
    with MockServer() as server:
        post(server, body())
    port = int(server.url.rsplit(":", 1)[1].removesuffix("/v1"))
    with MockServer(MockOptions(port=port)) as again:
        assert again.url == server.url
        assert post(again, body()).status_code == 200


def test_a_port_in_use_is_said():
    with MockServer() as server:
        port = int(server.url.rsplit(":", 1)[1].removesuffix("/v1"))
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be had"):
            MockServer(MockOptions(port=port)).start()


def test_serve_runs_until_it_is_told_to_stop():
    async def run():
        stop, urls, service = asyncio.Event(), [], Service(MockOptions())
        served = asyncio.create_task(serve(service, stop=stop, ready=urls.append))
        while not urls:
            await asyncio.sleep(0.01)
        async with aiohttp.ClientSession() as client, client.get(f"{urls[0]}/models") as reply:
            assert (await reply.json())["data"][0]["id"] == "mock"
        stop.set()
        await served
        return service.stats()

    assert asyncio.run(run())["requests"] == 0


@pytest.mark.parametrize("shares", [{"hang": 0.7, "empty": 0.5}, {"hang": -0.1}])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(ConfigError, match="mock server: the shares"):
        MockOptions(**shares)


def test_a_reply_is_the_same_bytes_each_time():
    asked, options = ask(body()), MockOptions()
    once, again = (completion_body(asked, compose(asked, options), options, created=1) for _ in range(2))
    assert once == again
