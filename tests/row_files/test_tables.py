"""Who reads files of rows must see the same rows: an ingest, `apply`, `lint-sft` (through `rows`) and a
plan's count."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
from itertools import product
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery import row_files, shards
from distillery.config import build
from distillery.errors import ConfigError, StoreError
from distillery.row_files import Fault, json_rows
from distillery.stages.ingest.file import IngestFile

ROWS = [
    {"question": "1 + 1?", "gold": "2", "text": "two,\nor “2”"},
    {"question": "甲 é 🙂\u2028", "gold": "", "text": 'say "hi"'},
    {"question": "2 + 2?", "gold": "4", "text": " 4 "},
]
BOM = b"\xef\xbb\xbf"


def jsonl(rows=ROWS) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_csv(rows=ROWS, delimiter=",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n", delimiter=delimiter)
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
    "rows.ndjson": jsonl(),
    "lines.json": BOM + b"\n" + jsonl(),
    "array.json": json.dumps(ROWS).encode(),
    "mark-and-lines.json": BOM + json.dumps(ROWS, indent=2, ensure_ascii=False).encode() + b"\n\n",
    "rows.tsv": as_csv(delimiter="\t"),
    "semicolons.csv": as_csv(delimiter=";"),
    "tabs.csv": as_csv(delimiter="\t"),
    "bars.csv": as_csv(delimiter="|"),
    "commas.tsv": as_csv(),
    "UPPER.CSV": as_csv(),
}
PLAIN = {".jsonl": jsonl(), ".ndjson": jsonl(), ".json": json.dumps(ROWS).encode(), ".csv": as_csv()}
PLAIN[".tsv"] = as_csv(delimiter="\t")
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
for text, (packing, pack) in product(PLAIN, PACK.items()):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        name = f"{encoding}{text}{packing}"
        WHOLE[name] = pack(PLAIN[text].decode().encode(encoding))


def written(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def ingested(file: Path, **options: object) -> tuple[list[dict], list[dict]]:
    """Rows that an ingest kept, and its ledger."""
    given = {"path": str(file), "keep": ["text"], **options}
    outputs = list(build(IngestFile, given, where="x").shards(None))
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
        (b'{"question": "a", "gold": "1", "question": "b"}', "the key 'question' stands twice"),
        (b'{"question": "a", "deep": [{"b": 1, "\\u0062": 2}]}', "the key 'b' stands twice"),
        (b'{"question": "a", "n": Infinity}', "Infinity is no number"),
        (b'{"question": "a", "n": -Infinity}', "-Infinity is no number"),
        (b'{"question": "a", "n": 1e400}', "1e400 is no number"),
        (b'{"question": "a\0b"}', "not JSON"),
        (b'{"question": "a", \xef\xbb\xbf"n": 1}', "not JSON"),
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


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "array.json"])
def test_a_nan_is_a_missing_value_as_pandas_writes_it(tmp_path, name, packing):
    lines = [b'{"question": "a", "gold": NaN, "text": "x"}', b'{"question": NaN, "gold": "1", "text": "x"}']
    lines.append(b'{"question": "b", "gold": "1", "text": "y", "level": NaN, "more": [NaN, {"of": NaN}]}')
    text = b"[%b]" % b",".join(lines) if name == "array.json" else b"\n".join(lines)
    file = written(tmp_path, f"{name}{packing}", gzip.compress(text) if packing else text)
    kept, (dropped,) = ingested(file)
    assert kept == [
        {"question": "a", "gold": "", "text": "x"},
        {"question": "b", "gold": "1", "text": "y"},
    ]
    assert (dropped["key"], dropped["reason"]) == (f"{file}:2", "no_question")
    (_, first), _, (_, last) = row_files.read(file)
    assert (first["gold"], last["level"], last["more"]) == (None, None, [None, {"of": None}])


def test_a_json_whose_first_line_is_bad_has_a_row_more_in_its_ledger(tmp_path):
    file = written(tmp_path, "rows.json", b'{"question": "cut\n' + jsonl())
    kept, (dropped,) = ingested(file)
    assert kept == ROWS
    assert (dropped["key"], dropped["reason"]) == (f"{file}:1", "malformed")
    assert row_files.count(file) == 4


@pytest.mark.parametrize("kind", ["text", "large", "list", "object", "dictionary"])
@pytest.mark.parametrize("bad", [[0], [1, 2], [2999], [0, 1499, 2998]])
def test_a_row_of_a_parquet_that_is_not_utf_8_is_in_the_ledger_and_no_other_is(tmp_path, kind, bad):
    golds = pa.array([b"\xe9" if n in bad else b"1" for n in range(3000)])
    golds = pa.array([{"of": gold} for gold in golds]) if kind == "object" else golds
    golds = pa.array([[gold] for gold in golds]) if kind == "list" else golds
    text = {"text": pa.string(), "large": pa.large_string(), "list": pa.list_(pa.string())}
    golds = golds.cast(
        text.get(kind, pa.struct({"of": pa.string()}) if kind == "object" else pa.string()), safe=False
    )
    golds = golds.dictionary_encode() if kind == "dictionary" else golds
    texts = [f"{n}?" for n in range(3000)]
    pq.write_table(pa.table({"question": texts, "text": texts, "gold": golds}), tmp_path / "rows.parquet")
    file = tmp_path / "rows.parquet"
    path = "gold.of" if kind == "object" else "gold"
    kept, dropped = ingested(file, columns={"gold": path})
    assert [row["question"] for row in kept] == [text for n, text in enumerate(texts) if n not in bad]
    assert {row["gold"] for row in kept} == {"1"}
    assert [(row["key"], row["reason"]) for row in dropped] == [(f"{file}:{n + 1}", "malformed") for n in bad]
    assert {row["detail"][:10] for row in dropped} == {"not UTF-8:"}
    assert row_files.count(file) == 3000


def test_a_csv_row_of_another_width_is_in_the_ledger_or_stops_who_has_none(tmp_path):
    file = written(tmp_path, "rows.csv", b'question,gold,text\n"a\nb",1,x\n\nc,2\n')
    kept, (dropped,) = ingested(file)
    assert kept == [{"question": "a\nb", "gold": "1", "text": "x"}]
    assert (dropped["key"], dropped["detail"]) == (f"{file}:5", "not 3 fields as in the header")
    assert refused(file).startswith(f"{file}:5: not 3 fields as in the header; ")
    assert row_files.count(file) == 2


PACKED = gzip.compress(jsonl(ROWS * 500))
ZST = zstandard.compress(as_csv(ROWS * 500))
DAMAGED = {
    "cut.jsonl.gz": PACKED[: len(PACKED) // 2],
    "no-end-mark.jsonl.gz": PACKED[:-8],
    "wrong-sum.jsonl.gz": PACKED[:-8] + bytes(8),
    "flipped.jsonl.gz": PACKED[:40] + bytes(byte ^ 255 for byte in PACKED[40:60]) + PACKED[60:],
    "plain.jsonl.gz": jsonl(),
    "open-quote.csv": b'question,gold\na,1\n"b,2\nc,3\n',
    "open.json": b'[{"question": "a"}',
    "more.json": b'[{"question": "a"}]]',
    "cut.jsonl.zst": ZST[: len(ZST) // 2],
    "cut.csv.zst": ZST[:-1],
    "plain.json.zst": jsonl(),
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
    assert message.endswith("is it whole?")
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


@pytest.mark.parametrize("plain", [b"1", b'"x"', b"true", b"1.5"])
@pytest.mark.parametrize("nested", [b"[1]", b'{"b": 1}', b'[["x"]]', b"{}", b"[{}]"])
def test_columns_of_no_one_kind_are_one_clear_error(tmp_path, plain, nested):
    for first, second in ((plain, nested), (nested, plain)):
        file = written(tmp_path, "rows.jsonl", b'{"a": %b}\n{"a": %b}\n' % (first, second))
        with pytest.raises(ConfigError, match=r"rows\.jsonl: .* must hold values of one kind"):
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


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("text", PLAIN)
def test_a_packed_file_that_is_cut_anywhere_is_an_error_and_never_fewer_rows(tmp_path, text, packing):
    whole = PACK[packing](PLAIN[text])
    for size in range(1, len(whole)):
        file = written(tmp_path, f"cut{text}{packing}", whole[:size])
        for reader in (row_files.count, lambda file: list(row_files.read(file))):
            with pytest.raises(ConfigError, match="is it whole"):
                reader(file)


WIDE = {"latin-1": "é", "gb18030": "甲", "utf-16-le": "é甲", "utf-32-be": "🙂", "utf_8": "🙂", "cp1252": "“"}


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("text", PLAIN)
def test_an_encoding_that_is_named_is_read(tmp_path, text, encoding):
    rows = [{"question": WIDE[encoding], "gold": "", "text": "a\n"}]
    content = {".json": json.dumps(rows, ensure_ascii=False).encode(), ".csv": as_csv(rows)}
    content[".tsv"] = as_csv(rows, delimiter="\t")
    file = written(tmp_path, f"rows{text}", content.get(text, jsonl(rows)).decode().encode(encoding))
    dialect = row_files.Dialect(encoding=encoding)
    assert ingested(file, encoding=encoding) == (rows, [])
    assert row_files.table(file, dialect).to_dicts() == rows
    assert row_files.count(file, dialect) == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("text", PLAIN)
def test_a_wide_encoding_whose_mark_is_missing_is_an_error(tmp_path, text, encoding):
    file = written(tmp_path, f"rows{text}", as_csv(ROWS) if text != ".json" else b"[]")
    with pytest.raises(ConfigError, match=f"does not begin with a mark of {encoding}; name {encoding}-le or"):
        ingested(file, encoding=encoding)


def test_what_calls_itself_latin_1_has_the_quotes_and_the_euro_of_windows(tmp_path):
    file = written(tmp_path, "rows.csv", "question,gold\n“é”,46 €\n".encode("cp1252"))
    rows = row_files.table(file, row_files.Dialect(encoding="latin-1")).to_dicts()
    assert rows == [{"question": "“é”", "gold": "46 €"}]


def test_a_line_that_is_not_of_its_encoding_is_in_the_ledger(tmp_path):
    text = jsonl(ROWS[:1]).decode().encode("gb18030") + b'{"question": "\xff\xff"}\n'
    file = written(tmp_path, "rows.jsonl", text + jsonl(ROWS[1:]).decode().encode("gb18030"))
    kept, (dropped,) = ingested(file, encoding="gb18030")
    assert kept == ROWS
    assert (dropped["key"], dropped["reason"]) == (f"{file}:2", "malformed")


def test_a_csv_whose_header_is_not_utf_8_is_one_error_that_names_the_option(tmp_path):
    file = written(tmp_path, "rows.csv", b"\xe9t\xe9,question\n1,2\n")
    for reader in (ingested, row_files.count):
        with pytest.raises(ConfigError, match="no header can be read .not UTF-8; .* in `encoding`, as"):
            reader(file)


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("before", [0, 1, 20_000])
@pytest.mark.parametrize("bad", [b"\xe9,1,x\n", b'"a\n\xed\xa0\x80",1,x\n', b"\xc3,\xc3,x\n"])
def test_a_row_of_a_csv_that_is_not_utf_8_is_in_the_ledger_and_no_other_is(tmp_path, bad, before, packing):
    good = "".join(f"{n}?,é,x\n" for n in range(before)).encode()
    text = b"question,gold,text\n" + good + bad + "last?,甲,x\n".encode()
    file = written(tmp_path, f"rows.csv{packing}", gzip.compress(text) if packing else text)
    kept, (dropped,) = ingested(file)
    assert [row["question"] for row in kept] == [*(f"{n}?" for n in range(before)), "last?"]
    assert {row["gold"] for row in kept} == {"甲", *["é"][:before]}
    last_line = 1 + before + len(bad.splitlines())
    assert (dropped["key"], dropped["reason"]) == (f"{file}:{last_line}", "malformed")
    assert dropped["detail"].startswith("not UTF-8; if the file is something else, name it in `encoding`")
    assert row_files.count(file) == before + 2


def test_a_wide_csv_without_a_mark_is_an_error_that_names_the_option(tmp_path):
    file = written(tmp_path, "rows.csv", as_csv(ROWS[:1]).decode().replace("“2”", "").encode("utf-16-le"))
    assert "has a NUL byte" in refused(file)
    assert "in `encoding`, as utf-16 or cp1252" in refused(file)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("question,gold,question", "several columns have the name 'question'"),
        (",question,gold", "column 1 of 3 has no name in the header"),
        ("question, ,gold", "column 2 of 3 has no name"),
        ("question,gold,", "column 3 of 3 has no name"),
        ("question;gold\ttext", r"its header has no ',' but ';' and '\\t'"),
    ],
)
def test_a_header_that_does_not_say_which_column_is_which_is_refused(tmp_path, header, says):
    file = written(tmp_path, "rows.csv", f"{header}\na,b,c\n".encode())
    for reader in (row_files.table, ingested, lambda file: list(row_files.read(file))):
        with pytest.raises(ConfigError, match=says):
            reader(file)


def test_a_delimiter_that_does_not_part_the_header_is_refused_where_another_does(tmp_path):
    file = written(tmp_path, "rows.csv", b"question,gold\n1;2,3\n")
    with pytest.raises(ConfigError, match="its header has no ';' but ','; name what parts the columns"):
        list(row_files.read(file, row_files.Dialect(delimiter=";")))


def test_any_delimiter_can_be_named_and_one_column_needs_none(tmp_path):
    file = written(tmp_path, "rows.csv", as_csv(delimiter="^"))
    assert ingested(file, delimiter="^") == (ROWS, [])
    assert row_files.table(file, row_files.Dialect("^")).to_dicts() == ROWS
    assert row_files.count(file, row_files.Dialect("^")) == 3
    file = written(tmp_path, "one.csv", b'"a;b"\nx;y\n')
    assert [row for _, row in row_files.read(file)] == [{"a;b": "x;y"}]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"delimiter": ", "}, "delimiter: is ', '; it must be one character"),
        ({"delimiter": '"'}, "no quote"),
        ({"encoding": "utf-9"}, "encoding: 'utf-9' is no encoding"),
        ({"encoding": "hex"}, "encoding: 'hex' is no encoding"),
    ],
)
def test_a_dialect_that_cannot_be_is_refused(options, says):
    with pytest.raises(ConfigError, match=f"^here.{says}|{says}"):
        row_files.Dialect(**options, where="here.")
    with pytest.raises(ConfigError, match=rf"ingest\.file\.{says}|{says}"):
        build(IngestFile, {"path": "a.csv", **options}, where="x")


CSV_FAULTS = {
    b"a\0b,1,": "has a NUL byte",
    b'"a"b,1,': "not csv",
    b'"a"b,"1\n2",': "not csv",
    b"a,1": "not 3 fields",
    b"a,1,,": "not 3 fields",
}


@pytest.mark.parametrize("line", CSV_FAULTS)
def test_a_bad_csv_row_is_in_the_ledger_and_the_next_row_is_read_whole(tmp_path, line):
    file = written(
        tmp_path, "rows.csv", as_csv(ROWS[:1]) + line + b"\n" + as_csv(ROWS[1:]).partition(b"\n")[2]
    )
    kept, (dropped,) = ingested(file)
    assert kept == ROWS
    assert CSV_FAULTS[line] in dropped["detail"]
    assert row_files.count(file) == 4


def test_an_array_has_a_fault_for_each_item_that_is_no_row(tmp_path):
    items = [b"1", b'"],{"', b'{"question": \xff}', b"", b'{"a": [}', b'{"question": "\\ud800"}', b"[{}]"]
    text = b"[" + b",\n".join([*(json.dumps(row).encode() for row in ROWS), *items]) + b"]"
    file = written(tmp_path, "rows.json", text)
    with pytest.raises(ConfigError, match="array is not closed"):
        ingested(file)
    file.write_bytes(text.replace(b"[}", b"}"))
    kept, dropped = ingested(file)
    assert kept == ROWS
    assert [row["key"] for row in dropped] == [f"{file}:{number}" for number in range(4, 11)]
    assert row_files.count(file) == 10


def test_a_json_of_one_object_over_lines_is_refused(tmp_path):
    file = written(tmp_path, "rows.json", json.dumps({"rows": ROWS}, indent=1).encode())
    with pytest.raises(ConfigError, match="an array of objects, or one object a line, is expected"):
        row_files.table(file)


class Trickle(io.BytesIO):
    """Gives as many bytes at a time as it is told to."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self.size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.size)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUE, min_size=1), st.booleans(), st.sampled_from([None, 1]), st.integers(1, 9))
