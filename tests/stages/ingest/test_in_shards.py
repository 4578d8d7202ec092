"""Rows that are mapped as columns must be those, in the order and with the ledger, that `RowMap.row` makes of
each alone."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import problem_id, problem_ids
from distillery.row_files import Block, Fault, json_blocks, row_blocks
from distillery.stages.ingest import in_shards as module
from distillery.stages.ingest.file import IngestFile
from distillery.stages.ingest.in_shards import in_shards
from distillery.stages.ingest.mapping import by_columns
from distillery.stages.ingest.mapping.columns_seen import ColumnsSeen
from distillery.stages.ingest.problem_rows import LOOK_AHEAD

Tables = list[tuple[list[dict], list[dict]]]


def one_after_the_other(stage: IngestFile) -> Tables:
    """As the columns should have it, written down plainly."""
    row_map, rows = stage.row_map, list(stage.rows())
    columns = ColumnsSeen(row_map, [row for _, row in rows[:LOOK_AHEAD] if not isinstance(row, Fault)])
    mapped = []
    for key, row in rows:
        if isinstance(row, Fault):
            mapped.append((key, row))
        else:
            columns.see(row)
            mapped += row_map.rows(key, row)
    tables, kept, dropped, seen = [], [], [], set()
    for key, row in mapped:
        if stage.limit is not None and len(seen) >= stage.limit:
            break
        if not isinstance(row, Fault) and row[row_map.key] in seen:
            dropped.append({"key": key, "reason": "repeated", "detail": row[row_map.key]})
        elif isinstance(row, Fault):
            dropped.append({"key": key, "reason": row.reason, "detail": row.detail})
        else:
            seen.add(row[row_map.key])
            kept.append(row)
        if len(kept) == stage.shard_rows:
            tables.append((kept, dropped))
            kept, dropped = [], []
    else:
        columns.end()
    return [*tables, (kept, dropped)] if kept or dropped or not tables else tables


def said(make) -> Tables | str:
    try:
        return make()
    except ConfigError as error:
        return str(error)


def same(file: Path, options: dict) -> Tables | str:
    stage = build(IngestFile, {"path": str(file), **options}, where="x")
    ignored = []

    def tables() -> Tables:
        outputs = list(stage.shards(None))
        ignored.extend(one.metrics.get("not_taken", 0) for one in outputs)
        return [(one.kept.to_dicts(), one.dropped.to_dicts()) for one in outputs]

    found = said(tables)
    assert found == said(lambda: one_after_the_other(stage))
    if not isinstance(found, str) and not stage.limit:
        whole = [row for _, row in stage.rows() if not isinstance(row, Fault)]
        assert sum(ignored) == sum(map(stage.row_map.ignored, whole))
    return found


_TEXTS = [
    "",
    " ",
    "\u200b",
    "\x1f",
    "\u2028",
    "a",
    "a ",
    "\x1ca",
    "\x85a\xa0",
    "é",
    "甲",
    '"',
    "\\",
    "a\nb",
    "\t",
    "\0",
]
_TEXTS += [
    "🙂",
    "1 + 1?",
    "#### 4",
    "#### ",
    "on",
    "off",
    "en",
    "English",
    "xx-yy",
    "klingon!",
    "{}",
    '{"system": "s"}',
]
NUMBERED = st.builds(
    "{}{}".format, st.sampled_from(["", " ", "é", "甲", '"', "\\n", "\n", "🙂", "\x1c"]), st.integers(0, 40)
)
TEXTS = st.sampled_from(_TEXTS) | NUMBERED
VALUES = st.one_of(
    TEXTS,
    TEXTS,
    st.none(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(TEXTS, max_size=2),
    st.dictionaries(st.sampled_from(["role", "content", "a"]), TEXTS, max_size=2),
)
NAMES = st.sampled_from(
    ["question", "gold", "source", "language", "thinking", "payload", "checker", "level", "a.b", "a", "score"]
)
ROW = st.dictionaries(NAMES, VALUES, max_size=5)
PLAIN_ROW = st.fixed_dictionaries(
    {"question": NUMBERED, "gold": TEXTS | st.none(), "level": st.integers(0, 3)},
    optional={"a": NUMBERED, "a.b": TEXTS, "language": st.sampled_from(["en", "zh", "?"])},
)
WHOLE_ROW = {"question": "whole?", "gold": "#### 1", "level": 1, "a": "x", "a.b": "y", "score": 0.5}
DAMAGE = [
    b"",
    b" \r",
    b"{",
    b"[1]",
    b'{"question": "a", "question": "b"}',
    b'{"question": "\\ud800"}',
    b"\xff",
]
DAMAGE += [
    b'{"question": "a",}',
    b'{"question": 01}',
    b'{"question": "\t"}',
    b'\xef\xbb\xbf{"question": "a"}',
    b'{"gold": NaN}',
]
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "keep": st.sampled_from(
            [["level"], {"level": "int"}, {"level": "text"}, {"level": "json"}, ["score"], ["a.b"]]
        ),
        "columns": st.sampled_from(
            [{"gold": "a"}, {"question": "gold", "gold": "question"}, {"source": "a.b"}, {"gold": "a.0"}]
        ),
        "constants": st.sampled_from(
            [
                {"checker": "math"},
                {"language": "English"},
                {"payload": {"x": 1}},
                {"payload": {"system": "be kind"}},
            ]
        ),
        "gold_pattern": st.just(r"####\s*(.+)"),
        "shard_rows": st.integers(1, 7),
        "limit": st.integers(1, 12),
    },
)
SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def dumped(row: dict, number: int) -> bytes:
    """In one of the ways that JSON is written."""
    style = [{}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"separators": (" ,\t", " : ")}][
        number % 4
    ]
    return json.dumps(row, **style).encode(errors="surrogatepass")


@SETTINGS
@given(
    st.lists(PLAIN_ROW | PLAIN_ROW | ROW | st.sampled_from(DAMAGE), min_size=8, max_size=30),
    OPTIONS,
    st.integers(20, 400),
)
def test_any_lines_of_json_give_the_same_as_columns_and_as_rows(tmp_path, monkeypatch, rows, options, size):
    monkeypatch.setattr(json_blocks, "_BLOCK", size)
    lines = [
        row if isinstance(row, bytes) else dumped(row, n)
        for n, row in enumerate([WHOLE_ROW, *rows][options.get("limit", 0) % 2 :])
    ]
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join(lines))
    same(file, options)


CELL = TEXTS.filter(lambda text: "\0" not in text)
RECORD = st.tuples(NUMBERED, CELL, st.sampled_from(["0", "1", "x"]), NUMBERED)


@SETTINGS
@given(
    st.lists(
        RECORD
        | RECORD
        | st.tuples(CELL, CELL, CELL, CELL)
        | st.sampled_from(["a,b\n", "\n", 'a"b,",c,d\n', "a,\0,b,c\n", '5" a,b,c,d\n']),
        min_size=6,
        max_size=20,
    ),
    OPTIONS,
    st.integers(20, 400),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_csv_gives_the_same_as_columns_and_as_rows(tmp_path, monkeypatch, rows, options, size, end):
    monkeypatch.setattr(json_blocks, "_BLOCK", size)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(["question", "gold", "level", "a"])
    for row in rows:
        if isinstance(row, str):
            out.write(row)
        else:
            writer.writerow(row)
    file = tmp_path / "rows.csv"
    file.write_bytes(out.getvalue().encode())
    same(file, options)


COLUMN = {
    "text": (pl.String(), TEXTS),
    "name": (pl.String(), NUMBERED),
    "int": (pl.Int64(), st.integers(-5, 5)),
    "small": (pl.UInt8(), st.integers(0, 5)),
    "float": (pl.Float64(), st.sampled_from([0.1, 1e16, 1e-5, float("nan"), float("inf"), 2.0])),
    "float32": (pl.Float32(), st.sampled_from([0.1, 2.0])),
    "bool": (pl.Boolean(), st.booleans()),
    "list": (pl.List(pl.String()), st.lists(TEXTS, max_size=2)),
    "object": (pl.Struct({"b": pl.String()}), st.fixed_dictionaries({"b": TEXTS})),
    "kinds": (pl.Categorical(), st.sampled_from(["x", "y"])),
    "nothing": (pl.Null(), st.none()),
}


@SETTINGS
@given(st.data(), st.integers(4, 12), OPTIONS)
def test_any_parquet_gives_the_same_as_columns_and_as_rows(tmp_path, data, height, options):
    names = ["question", "gold", "level", "a", "score", *data.draw(st.lists(NAMES, unique=True, max_size=4))]
    columns = {}
    for name in dict.fromkeys(names[data.draw(st.integers(0, 1)) :]):
        kind, values = COLUMN["name" if name == "question" else data.draw(st.sampled_from(sorted(COLUMN)))]
        drawn = data.draw(st.lists(values | st.none(), min_size=height, max_size=height))
        columns[name] = pl.Series(name, drawn, dtype=kind, strict=False)
    pl.DataFrame(columns).write_parquet(tmp_path / "rows.parquet")
    same(tmp_path / "rows.parquet", options)


@pytest.mark.parametrize("packed", [False, True])
def test_most_rows_of_an_ordinary_file_are_never_looked_at_alone(tmp_path, monkeypatch, packed):
    rows = [{"question": f"{n} + 1?", "gold": str(n + 1), "level": n} for n in range(5000)]
    text = "".join(
        json.dumps(row) + "\n" for row in [*rows, {"question": ["5 + 1?"], "gold": None, "level": 1}]
    )
    file = tmp_path / ("rows.jsonl.gz" if packed else "rows.jsonl")
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    alone = []
    monkeypatch.setattr(module.Block, "whole", None, raising=False)
    row = by_columns.RowMap.row
    monkeypatch.setattr(by_columns.RowMap, "row", lambda *given: alone.append(given) or row(*given))
    same_as = build(IngestFile, {"path": str(file), "keep": ["level"]}, where="x")
    outputs = list(same_as.shards(None))
    assert sum(one.kept.height for one in outputs) == 5000
    assert [one["detail"] for output in outputs for one in output.dropped.to_dicts()] == [
        outputs[0].kept["problem_id"][5]
    ]
    assert len(alone) == 1


def test_a_row_that_is_made_of_a_list_keeps_its_order_beside_others(tmp_path):
    rows = [
        {"question": "a", "text": ["x", "", "x"]},
        {"question": "b", "text": []},
        {"question": "c", "text": ["y"]},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = same(file, {"explode": "text", "keep": ["text"], "shard_rows": 1})
    assert [len(kept) for kept, _ in found] == [1, 1, 1]


@settings(deadline=None)
@given(st.lists(st.text()))
def test_ids_of_many_are_those_of_each(questions):
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    questions += [f"{space}a{space}b{space}" for space in spaces]
    assert problem_ids(pl.Series(questions, dtype=pl.String)).to_list() == [*map(problem_id, questions)]


def test_what_comes_next_is_not_made_once_nobody_asks(tmp_path):
    asked = []

    def blocks():
        for number in range(100):
            asked.append(number)
            yield from row_blocks([(f"x:{number}", {"question": f"{number}?"})])

    row_map = build(IngestFile, {"path": "x.jsonl", "columns": {"question": "question"}}, where="x").row_map
    found = in_shards(blocks(), row_map, [("x:0", {"question": "0?"})], shard_rows=1, limit=3)
    assert [one.kept.height for one in found] == [1, 1, 1]
    assert len(asked) <= 6
    assert isinstance(next(blocks()), Block)
