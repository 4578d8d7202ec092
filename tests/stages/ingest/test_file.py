from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import PROBLEM, problem_id
from distillery.row_files import Fault
from distillery.stages.base import Output
from distillery.stages.ingest.file import IngestFile
from distillery.stages.ingest.mapping.row_map import RowMap


def write(file: Path, rows: list[object]) -> str:
    with gzip.open(file, "wt") if file.suffix == ".gz" else file.open("w") as out:
        for row in rows:
            out.write((row if isinstance(row, str) else json.dumps(row)) + "\n")
    return str(file)


def ingest(path: object, **options: object) -> list[Output]:
    return list(build(IngestFile, {"path": path, **options}, where="stages.ingest").shards(None))


def only(path: object, **options: object) -> Output:
    (output,) = ingest(path, **options)
    return output


ROWS = [{"question": f"What is {n}+1?", "gold": str(n + 1), "domain": "sums"} for n in range(5)]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet", "csv"])
def test_every_format_gives_the_same_problems(tmp_path: Path, ending: str):
    file = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        pl.DataFrame(ROWS).write_parquet(file)
    elif ending == "csv":
        pl.DataFrame(ROWS).write_csv(file)
    else:
        write(file, ROWS)
    table = only(str(file)).kept
    assert table.schema == pl.Schema(PROBLEM)
    assert table["gold"].to_list() == ["1", "2", "3", "4", "5"]
    assert table["problem_id"][0] == problem_id("What is 0+1?")
    assert set(table["domain"]) == {"sums"}


def test_shards_hold_so_many_rows_and_the_limit_counts_problems(tmp_path: Path):
    path = write(tmp_path / "rows.jsonl", [ROWS[0], *ROWS])
    outputs = ingest(path, shard_rows=2, limit=4)
    assert [output.kept.height for output in outputs] == [2, 2]
    assert [row["reason"] for output in outputs for row in output.dropped.to_dicts()] == ["repeated"]


def test_a_bad_row_is_in_the_ledger_with_its_file_and_line(tmp_path: Path):
    rows = [ROWS[0], "{not json", "[1]", {"question": " "}, {"gold": "7"}, ROWS[0], {"question": ["a", "b"]}]
    path = write(tmp_path / "rows.jsonl", rows)
    output = only(path)
    assert output.kept.height == 1
    assert [(row["key"], row["reason"]) for row in output.dropped.to_dicts()] == [
        (f"{path}:2", "malformed"),
        (f"{path}:3", "malformed"),
        (f"{path}:4", "no_question"),
        (f"{path}:5", "no_question"),
        (f"{path}:6", "repeated"),
        (f"{path}:7", "malformed"),
    ]


def test_a_payload_that_is_no_object_and_a_thinking_that_is_neither_are_malformed(tmp_path: Path):
    rows = [{"question": "a", "payload": "[1]"}, {"question": "b", "thinking": "maybe"}]
    own = {"payload": "payload", "thinking": "thinking"}
    dropped = only(write(tmp_path / "rows.jsonl", rows), columns=own).dropped
    assert dropped["reason"].to_list() == ["malformed", "malformed"]
    assert "payload is not a JSON object" in dropped["detail"][0]


def test_columns_map_ours_to_theirs_into_nested_values_and_constants_fill_the_rest(tmp_path: Path):
    rows = [{"prompt": [{"role": "user", "content": "Why?"}], "reward": {"truth": 42}, "a.b": "x"}]
    table = only(
        write(tmp_path / "rows.jsonl", rows),
        columns={"question": "prompt.0.content", "gold": "reward.truth", "source": "a.b"},
        constants={"checker": "math", "language": "en", "payload": {"precision": 2}},
    ).kept
    row = table.row(0, named=True)
    assert (row["question"], row["gold"], row["source"]) == ("Why?", "42", "x")
    assert (row["checker"], row["language"], row["payload"]) == ("math", "en", '{"precision": 2}')


def test_a_payload_can_be_built_from_several_columns(tmp_path: Path):
    rows = [{"question": "Write f.", "test": "assert f()", "entry": "f"}]
    columns = {"payload": {"tests": "test", "entry_point": "entry"}}
    payload = only(write(tmp_path / "rows.jsonl", rows), columns=columns).kept["payload"][0]
    assert json.loads(payload) == {"tests": "assert f()", "entry_point": "f"}


