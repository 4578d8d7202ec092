from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.pipeline.prices import (
    Gpu,
    ModelSize,
    Prices,
    Speed,
    count_parameters,
    find_prices,
    load_prices,
)

ROOT = Path(__file__).parents[2]
DENSE = Prices(
    gpus={"G": Gpu(usd_per_hour=1.0, tflops=100.0), "H": Gpu(usd_per_hour=1.0, tflops=300.0)},
    throughput_gpu="G",
    throughput=(
        Speed(parameters=4e9, tokens_per_gpu_second=2000.0),
        Speed(parameters=1e9, tokens_per_gpu_second=8000.0),
    ),
)


@pytest.mark.parametrize(
    ("name", "parameters", "active"),
    [
        ("Qwen/Qwen2.5-Math-7B", 7e9, None),
        ("org/model-1.5b-instruct", 1.5e9, None),
        ("org/tiny-135M", 135e6, None),
        ("Qwen/Qwen3-30B-A3B", 30e9, 3e9),
    ],
)
def test_a_size_in_a_name_is_read(name: str, parameters: float, active: float | None):
    assert Prices().size(name) == ModelSize(parameters=parameters, active=active)


@pytest.mark.parametrize("name", ["gpt-4o", "deepseek-chat", "org/v2.5", "7B/model"])
def test_a_name_without_a_size_is_unknown(name: str):
    assert Prices().size(name) is None


def test_a_listed_model_wins_over_its_name():
    prices = Prices(models={"org/m-7B": ModelSize(parameters=5e9, active=1e9)})
    assert prices.size("org/m-7B") == ModelSize(parameters=5e9, active=1e9)


def test_the_parameters_of_a_folder_are_counted_from_its_weights(tmp_path: Path):
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]},
            "b": {"dtype": "F32", "shape": [5], "data_offsets": [48, 68]},
        }
    ).encode()
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 68)
    assert count_parameters(tmp_path) == 17
    assert Prices().size(str(tmp_path)) == ModelSize(parameters=17)


def test_a_folder_without_weights_has_no_size(tmp_path: Path):
    assert Prices().size(str(tmp_path)) is None


def test_a_dense_model_between_two_known_sizes_is_interpolated():
    assert DENSE.speed(ModelSize(parameters=2e9), "G") == pytest.approx(4000)
    assert DENSE.speed(ModelSize(parameters=2e9), "H") == pytest.approx(12_000)


@pytest.mark.parametrize(
    "size", [ModelSize(parameters=70e9), ModelSize(parameters=1e8), ModelSize(parameters=3e9, active=1e9)]
)
def test_nothing_is_extrapolated(size: ModelSize):
    assert DENSE.speed(size, "G") is None


def test_an_unknown_gpu_has_no_speed():
    assert DENSE.speed(ModelSize(parameters=2e9), "Z") is None


def test_the_price_file_nearest_to_the_pipeline_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path)
    assert (
        find_prices(tmp_path / "deep" / "line.yaml") == ROOT / "pipelines" / "prices.yaml"
    )  # the checkout's own
    assert load_prices(None) == Prices()
    (tmp_path / "prices.yaml").write_text("as_of: 2026-01-01\n")
    assert find_prices(tmp_path / "deep" / "line.yaml") == tmp_path / "prices.yaml"
    assert load_prices(tmp_path / "prices.yaml").as_of == "2026-01-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu: X\n", "no GPU 'X' under gpus; there are none"),
        ("gpuss: {}\n", "did you mean 'gpus'"),
        ("- 1\n", "a price file is a mapping"),
        ("a: [\n", "not YAML"),
    ],
)
def test_a_bad_price_file_says_what_is_wrong(tmp_path: Path, text: str, message: str):
    (tmp_path / "prices.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_prices(tmp_path / "prices.yaml")


def test_our_own_price_file_is_sound():
    prices = load_prices(ROOT / "pipelines" / "prices.yaml")
    base = prices.size("deepseek-ai/DeepSeek-V3-Base")
    assert base == ModelSize(parameters=671e9, active=37e9, tokens_per_gpu_second=1072)
    # 168e9 tokens a day from 226.75 nodes of eight
    assert round(168e9 / 86_400 / 226.75 / 8) == 1072
    seven = prices.size("Qwen/Qwen2.5-Math-7B")
    assert seven is not None
    assert 6443 < (prices.speed(seven, "H800") or 0) < 8086