def test_the_items_of_any_array_are_found_whatever_blocks_it_comes_in(items, ascii_only, indent, size):
    text = json.dumps(items, ensure_ascii=ascii_only, indent=indent).encode()
    assert [json.loads(item) for item in json_rows._items(Trickle(text, size))] == items


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet='ab",;\n\r\0 é\ufeff'))
def test_any_csv_has_rows_that_csv_finds_too_or_faults(tmp_path_factory, text):
    file = written(tmp_path_factory.getbasetemp(), "any.csv", f"a,b\n{text}".encode())
    try:
        found = [row for _, row in row_files.read(file)]
    except ConfigError:
        assert '"' in text
        return
    csvs = [fields for fields in csv.reader(io.StringIO(text, newline="")) if fields]
    assert len(csvs) == len(found) == row_files.count(file)
    for row, fields in zip(found, csvs, strict=True):
        assert isinstance(row, Fault) or list(row.values()) == fields


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("long.jsonl.gz", b'{"question": "a"}\n{"question": "', b'"}\n{"question": "b"}\n'),
        ("long.json.gz", b'[{"question": "a"}, {"question": "', b'"}, {"question": "b"}]'),
        ("long.csv.gz", b'question,gold\na,1\n"', b'\n",1\nb,2\n'),
        ("line.csv.gz", b"question,gold\na,1\n", b",1\nb,2\n"),
    ],
)
def test_a_row_beyond_all_bounds_is_a_fault_and_the_next_one_is_read(tmp_path, name, before, after):
    file = tmp_path / name
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(before)
        for _ in range(257):
            out.write(b"a" * (1 << 20))
        out.write(after)
    first, long, last = [row for _, row in row_files.read(file)]
    assert (first["question"], last["question"]) == ("a", "b")
    assert long.detail == "longer than 256 MiB"


