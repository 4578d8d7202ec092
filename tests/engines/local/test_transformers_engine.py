import sys
from dataclasses import replace

import pytest

from distillery.engines import Completion, Failure, Request, Sampling, open_engine
from distillery.engines.cached import Cached
from distillery.engines.local.transformers_engine import TransformersLocal
from distillery.engines.normal_form import normal_form
from distillery.engines.request_store import RequestStore
from distillery.errors import ConfigError, EngineError
from tests.engines.ask_all import ask_all

pytestmark = pytest.mark.slow  # they load torch
FREE = Sampling(temperature=1.0, top_p=1.0, max_tokens=12)
GREEDY = Sampling(temperature=0.0, max_tokens=12)


def requests(count, sampling=FREE):
    return [
        Request(f"{number:04d}", (("user", f"{number} + 1" + "?" * (number % 5)),), sampling, number)
        for number in range(count)
    ]


@pytest.fixture
def engine(tiny_model):
    with TransformersLocal(str(tiny_model), batch_size=4, threads=1) as engine:
        yield engine


def texts(engine, asked):
    return {reply.key: reply.text for reply in ask_all(engine, asked)}


def test_each_request_gets_one_reply_with_its_counts(engine):
    replies = list(ask_all(engine, requests(10)))
    assert sorted(reply.key for reply in replies) == [f"{number:04d}" for number in range(10)]
    for reply in replies:
        assert 1 <= reply.completion_tokens <= 12
    first = next(reply for reply in replies if reply.key == "0000")
    assert first.prompt_tokens == 1 + len("0 + 1") + 2  # the role, the text, its end, the assistant's role


def test_the_same_requests_get_the_same_samples_in_any_order(engine):
    asked = requests(10)
    assert texts(engine, asked) == texts(engine, asked[::-1])


def test_a_schema_is_refused_in_one_error(engine):
    with pytest.raises(EngineError, match="cannot hold replies to a JSON schema; set structured: false"):
        list(ask_all(engine, [replace(one, schema="{}") for one in requests(3)]))


def test_other_keys_draw_other_samples(engine):
    asked = [Request(key, (("user", "1 + 1"),), FREE, 0) for key in "abcdefgh"]
    assert len(set(texts(engine, asked).values())) > 4


def test_greedy_replies_do_not_depend_on_the_batch(tiny_model):
    whole = TransformersLocal(str(tiny_model), batch_size=16, dtype="float32")
    alone = TransformersLocal(str(tiny_model), batch_size=1, dtype="float32")
    asked = requests(16, GREEDY)
    assert texts(whole, asked) == texts(alone, asked)


def test_greedy_replies_are_those_of_transformers_own_loop(tiny_model, engine):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    replies = {reply.key: reply for reply in ask_all(engine, requests(6, GREEDY))}
    for asked in requests(6, GREEDY):
        text = f"<|user|>{asked.messages[0][1]}<|end|><|assistant|>"
        tokens = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        out = model.generate(**tokens, do_sample=False, max_new_tokens=12, pad_token_id=0)
        new = out[0][tokens["input_ids"].shape[1] :].tolist()
        kept = new[:-1] if new[-1] == 1 else new
        assert replies[asked.key].text == normal_form(tokenizer.decode(kept))
        assert replies[asked.key].completion_tokens == len(new)


@pytest.mark.parametrize(
    ("temperature", "top_p", "expected"),
    [
        (1.0, 1.0, [0.1, 0.5, 0.15, 0.25]),
        (0.5, 1.0, [0.029, 0.725, 0.065, 0.181]),
        (1.0, 0.74, [0.0, 2 / 3, 0.0, 1 / 3]),
        (1.0, 0.01, [0.0, 1.0, 0.0, 0.0]),
        (0.0, 1.0, [0.0, 1.0, 0.0, 0.0]),
    ],
)
def test_tokens_are_drawn_by_their_chances(temperature, top_p, expected):
    import torch

    from distillery.engines.local.transformers_engine import _pick

    logits = torch.tensor([0.1, 0.5, 0.15, 0.25]).log().repeat(20_000, 1)
    drawn = _pick(logits, Sampling(temperature, top_p), torch.Generator().manual_seed(1))
    shares = torch.bincount(drawn, minlength=4) / 20_000
    assert shares.tolist() == pytest.approx(expected, abs=0.012)


def test_a_killed_run_continued_draws_what_the_whole_run_would_have(tiny_model, tmp_path):
    asked = requests(14)
    whole = texts(TransformersLocal(str(tiny_model), batch_size=4), asked)

    class Killed(TransformersLocal):
        def batches(self, requests):
            for number, batch in enumerate(super().batches(requests)):
                if number == 2:
                    raise KeyboardInterrupt
                yield batch

    store = RequestStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        list(ask_all(Cached(Killed(str(tiny_model), batch_size=4), store), asked))
    assert store.sizes()[0].completions == 8
    assert texts(Cached(TransformersLocal(str(tiny_model), batch_size=4), store), asked) == whole


