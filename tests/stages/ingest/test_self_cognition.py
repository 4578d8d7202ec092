from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.stages.filter_quality import FilterQuality
from distillery.stages.ingest.self_cognition import IngestSelfCognition


def source(**options) -> IngestSelfCognition:
    given = {"name": "Aurora", "maker": "Polar Lab", **options}
    return build(IngestSelfCognition, given, where="here")


def rows(stage: IngestSelfCognition, seed: int = 0) -> pl.DataFrame:
    outputs = list(stage.shards(SimpleNamespace(seed=seed)))
    assert all(output.dropped.is_empty() for output in outputs)
    assert all(output.kept.height <= stage.shard_rows for output in outputs)
    return pl.concat([output.kept for output in outputs])


def test_its_rows_are_finished_texts_behind_the_empty_block():
    stage = source(count=700, shard_rows=300)
    table = rows(stage)
    assert table.height == 700
    assert table["trace_id"].n_unique() == 700
    assert table.schema == pl.Schema(stage.writes)
    assert set(table["thinking"]) == {"off"}
    assert (table["text"] == "<think>\n\n</think>\n" + table["answer"]).all()
    assert set(table["language"]) == {"en", "zh"}


def test_all_of_them_pass_the_filter_that_looks_for_other_makers():
    limits = {"own_names": ["Aurora", "Polar Lab"]}
    quality = build(FilterQuality, {"limits": limits}, where="here")
    table = rows(
        source(count=2000, model_version="2", knowledge="July 2024", chinese_knowledge="2024 年 7 月")
    )
    assert quality.apply(table, None).dropped.is_empty()
    stolen = table.head(1).with_columns(text=pl.lit("<think>\n\n</think>\nI am ChatGPT, made by OpenAI."))
    assert quality.apply(stolen, None).dropped["reason"].to_list() == ["other_maker"]


def test_chinese_rows_take_the_chinese_names():
    table = rows(source(languages=["zh"], chinese_name="极光", chinese_maker="北极实验室", count=300))
    assert not table["answer"].str.contains("Aurora|Polar").any()
    assert table["answer"].str.contains("极光|北极实验室").any()
    assert "Aurora" in "".join(rows(source(languages=["en"], chinese_name="极光", count=50))["answer"])


def test_the_seed_of_the_run_draws_them():
    assert rows(source(count=50), 1).equals(rows(source(count=50), 1))
    assert not rows(source(count=50), 1).equals(rows(source(count=50), 2))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": " "}, "name is empty"),
        ({"languages": []}, "languages is"),
        ({"languages": ["en", "en"]}, "name each one once"),
        ({"count": 5000}, "count is 5000"),
    ],
)
def test_what_cannot_be_made_is_said_when_the_pipeline_is_read(options, says):
    with pytest.raises(ConfigError, match=says):
        source(**options)
