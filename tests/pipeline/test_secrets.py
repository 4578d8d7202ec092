from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from distillery.errors import ConfigError
from distillery.pipeline.raw import read_pipeline
from distillery.pipeline.secrets import is_secret_name, refuse_secrets

ROOT = Path(__file__).parents[2]
CANARY = "canary-7Kq2"

SECRETS = [
    "api_key", "apiKey", "APIKey", "API_KEY", "OPENAI_API_KEY", "x-api-key", "X-Api-Key", "apikey", "key",
    "OPENAI_KEY", "wandb_key", "private_key", "token", "hf_token", "HF_TOKEN", "HF_TOKEN_PROD",
    "OPENAI_API_KEY_2", "auth_token", "authToken", "access_token", "accesstoken", "token_value",
    "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "password", "db_password", "DB_PASS", "passwd", "secret",
    "client_secret", "clientSecret", "credentials", "Authorization", "proxy-authorization", "authorization",
    "auth", "cookie", "bearer",
]  # fmt: skip
HARMLESS = [
    "api_key_env", "max_tokens", "max_completion_tokens", "max_num_batched_tokens", "tokens", "num_tokens",
    "tokens_column", "tokenizer", "tokenizer_mode", "eos_token", "pad_token", "bos_token", "pad_token_id",
    "stop_token_ids", "skip_special_tokens", "token_type", "token_file", "thinking_token_budget",
    "TOKENIZERS_PARALLELISM", "bytes_per_token", "tokens_per_gpu_second", "primary_key", "sort_key",
    "cache_key", "prompt_cache_key", "key_column", "keys", "keep", "keyboard", "monkey", "author",
    "authors", "passes", "pass_rate", "secretary_id", "password_file",
]  # fmt: skip


def stages(**options: Any) -> dict[str, Any]:
    return {"stages": [{"id": "s", "use": "mine:Stage", "with": options}]}


def engine(**options: Any) -> dict[str, Any]:
    return {"engines": {"teacher": {"kind": "openai", "model": "m", **options}}, "stages": []}