def test_a_prompt_longer_than_the_model_is_a_failure_and_shifts_no_batch(engine):
    long = Request("long", (("user", "1" * 200),), FREE, 0)
    replies = {reply.key: reply for reply in ask_all(engine, [long, *requests(6)])}
    assert isinstance(replies["long"], Failure)
    assert replies["long"].kind == "context_length"
    assert "203 tokens, the model 160 positions" in replies["long"].message
    del replies["long"]
    assert {key: reply.text for key, reply in replies.items()} == texts(engine, requests(6))


def test_a_reply_ends_where_the_positions_end(engine):
    asked = Request("k", (("user", "1" * 150),), Sampling(1.0, 1.0, 50), 0)
    (reply,) = ask_all(engine, [asked])
    assert isinstance(reply, Completion)
    assert reply.completion_tokens <= 160 - reply.prompt_tokens


def test_a_stop_string_ends_the_reply_and_is_taken_off(engine):
    (free,) = ask_all(engine, requests(1, GREEDY))
    stop = free.text[4:6]
    (reply,) = ask_all(engine, requests(1, Sampling(temperature=0.0, max_tokens=12, stop=(stop,))))
    assert reply.text == free.text.partition(stop)[0].strip()
    assert reply.finish == "stop"
    assert reply.completion_tokens < free.completion_tokens


def test_a_text_cut_at_max_tokens_says_length(engine):
    replies = list(ask_all(engine, requests(8, Sampling(1.0, 1.0, 2))))
    assert {reply.finish for reply in replies} >= {"length"}
    assert all(reply.completion_tokens == 2 for reply in replies if reply.finish == "length")


def test_think_tags_survive_though_they_are_special_tokens(tiny_model, engine):
    engine._loaded._draw = lambda prompts, sampling: [[4, 20, 5, 21, 1]]
    (reply,) = ask_all(engine, requests(1))
    one, two = engine._loaded._text([20]), engine._loaded._text([21])
    assert reply.text == f"<think>\n{one}\n</think>\n{two}"
    assert reply.completion_tokens == 5


def test_a_template_that_opens_the_thought_is_recorded(tiny_model, tmp_path):
    template = tmp_path / "t.jinja"
    template.write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}<|assistant|><think>\n")
    engine = TransformersLocal(str(tiny_model), chat_template=template)
    replies = list(ask_all(engine, requests(4)))
    assert all(reply.text.startswith("<think>\n") for reply in replies)
    assert replies[0].meta["prefilled"]
    assert engine.identity != TransformersLocal(str(tiny_model)).identity


def test_requests_with_different_sampling_can_be_mixed(engine):
    asked = [*requests(3), Request("greedy", (("user", "7"),), GREEDY, 0)]
    assert len(list(ask_all(engine, asked))) == 4


def test_the_runtime_is_no_part_of_a_models_name(tiny_model):
    fast = TransformersLocal(str(tiny_model), batch_size=64, threads=1)
    assert fast.identity == TransformersLocal(str(tiny_model)).identity
    assert TransformersLocal(str(tiny_model), dtype="bfloat16").identity != fast.identity


def test_a_closed_engine_can_be_used_again(engine):
    before = texts(engine, requests(2))
    engine.close()
    assert texts(engine, requests(2)) == before


def test_what_cannot_be_loaded_is_an_engine_error(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EngineError, match="cannot be loaded"):
        list(ask_all(TransformersLocal(str(tmp_path)), requests(1)))


def test_a_model_without_a_chat_template_asks_for_one(tiny_model, tmp_path):
    for file in tiny_model.iterdir():
        if file.name != "chat_template.jinja":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(EngineError, match="chat_template: FILE"):
        list(ask_all(TransformersLocal(str(tmp_path)), requests(1)))


def test_a_missing_template_file_is_a_config_error(tiny_model, tmp_path):
    with pytest.raises(ConfigError, match="no file"):
        _ = TransformersLocal(str(tiny_model), chat_template=tmp_path / "none").identity


def test_options_are_checked():
    with pytest.raises(ConfigError, match="batch_size"):
        open_engine("transformers", {"model": "m", "batch_size": 0})


def test_without_transformers_it_says_what_to_install(monkeypatch, tiny_model):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with (
        TransformersLocal(str(tiny_model)) as engine,
        pytest.raises(EngineError, match=r"distillery\[train\]"),
    ):
        list(ask_all(engine, requests(1)))