def test_kept_columns_have_the_types_of_their_rows(tmp_path: Path):
    rows = [{"question": "a", "level": 3, "tags": ["x"], "ok": True}, {"question": "b", "level": None}]
    table = only(write(tmp_path / "rows.jsonl", rows), keep=["level", "tags", "ok"]).kept
    assert table.select("level", "tags", "ok").rows() == [(3, '["x"]', True), (None, None, None)]


def test_ready_made_responses_become_traces(tmp_path: Path):
    rows = [
        {"question": "Why?", "thought": "Hm.", "response": "Because."},
        {"question": "Why?", "thought": "Well.", "response": "Because."},
        {"question": "Why?", "thought": "Hm.", "response": "Because."},
    ]
    output = only(
        write(tmp_path / "rows.jsonl", rows),
        columns={"reasoning": "thought", "answer": "response"},
        keep=["trace_id", "text", "answer"],
    )
    assert output.kept["text"][0] == "<think>\nHm.\n</think>\nBecause."
    assert output.kept["trace_id"].n_unique() == 2
    assert output.dropped["reason"].to_list() == ["repeated"]


@pytest.mark.parametrize("between", [0, 1500])
def test_an_id_that_stands_twice_is_taken_where_the_rows_say_different_things(tmp_path: Path, between: int):
    row = {"trace_id": "7", "question": "Why?", "text": "Because."}
    others = [{"trace_id": f"x{n}", "question": f"{n}?", "text": "So."} for n in range(between)]
    again = [
        ({}, "repeated"),
        ({"text": " Because.\n", "gold": "1"}, "repeated"),
        ({"text": "No."}, "id_taken"),
        ({"text": "No."}, "id_taken"),
        ({"question": "How?"}, "id_taken"),
        ({"text": "because."}, "id_taken"),
    ]
    path = write(tmp_path / "rows.jsonl", [row, *others, *(row | change for change, _ in again)])
    outputs = ingest(path, keep=["trace_id", "text"], shard_rows=500)
    dropped = pl.concat(output.dropped for output in outputs)
    assert sum(output.kept.height for output in outputs) == 1 + between
    assert dropped["key"].to_list() == [f"{path}:{n + between + 2}" for n in range(len(again))]
    assert dropped["reason"].to_list() == [reason for _, reason in again]
    assert set(dropped["detail"]) == {"7"}


@pytest.mark.parametrize(
    ("keep", "reasons"),
    [
        (["trace_id"], ["repeated", "repeated"]),
        (["trace_id", "answer"], ["repeated", "id_taken"]),
        (["trace_id", "reasoning"], ["id_taken", "repeated"]),
        (["trace_id", "text"], ["id_taken", "id_taken"]),
    ],
)
def test_an_id_is_taken_by_what_is_kept_of_a_response(tmp_path: Path, keep: list[str], reasons: list[str]):
    texts = ["<think>\na\n</think>\nb", "<think>\nc\n</think>\nb", "<think>\na\n</think>\nd"]
    rows = [{"trace_id": "7", "question": "Why?", "text": text} for text in texts]
    output = only(write(tmp_path / "rows.jsonl", rows), keep=keep)
    assert output.dropped["reason"].to_list() == reasons


def test_a_whole_number_of_any_size_is_a_fault_of_its_row_alone(tmp_path: Path):
    rows = [{"question": f"{n}?", "sample": n, "level": n} for n in (3, 2**31, 2**63, 10**400, -(10**4000))]
    output = only(write(tmp_path / "rows.jsonl", rows), keep={"sample": None, "level": "int"})
    assert output.kept["sample"].to_list() == [3]
    assert output.dropped["reason"].to_list() == ["malformed"] * 4
    assert output.dropped["detail"].str.contains("more than Int32 holds").all()


def test_an_answer_without_thought_gets_the_empty_block_where_no_thinking_is_wanted(tmp_path: Path):
    path = write(tmp_path / "rows.jsonl", [{"question": "Hello", "text": "Hi!"}])
    off = only(path, constants={"thinking": "off"}, keep=["text", "answer"]).kept
    assert off.select("text", "answer").row(0) == ("<think>\n\n</think>\nHi!", "Hi!")
    assert only(path, keep=["text"]).kept["text"][0] == "Hi!"


