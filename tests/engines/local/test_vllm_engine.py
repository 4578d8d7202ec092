"""Against a stand-in for vLLM that finishes one request a step; the real one is proven by `make smollm2`."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from distillery.engines import Failure, Request, Sampling, open_engine
from distillery.engines.cached import Cached
from distillery.engines.local import vllm_engine as module
from distillery.engines.local.vllm_engine import VllmOffline
from distillery.engines.request_store import RequestStore
from distillery.errors import ConfigError, EngineError
from tests.engines.ask_all import ask_all


class Tokenizer:
    def apply_chat_template(self, turns, *, tokenize, add_generation_prompt, chat_template=""):
        return " ".join(turn["content"] for turn in turns) + chat_template

    def __call__(self, text, *, add_special_tokens):
        return {"input_ids": list(range(len(text.split())))}


class Engine:
    """Finishes the newest request first, with two tokens of text."""

    def __init__(self):
        self.model_config = SimpleNamespace(max_model_len=8)
        self.vllm_config = SimpleNamespace(scheduler_config=SimpleNamespace(max_num_seqs=2))
        self.engine_core = SimpleNamespace(shutdown=lambda: setattr(self, "shut", True))
        self.added, self.aborted, self.shut, self.most = {}, [], False, 0
        self.waiting = []

    def add_request(self, key, prompt, params):
        self.added[key] = (prompt, params)
        self.waiting.append(key)
        self.most = max(self.most, len(self.waiting))

    def step(self):
        key = self.waiting.pop()
        said = SimpleNamespace(
            text=f" {key} says", token_ids=[1, 2], finish_reason="stop" if key != "k0" else "length"
        )
        prompt = self.added[key][0]["prompt_token_ids"]
        running = SimpleNamespace(request_id="other", finished=False, outputs=[said])
        return [
            running,
            SimpleNamespace(request_id=key, finished=True, outputs=[said], prompt_token_ids=prompt),
        ]

    def abort_request(self, keys):
        self.aborted += keys


@pytest.fixture
def vllm(monkeypatch):
    """The stand-in; `vllm.asked` holds what the model was loaded with."""
    fake = SimpleNamespace(engine=Engine(), asked={}, error=None, cpu=False)

    def load(**options):
        fake.asked = options
        if fake.error:
            raise fake.error
        return SimpleNamespace(llm_engine=fake.engine, get_tokenizer=Tokenizer)

    package, params = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    package.LLM, package.SamplingParams = load, SimpleNamespace
    params.RequestOutputKind = SimpleNamespace(FINAL_ONLY="final", DELTA="delta")
    platforms = ModuleType("vllm.platforms")
    platforms.current_platform = SimpleNamespace(is_cpu=lambda: fake.cpu)
    monkeypatch.setitem(sys.modules, "vllm", package)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", params)
    monkeypatch.setitem(sys.modules, "vllm.platforms", platforms)
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    return fake


def requests(count, text="two words"):
    sampling = Sampling(0.7, 0.9, 5, ("END",))
    return [Request(f"k{number}", (("user", text),), sampling, 100 + number) for number in range(count)]


def test_each_request_runs_with_its_own_seed_and_all_of_its_sampling(vllm):
    list(ask_all(VllmOffline("org/m"), requests(2)))
    prompt, params = vllm.engine.added["k1"]
    assert prompt == {"prompt_token_ids": [0, 1]}
    assert vars(params) == {
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 5,
        "stop": ["END"],
        "seed": 101,
        "skip_special_tokens": False,
        "output_kind": "final",
    }


def test_a_schema_is_handed_to_vllm_as_its_structured_outputs(vllm):
    sys.modules["vllm.sampling_params"].StructuredOutputsParams = SimpleNamespace
    list(ask_all(VllmOffline("org/m"), [replace(requests(1)[0], schema='{"type": "object"}')]))
    assert vllm.engine.added["k0"][1].structured_outputs.json == '{"type": "object"}'


def test_a_reply_says_how_it_ended_and_what_it_took(vllm):
    first, last = ask_all(VllmOffline("org/m"), requests(2))
    assert (first.key, first.text, first.finish) == ("k1", "k1 says", "stop")
    assert (first.prompt_tokens, first.completion_tokens) == (2, 2)
    assert last.finish == "length"


def test_each_step_is_stored_before_the_next_runs(vllm, tmp_path):
    engine = VllmOffline("org/m")
    replies = ask_all(Cached(engine, RequestStore(tmp_path)), requests(3))
    next(replies)
    replies.close()
    assert RequestStore(tmp_path).sizes()[0].completions == 1
    assert vllm.engine.aborted == ["k0", "k1"]
    list(ask_all(Cached(engine, RequestStore(tmp_path)), requests(3)))
    assert RequestStore(tmp_path).sizes()[0].completions == 3


def test_a_million_requests_are_not_all_handed_over_at_once(vllm, monkeypatch):
    monkeypatch.setattr(module, "_AHEAD", 4)
    assert len(list(ask_all(VllmOffline("org/m"), requests(20)))) == 20
    assert vllm.engine.most == 2 + 4


def test_a_prompt_longer_than_the_model_is_a_failure(vllm):
    (reply,) = ask_all(VllmOffline("org/m"), requests(1, "one two three four five six seven eight"))
    assert reply == Failure("k0", "context_length", "the prompt has 8 tokens, the model 8 positions")


def test_a_template_that_opens_the_thought_is_told_from_the_prompt(vllm, tmp_path):
    template = tmp_path / "t.jinja"
    template.write_text(" <think>\n")
    replies = list(ask_all(VllmOffline("org/m", chat_template=template), requests(2)))
    assert replies[1].text == "<think>\nk0 says"
    assert replies[1].meta["prefilled"]


def test_options_reach_vllm(vllm):
    engine = open_engine(
        "vllm",
        {
            "model": "org/m",
            "revision": "abc",
            "quantization": "fp8",
            "max_model_len": 8,
            "engine_args": {"tensor_parallel_size": 2},
        },
    )
    with engine:
        list(ask_all(engine, requests(1)))
    assert vllm.asked == {
        "model": "org/m",
        "dtype": "auto",
        "tensor_parallel_size": 2,
        "max_model_len": 8,
        "revision": "abc",
        "quantization": "fp8",
    }
    assert vllm.engine.shut


@pytest.mark.parametrize(("engine_args", "expected"), [({}, False), ({"enable_chunked_prefill": True}, True)])
def test_on_a_processor_prompts_are_read_whole_unless_told_otherwise(vllm, engine_args, expected):
    vllm.cpu = True
    list(ask_all(VllmOffline("org/m", engine_args=engine_args), requests(1)))
    assert vllm.asked["enable_chunked_prefill"] is expected


def test_the_same_model_has_the_same_name_in_process_and_behind_a_server():
    server = open_engine("openai", {"model": "org/m", "revision": "abc"})
    inside = VllmOffline("org/m", revision="abc", max_model_len=100, engine_args={"max_num_seqs": 4})
    assert inside.identity == server.identity == {"model": "org/m@abc"}


def test_what_the_model_is_belongs_to_its_name(tmp_path):
    template = tmp_path / "t.jinja"
    template.write_text("x")
    options = [{}, {"dtype": "float32"}, {"quantization": "fp8"}, {"chat_template": template}]
    assert len({str(VllmOffline("org/m", **some).identity) for some in options}) == 4


@pytest.mark.parametrize(
    ("error", "raised", "says"),
    [
        (TypeError("unexpected keyword 'gpus'"), ConfigError, "engine_args: unexpected keyword 'gpus'"),
        (ValueError("no KV cache"), EngineError, "cannot be loaded by vLLM: no KV cache"),
    ],
)
def test_a_model_that_does_not_load_says_why(vllm, error, raised, says):
    vllm.error = error
    with pytest.raises(raised, match=says):
        list(ask_all(VllmOffline("org/m"), requests(1)))


def test_without_vllm_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    with pytest.raises(EngineError, match=r"pip install 'distillery\[vllm\]'"):
        list(ask_all(VllmOffline("org/m"), requests(1)))
