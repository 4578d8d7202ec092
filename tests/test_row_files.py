"""Who reads files of rows must see the same rows: an ingest, `apply`, `lint-sft` (through `rows`) and a
plan's count."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import polars as pl
import pytest

from distillery import row_files, shards
from distillery.config import build
from distillery.errors import ConfigError, StoreError
from distillery.stages.ingest.file import IngestFile

ROWS = [
    {"question": "1 + 1?", "gold": "2", "text": "two,\nor “2”"},
    {"question": "甲 é 🙂\u2028", "gold": "", "text": 'say "hi"'},
    {"question": "2 + 2?", "gold": "4", "text": " 4 "},
]
BOM = b"\xef\xbb\xbf"


def jsonl(rows=ROWS) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_csv(rows=ROWS) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows=ROWS) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(rows).write_parquet(out)
    return out.getvalue()


WHOLE = {
    "rows.jsonl": jsonl(),
    "mark.jsonl": BOM + jsonl(),
    "only-a-mark-on-a-line.jsonl": BOM + b"\n" + jsonl(),
    "blank.jsonl": b"\n  \r\n" + jsonl().replace(b"}\n", b"}\n\n\t\n"),
    "crlf.jsonl": BOM + jsonl().replace(b"}\n", b"}\r\n"),
    "open-end.jsonl": jsonl().rstrip(b"\n"),
    "rows.jsonl.gz": gzip.compress(jsonl()),
    "mark.jsonl.gz": gzip.compress(BOM + jsonl().replace(b"}\n", b"}\r\n\r\n")),
    "two-members.jsonl.gz": gzip.compress(jsonl(ROWS[:1])) + gzip.compress(jsonl(ROWS[1:])),
    "rows.parquet": parquet(),
    "rows.csv": as_csv(),
    "mark.csv": BOM + as_csv(),
    "blank.csv": b"\n\n" + as_csv().replace(b'"\n', b'"\n\n') + b"\n",
    "crlf.csv": BOM + as_csv().replace(b'"\n', b'"\r\n').replace(b"text\n", b"text\r\n"),
    "open-end.csv": as_csv().rstrip(b"\n"),
}


def written(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def ingested(file: Path) -> tuple[list[dict], list[dict]]:
    """Rows that an ingest kept, and its ledger."""
    outputs = list(build(IngestFile, {"path": str(file), "keep": ["text"]}, where="x").shards(None))
    kept = pl.concat(output.kept for output in outputs).select("question", "gold", "text")
    return kept.to_dicts(), pl.concat(output.dropped for output in outputs).to_dicts()


def refused(file: Path) -> str:
    """The one error of all who keep no ledger."""
    said = []
    for reader in (row_files.table, lambda file: list(row_files.rows(file))):
        with pytest.raises(ConfigError) as caught:
            reader(file)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "\n" not in said[0]
    return said[0]


@pytest.mark.parametrize("name", WHOLE)
def test_everybody_sees_the_same_rows(tmp_path, name):
    file = written(tmp_path, name, WHOLE[name])
    assert ingested(file) == (ROWS, [])
    assert row_files.table(file).to_dicts() == ROWS
    assert [row for _, row in row_files.rows(file)] == ROWS
    assert row_files.count(file) == 3


@pytest.mark.parametrize("name", ["none.jsonl", "none.jsonl.gz", "none.csv", "header.csv", "none.parquet"])
def test_a_file_without_rows_has_none_for_everybody(tmp_path, name):
    empty = pl.DataFrame(schema={"question": pl.String})
    content = {"none.jsonl.gz": gzip.compress(b"\n"), "header.csv": b"question\n\n"}.get(name, b"")
    file = written(tmp_path, name, content)
    if name == "none.parquet":
        empty.write_parquet(file)
    assert ingested(file) == ([], [])
    assert (row_files.table(file).height, list(row_files.rows(file)), row_files.count(file)) == (0, [], 0)


DEEP = b'{"question": "a", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
DEEPER_THAN_OURS = b'{"question": "a", "more": ' + b'[{"a":' * 100 + b"1" + b"}]" * 100 + b"}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"question": "cut', "not JSON"),
        (b'["a"]', "is '[\"a\"]', not a JSON object"),
        (b"null", "is 'null', not a JSON object"),
        (b'{"question": "\xff"}', "not UTF-8"),
        (b'{"question": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"question": "a \\ud800 b"}', "half of a surrogate pair"),
        (b'{"question": "a", "\\uDc00": 1}', "half of a surrogate pair"),
        (b'{"question": "a", "n": ' + b"1" * 5000 + b"}", "not JSON"),
        (DEEP, "nested more than 100 deep"),
        (DEEPER_THAN_OURS, "nested more than 100 deep"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_bad_line_is_in_the_ledger_or_stops_who_has_none(tmp_path, name, line, says):
    text = jsonl(ROWS[:1]) + b"\n" + line + b"\n" + jsonl(ROWS[1:])
    file = written(tmp_path, name, gzip.compress(text) if name.endswith("gz") else text)
    kept, (dropped,) = ingested(file)
    assert kept == ROWS
    assert (dropped["key"], dropped["reason"]) == (f"{file}:3", "malformed")
    assert says in dropped["detail"]
    message = refused(file)
    assert message.startswith(f"{file}:3: ")
    assert says in message
    assert message.endswith("; one object a line is expected")
    assert row_files.count(file) == 4


def test_a_csv_row_of_another_width_is_in_the_ledger_or_stops_who_has_none(tmp_path):
    file = written(tmp_path, "rows.csv", b'question,gold,text\n"a\nb",1,x\n\nc,2\n')
    kept, (dropped,) = ingested(file)
    assert kept == [{"question": "a\nb", "gold": "1", "text": "x"}]
    assert (dropped["key"], dropped["detail"]) == (f"{file}:5", "not 3 fields as in the header")
    assert refused(file).startswith(f"{file}:5: not 3 fields as in the header; ")
    assert row_files.count(file) == 2


PACKED = gzip.compress(jsonl(ROWS * 500))
DAMAGED = {
    "cut.jsonl.gz": PACKED[: len(PACKED) // 2],
    "no-end-mark.jsonl.gz": PACKED[:-8],
    "wrong-sum.jsonl.gz": PACKED[:-8] + bytes(8),
    "flipped.jsonl.gz": PACKED[:40] + bytes(byte ^ 255 for byte in PACKED[40:60]) + PACKED[60:],
    "plain.jsonl.gz": jsonl(),
    "latin.csv": "question,gold\né,1\n".encode("latin-1"),
    "wide.csv": "question\né\n".encode("utf-16"),
    "cut.parquet": parquet()[:-20],
    "short.parquet": b"PAR1",
    "empty.parquet": b"",
    "text.parquet": jsonl(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_one_clear_error_for_everybody(tmp_path, name):
    file = written(tmp_path, name, DAMAGED[name])
    message = refused(file)
    assert message.startswith(f"{file}: not readable to its end, or not {name.partition('.')[2]} at all")
    for reader in (ingested, row_files.count):
        with pytest.raises(ConfigError) as caught:
            reader(file)
        assert str(caught.value) == message


def over(base: Path, file: Path) -> Path:
    shards.write_over(
        file,
        shards.Over(
            base, pl.Series([2, 0]), pl.DataFrame({"gold": ["four", "two"]}), ("question", "gold", "text")
        ),
    )
    return file


def test_a_shard_over_a_base_is_the_whole_table_for_everybody(tmp_path):
    file = over(written(tmp_path, "base.parquet", parquet()), tmp_path / "over.parquet")
    wanted = [{**ROWS[2], "gold": "four"}, {**ROWS[0], "gold": "two"}]
    assert ingested(file) == (wanted, [])
    assert row_files.table(file).to_dicts() == wanted
    assert [row for _, row in row_files.rows(file)] == wanted
    assert row_files.count(file) == 2


def test_a_shard_whose_base_is_gone_is_said_to_be_one(tmp_path):
    file = over(written(tmp_path, "base.parquet", parquet()), tmp_path / "over.parquet")
    (tmp_path / "base.parquet").unlink()
    for reader in (ingested, row_files.table, lambda file: list(row_files.rows(file))):
        with pytest.raises(StoreError, match="which is gone"):
            reader(file)


def test_a_missing_file_and_an_ending_without_a_format_are_named(tmp_path):
    for name, says in (("none.jsonl", "no such file"), ("rows.txt", "its ending says no format")):
        if name == "rows.txt":
            written(tmp_path, name, b"")
        for reader in (row_files.table, row_files.count, lambda file: list(row_files.read(file))):
            with pytest.raises(ConfigError, match=says):
                reader(tmp_path / name)


def test_payloads_of_different_shapes_travel_as_json(tmp_path):
    payloads = [{"within": "answer"}, {"tests": ["é"]}, None, '{"a": 1}', []]
    file = written(tmp_path, "rows.jsonl", jsonl([{"payload": payload} for payload in payloads]))
    texts = ['{"within": "answer"}', '{"tests": ["é"]}', None, '{"a": 1}', "[]"]
    assert row_files.table(file)["payload"].to_list() == texts


def test_a_csv_has_numbers_where_our_columns_are_numbers(tmp_path):
    text = b"question,gold,score,completion_tokens,accepted\na,007,1.0,12,True\nb,8,,,\n"
    file = written(tmp_path, "rows.csv", text)
    assert row_files.table(file).rows() == [("a", "007", 1.0, 12, True), ("b", "8", None, None, None)]
    file.write_bytes(b"score\nhigh\n")
    with pytest.raises(ConfigError, match="a column must hold values of one kind"):
        row_files.table(file)


def test_columns_of_no_one_kind_are_one_clear_error(tmp_path):
    file = written(tmp_path, "rows.jsonl", b'{"a": [1]}\n{"a": {"b": 1}}\n')
    with pytest.raises(ConfigError, match=r"rows\.jsonl: no table .*a column must hold values of one kind"):
        row_files.table(file)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet"])
def test_what_is_written_is_read_again_and_nothing_else_lies_there(tmp_path, name):
    table = pl.DataFrame({"question": ["é"], "messages": [[{"role": "user", "content": "a\nb"}]]})
    row_files.write(table, tmp_path / "deep" / name)
    assert row_files.table(tmp_path / "deep" / name).equals(table)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == [name]


def test_a_file_that_cannot_be_written_whole_is_not_there_at_all(tmp_path):
    (tmp_path / "out.jsonl").mkdir()
    with pytest.raises(IsADirectoryError):
        row_files.write(pl.DataFrame(ROWS), tmp_path / "out.jsonl")
    assert [file.name for file in tmp_path.iterdir()] == ["out.jsonl"]