def test_a_gold_pattern_takes_the_gold_out_of_a_solution(tmp_path: Path):
    rows = [{"question": "a", "answer": "First 70.\n#### 72 "}, {"question": "b", "answer": "no mark"}]
    path = write(tmp_path / "rows.jsonl", rows)
    output = only(path, columns={"gold": "answer"}, gold_pattern=r"####\s*(.+)")
    assert output.kept["gold"].to_list() == ["72"]
    assert output.dropped["detail"][0] == "gold_pattern does not match the gold 'no mark'"


def test_several_files_and_patterns_are_read_in_order(tmp_path: Path):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.jsonl", [{"question": name}])
    assert only(str(tmp_path / "*.jsonl")).kept["question"].to_list() == ["a", "b"]
    paths = [str(tmp_path / "b.jsonl"), str(tmp_path / "a.jsonl")]
    assert only(paths).kept["question"].to_list() == ["b", "a"]


def test_an_empty_file_gives_one_empty_shard(tmp_path: Path):
    output = only(write(tmp_path / "rows.jsonl", []))
    assert output.kept.schema == pl.Schema(PROBLEM)
    assert output.kept.is_empty()


def test_the_stamp_is_of_the_bytes_and_not_of_the_place(tmp_path: Path):
    first, second = write(tmp_path / "a.jsonl", ROWS), write(tmp_path / "b.jsonl", ROWS)
    assert IngestFile(path=first).stamp() == IngestFile(path=second).stamp()
    write(tmp_path / "b.jsonl", ROWS[:1])
    assert IngestFile(path=first).stamp() != IngestFile(path=second).stamp()


def test_a_csv_line_with_too_many_or_too_few_fields_is_malformed(tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text('question,gold\n"two\nlines",1\nb,2,3\nc\n')
    output = only(str(file))
    assert output.kept["question"].to_list() == ["two\nlines"]
    assert output.dropped["key"].to_list() == [f"{file}:4", f"{file}:5"]


def test_a_missing_file_is_named_with_the_working_directory():
    with pytest.raises(ConfigError, match=r"no file at nowhere\.jsonl \(working directory: /"):
        ingest("nowhere.jsonl")


def test_a_wrong_column_is_named_with_the_columns_there_are(tmp_path: Path):
    path = write(tmp_path / "rows.jsonl", [{"problem": "a", "answer": "b"}])
    with pytest.raises(ConfigError, match="no column 'question'; there are: answer, problem"):
        ingest(path)
    with pytest.raises(ConfigError, match="no column 'solution'"):
        ingest(path, columns={"question": "problem", "gold": "solution"})
    with pytest.raises(ConfigError, match="no column 'label'"):
        ingest(path, columns={"question": "problem"}, keep=["label"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"golden": "x"}}, "'golden' is no column of a problem"),
        ({"columns": {"gold": {"a": "b"}}}, "only payload can be built from several"),
        ({"keep": ["gold"]}, "gold is a column of every problem already"),
        ({"gold_pattern": "####.*"}, "has no group"),
        ({"gold_pattern": "("}, "is no regex"),
        ({"shard_rows": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        build(IngestFile, {"path": "x.jsonl", **options}, where="stages.ingest")


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path):
    whole = gzip.compress(b'{"question": "a"}\n' * 1000)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "not.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "rows.txt").write_text("a")
    for name, message in (
        ("cut.jsonl.gz", "is it whole"),
        ("not.parquet", "not parquet"),
        ("rows.txt", "none of"),
    ):
        with pytest.raises(ConfigError, match=message):
            ingest(str(tmp_path / name))


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted([*PROBLEM, "text"])), st.none() | st.text() | st.integers()))
def test_any_row_is_a_problem_or_a_fault(row: dict):
    found = RowMap("x", keep=("text", "trace_id")).row(row)
    assert isinstance(found, Fault) or (found["problem_id"] == problem_id(str(row["question"])))


def test_a_real_set_reads_whole(real_data: Path):
    outputs = ingest(
        str(real_data / "math_gsm8k_train.jsonl.gz"), columns={"gold": "answer"}, keep=["solution"]
    )
    assert sum(output.kept.height for output in outputs) == 7473
    assert sum(output.dropped.height for output in outputs) == 0
