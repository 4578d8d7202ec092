"""Kept columns hold what they held, at plan time already."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.stages.base import Output
from distillery.stages.ingest.file import IngestFile

ROWS = [
    {"question": "a", "n": 12, "x": 0.5, "ok": True, "t": "007", "tags": ["p", "q"], "meta": {"k": 1}},
    {"question": "b", "n": None, "x": None, "ok": None, "t": None, "tags": None, "meta": None},
    {"question": "c", "n": 345, "x": 2.0, "ok": False, "t": "é", "tags": [], "meta": {"k": None}},
]
NAMES = ("n", "x", "ok", "t", "tags", "meta")


def jsonl(file: Path, rows: list[Any]) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def stage(path: str, keep: Any, **options: Any) -> IngestFile:
    return build(IngestFile, {"path": path, "keep": keep, **options}, where="here")


def only(made: IngestFile) -> Output:
    (output,) = made.shards(None)
    assert dict(output.kept.schema) == made.writes
    return output


def test_of_parquet_they_have_the_files_types_nested_ones_too(tmp_path: Path):
    file = tmp_path / "rows.parquet"
    pl.DataFrame(ROWS, schema_overrides={"n": pl.Int16}).write_parquet(file)
    made = stage(str(file), NAMES)
    assert [made.writes[name] for name in NAMES] == [
        pl.Int16(),
        pl.Float64(),
        pl.Boolean(),
        pl.String(),
        pl.List(pl.String()),
        pl.Struct({"k": pl.Int64()}),
    ]
    assert only(made).kept.select(NAMES).to_dicts() == [{name: row[name] for name in NAMES} for row in ROWS]


def test_of_rows_they_have_the_types_of_the_values_nested_ones_as_json(tmp_path: Path):
    made = stage(jsonl(tmp_path / "rows.jsonl", ROWS), NAMES)
    kinds = [pl.Int64(), pl.Float64(), pl.Boolean(), pl.String(), pl.String(), pl.String()]
    assert [made.writes[name] for name in NAMES] == kinds
    assert only(made).kept.select(NAMES).row(0) == (12, 0.5, True, "007", '["p", "q"]', '{"k": 1}')


def test_of_csv_they_are_numbers_where_each_is_written_as_the_number_would_be(tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text("question,n,x,ok,code,price\na,12,0.5,true,007,1.50\nb,,,,12,2\nc,345,2.0,false,3,x\n")
    made = stage(str(file), ["n", "x", "ok", "code", "price"])
    assert only(made).kept.select("n", "x", "ok", "code", "price").rows() == [
        (12, 0.5, True, "007", "1.50"),
        (None, None, None, "12", "2"),
        (345, 2.0, False, "3", "x"),
    ]


def test_what_does_not_fit_is_in_the_ledger_with_column_and_value(tmp_path: Path):
    rows = [*ROWS, {"question": "d", "n": "many"}, {"question": "e", "n": 1.5}, {"question": "f", "n": [1]}]
    output = only(stage(jsonl(tmp_path / "rows.jsonl", rows), {"n": "int"}))
    assert output.kept["n"].to_list() == [12, None, 345]
    assert output.dropped["reason"].unique().to_list() == ["malformed"]
    assert output.dropped["detail"].to_list() == [
        "column 'n' is 'many', which is no number",
        "column 'n' is 1.5, which is no whole number",
        "column 'n' is [1], which is no number",
    ]


def test_the_type_can_be_said(tmp_path: Path):
    path = jsonl(
        tmp_path / "rows.jsonl", [{"question": "a", "n": "12", "x": 3, "ok": 1, "t": 4.0, "j": [1, "b"]}]
    )
    keep = {"n": "int", "x": "float", "ok": "bool", "t": "text", "j": "json", "trace_id": None}
    assert only(stage(path, keep)).kept.select("n", "x", "ok", "t", "j").row(0) == (
        12,
        3.0,
        True,
        "4.0",
        '[1, "b"]',
    )
    with pytest.raises(ConfigError, match=r"keep.*'int', 'float', 'bool', 'text' or 'json'"):
        stage(path, {"n": "integer"})
    with pytest.raises(
        ConfigError, match=r"keep\.completion_tokens: is 'text'; this column of ours holds Int32"
    ):
        stage(path, {"completion_tokens": "text"})


def test_a_column_that_only_other_files_have_or_have_otherwise_goes_by_its_rows(tmp_path: Path):
    pl.DataFrame({"question": ["a"], "n": [1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"question": ["b"], "n": [0.5], "more": ["x"]}).write_parquet(tmp_path / "2.parquet")
    output = only(stage(str(tmp_path / "*.parquet"), ["n", "more"]))
    assert output.kept.select("n", "more").rows() == [(1.0, None), (0.5, "x")]


def test_of_exploded_lists_and_constants_they_have_the_elements_types(tmp_path: Path):
    file = tmp_path / "rows.parquet"
    pl.DataFrame({"question": ["a"], "g": [["x", "y"]], "n": [[1, 2]], "who": ["w"]}).write_parquet(file)
    options = {"columns": {"text": "g"}, "explode": ["g", "n"], "constants": {"part": 3}}
    table = only(stage(str(file), ["text", "n", "part"], **options)).kept
    assert table.select("text", "n", "part").rows() == [("x", 1, 3), ("y", 2, 3)]


def test_dates_decimals_maps_and_dictionaries_of_parquet_stay_what_they_are(tmp_path: Path):
    file = tmp_path / "rows.parquet"
    day, moment = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
    table = pa.table(
        {
            "question": pa.array(["a"]).dictionary_encode(),
            "kind": pa.array(["k"]).dictionary_encode(),
            "day": [day],
            "moment": pa.array([moment], pa.timestamp("us", "UTC")),
            "price": pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
            "map": pa.array([[("p", 1)]], pa.map_(pa.string(), pa.int64())),
            "none": pa.nulls(1),
            "raw": [b"\x00\xff"],
        }
    )
    pq.write_table(table, file)
    names = ("kind", "day", "moment", "price", "map", "none", "raw")
    assert only(stage(str(file), names)).kept.select(names).row(0) == (
        "k",
        day,
        moment,
        Decimal("1.50"),
        [{"key": "p", "value": 1}],
        None,
        b"\x00\xff",
    )


def test_digits_in_odd_white_space_are_a_number_and_too_many_are_a_fault(tmp_path: Path):
    rows = [{"question": "a", "n": "\x1c0\x85"}, {"question": "b", "n": "1" * 5000}]
    output = only(stage(jsonl(tmp_path / "rows.jsonl", rows), {"n": "int"}))
    assert output.kept["n"].to_list() == [0]
    assert "more digits than a number of this column can have" in output.dropped["detail"][0]