def test_integers_stay_exact_or_are_refused(tmp_path):
    file = written(
        tmp_path, "rows.jsonl", b'{"question": "a", "gold": 123456789012345678901234567890, "text": "b"}\n'
    )
    assert ingested(file)[0][0]["gold"] == "123456789012345678901234567890"
    assert row_files.table(file)["gold"].to_list() == [123456789012345678901234567890]
    for others in (b"1" * 40, b'{"a": [' + b"1" * 40 + b"]}", b'1.5}\n{"gold": 9007199254740993'):
        file.write_bytes(b'{"gold": ' + others + b"}\n")
        with pytest.raises(ConfigError, match=r"gold holds \d+, which would not stay exact"):
            row_files.table(file)


def test_a_parquet_with_two_columns_of_one_name_is_refused(tmp_path):
    table = pa.table([["a"], ["b"]], names=["question", "question"])
    pq.write_table(table, tmp_path / "twice.parquet")
    assert "several columns have the name 'question'" in refused(tmp_path / "twice.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["big.jsonl.gz", "big.csv.zst", "big.json", "utf-16.jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    rows = [{"question": str(number), "gold": "x" * 1000} for number in range(12_000)]
    content = {".json": json.dumps(rows).encode(), ".csv": as_csv(rows), ".tsv": as_csv(rows, "\t")}
    text = content.get(row_files.format_of(Path(name)), jsonl(rows))
    text = text.decode().encode("utf-16") if name.startswith("utf-16") else text
    file = written(tmp_path, name, PACK[Path(name).suffix](text) if Path(name).suffix in PACK else text)
    del rows, content, text
    tracemalloc.start()
    try:
        assert sum(1 for _ in row_files.read(file)) == 12_000
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