def refused(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        refuse_secrets(raw, "p.yaml")
    assert CANARY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_known_by_its_name(name: str):
    assert is_secret_name(name)
    assert refused(engine(extra_body={"deep": [{"er": {name: CANARY}}]})).startswith(
        f"p.yaml: engines.teacher.extra_body.deep[0].er.{name}: holds a secret as it stands; put it into an"
    )


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_speaks_of_keys_and_tokens_is_none(name: str):
    assert not is_secret_name(name)
    refuse_secrets(engine(extra_body={name: "WORD"}), "p.yaml")


@pytest.mark.parametrize(
    "options",
    [
        {"env": {"HF_TOKEN": CANARY}},
        {"env": {"HEADERS": f"Authorization: Bearer {CANARY}"}},
        {"command": ["serve", "--api-key", CANARY]},
        {"command": ["serve", f"--api-key={CANARY}"]},
        {"command": ["sh", "-c", f"HF_TOKEN={CANARY} serve --port 1"]},
        {"command": ["sh", "-c", f"serve --api-key {CANARY}"]},
        {"server_args": {"api-key": CANARY}},
        {"server_args": {"hf-overrides": f'{{"token": "{CANARY}"}}'}},
        {"extra_body": {"credentials": {"user": CANARY}}},
        {"extra_body": {"tokens": [], "auth": [CANARY]}},
        {"extra_body": {"headers": [{"name": "X-Api-Key", "value": CANARY}]}},
        {"extra_body": {"headers": [["Authorization", CANARY]]}},
        {"extra_body": {"password": 123456}},
        {"base_url": f"https://host/v1?api_key={CANARY}"},
        {"base_url": ["http://a/v1", f"http://b/v1?x=1&key={CANARY}"]},
        {"base_url": f"https://host/v1?X-Amz-Signature=1&sig={CANARY}"},
        {"base_url": f"https://me:{CANARY}@host/v1"},
        {"api_key_env": CANARY},
        {"api_key_env": "sk-proj-0123456789abcdefghij"},
        {"model": "hf_abcdefghijklmnopqrstuvwxyz0123456789"},
    ],
)
def test_every_place_that_can_hold_a_secret_is_looked_at(options: dict[str, Any]):
    assert refused(engine(**options)).startswith("p.yaml: engines.teacher.")


@pytest.mark.parametrize(
    "options",
    [
        {"data_files": [f"https://host/rows.parquet?token={CANARY}"]},
        {"name": f"s3://AB:{CANARY}@bucket/rows"},
        {"embedding": {"model": "m", "base_url": f"http://me:{CANARY}@host"}},
        {"engine": {"use": "teacher", "api_key": CANARY}},
        {"options": {"password": CANARY}},
        {"key": f"{CANARY}/+="},
    ],
)
def test_a_stages_options_are_looked_at_too(options: dict[str, Any]):
    assert refused(stages(**options)).startswith("p.yaml: stages.s.with.")


@pytest.mark.parametrize(
    "raw",
    [
        stages(key="trace_id", keep=["token", "key"], columns={"token": "their_token", "key": "id"}),
        stages(eos_token="<|im_end|>", pad_token="<｜▁pad▁｜>", gold_pattern=r"Answer key: (\w+)"),
        stages(sampling={"max_tokens": 32768, "temperature": 0.6}, system="The token: a secret word."),
        stages(name="hf://datasets/me/set@main", data_files="https://host/a.jsonl?download=true"),
        engine(api_key_env="DEEPSEEK_API_KEY", base_url="https://host/v1", extra_body={"top_k": 20}),
        engine(env={"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}),
        engine(server_args={"api-key": None, "max-num-batched-tokens": 8192, "tokenizer": "me/it"}),
        engine(command=["sh", "-c", "serve --api-key $VLLM_API_KEY --port {port}"]),
        engine(command=["serve", "--api-key", "$VLLM_API_KEY", "--model-path", "{model}"]),
        engine(extra_body={"api_key": "", "chat_template_kwargs": {"bos_token": "<s>"}, "stop_token": 2}),
    ],
)
def test_what_is_legitimate_stays(raw: dict[str, Any]):
    refuse_secrets(raw, "p.yaml")


PLACES = st.recursive(
    st.sampled_from([name for name in SECRETS if name != "key"]).map(lambda name: {name: CANARY}),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["a", "headers", "value", "options"]), inner).map(lambda two: {two[0]: two[1]}),
        inner.map(lambda item: ["x", 1, item]),
        inner.map(lambda item: {"first": True, "then": [None, item]}),
    ),
    max_leaves=6,
)  # fmt: skip


@given(PLACES)
def test_no_depth_hides_a_secret_and_no_message_shows_it(value: Any):
    refused(engine(extra_body={"x": value}))
    refused(stages(options={"x": value}))
    refused({"about": {"x": value}, "stages": []})


@pytest.mark.parametrize("file", sorted((ROOT / "pipelines").glob("**/[!p]*.yaml")), ids=lambda f: f.name)
def test_no_shipped_pipeline_is_taken_for_one_that_holds_a_secret(file: Path):
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    if "stages" in raw:
        read_pipeline(file)
    refuse_secrets(raw, file.name)


def test_no_option_that_the_reference_shows_is_taken_for_a_secret():
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    options = {name.rpartition(".")[2] for name in re.findall(r"^ *- `([\w.*]+)` \(", text, re.MULTILINE)}
    assert len(options) > 200
    assert {name for name in options if is_secret_name(name)} == {"key"}
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        found = yaml.safe_load(block)
        refuse_secrets({"stages": found} if isinstance(found, list) else found, "reference")


def test_a_setting_is_refused_as_the_file_is(tmp_path: Path):
    file = tmp_path / "p.yaml"
    file.write_text("engines: {t: {kind: openai, model: m}}\nstages: [{id: a, use: ingest.file}]\n")
    for setting in (f"engines.t.extra_body.api_key={CANARY}", f"engines.t.extra_body={{k: [{CANARY}"):
        with pytest.raises(ConfigError) as caught:
            read_pipeline(file, [setting])
        assert CANARY not in str(caught.value)


def test_a_file_that_is_no_yaml_is_not_shown(tmp_path: Path):
    file = tmp_path / "p.yaml"
    file.write_text(f"engines: {{t: {{api_key: {CANARY}: [}}\n")
    with pytest.raises(ConfigError, match="not YAML: .* in line 1") as caught:
        read_pipeline(file)
    assert CANARY not in str(caught.value)
