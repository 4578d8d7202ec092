from __future__ import annotations

import gzip
import json

import polars as pl
import pytest

from distillery.cli import main
from distillery.errors import ConfigError

RIGHT = {"question": "1 + 1?", "gold": "2", "checker": "exact", "text": "<think>\nsum\n</think>\n2"}


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_stage_runs_on_a_file_and_the_columns_stay(tmp_path):
    file = write(tmp_path / "in.jsonl", [RIGHT, {**RIGHT, "text": "<think>\nsum\n</think>\n3"}])
    assert main(["apply", "verify.answers", str(file), "-o", str(tmp_path / "out.jsonl")]) == 0
    out = lines(tmp_path / "out.jsonl")
    assert [row["outcome"] for row in out] == ["correct", "wrong"]
    assert out[0].keys() == {*RIGHT, "outcome", "score", "extracted", "detail"}
    assert (tmp_path / "out.dropped.jsonl").read_text() == ""


def test_an_alarm_of_a_stage_is_heard(tmp_path, capsys):
    file = write(tmp_path / "in.jsonl", [{**RIGHT, "checker": "guess"}])
    assert main(["apply", "verify.answers", str(file), "-o", str(tmp_path / "out.jsonl")]) == 0
    assert "LOOK: 1 of 1 answers could not be judged" in capsys.readouterr().err


def test_what_is_dropped_lies_beside_the_output_with_its_reason(tmp_path):
    file = write(tmp_path / "in.jsonl", [RIGHT, RIGHT, {**RIGHT, "question": "2 + 2?"}])
    out = tmp_path / "deep" / "out.jsonl.gz"
    assert main(["apply", "dedup.exact", str(file), "-o", str(out)]) == 0
    assert len(gzip.decompress(out.read_bytes()).splitlines()) == 2
    (dropped,) = gzip.decompress((tmp_path / "deep" / "out.dropped.jsonl.gz").read_bytes()).splitlines()
    assert json.loads(dropped).keys() == {*RIGHT, "reason", "detail"}


TWO = [{"question": "1 + 1?", "gold": "2", "text": text} for text in ("one way: 2", "another: 2")]
HISTORY = {"history": [["user", "Add."], ["assistant", "What?"]]}


@pytest.mark.parametrize("stage", ["dedup.exact", "dedup.minhash"])
@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([*TWO, {**TWO[0], "question": "5 + 2?"}], 3),
        ([*TWO, {**TWO[0], "question": "1+1 ?"}], 2),
        ([TWO[0], {**TWO[1], "payload": HISTORY}], 2),
        ([{"question": "1 + 1?", "answer": answer} for answer in ("2", "It is 2.")], 2),
        ([{"question": "1 + 1?", "gold": "2"}, {"question": "1+1?", "gold": "2"}], 1),
        ([{"question": "1 + 1?", "gold": "2", "sample": number} for number in (0, 1)], 2),
    ],
)
def test_samples_of_one_problem_are_no_copies_and_all_samples_of_a_copy_go(tmp_path, stage, rows, left):
    file = write(tmp_path / "in.jsonl", rows)
    assert main(["apply", stage, str(file), "-o", str(tmp_path / "out.jsonl")]) == 0
    out = lines(tmp_path / "out.jsonl")
    assert len(out) == left
    assert all(row.keys() <= {name for row in rows for name in row} for row in out)


def test_a_history_that_cannot_be_read_is_refused_with_its_row(tmp_path, capsys):
    file = write(tmp_path / "in.jsonl", [TWO[0], {**TWO[1], "payload": {"history": ["Add."]}}])
    assert main(["apply", "dedup.exact", str(file), "-o", str(tmp_path / "out.jsonl")]) == 2
    assert "in.jsonl: row 2: payload: history is no list" in capsys.readouterr().err


def test_a_folder_is_one_table_and_its_text_is_read_as_told(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.csv").write_bytes("question^gold\né^1\n".encode("latin-1"))
    (tmp_path / "in" / "deep" / "b.csv").write_bytes("question^level\nè^2\n".encode("latin-1"))
    told = ["--delimiter", "^", "--encoding", "latin-1", "-o", str(tmp_path / "out.jsonl")]
    assert main(["apply", "dedup.exact", str(tmp_path / "in"), *told]) == 0
    assert lines(tmp_path / "out.jsonl") == [
        {"question": "é", "gold": "1", "level": None},
        {"question": "è", "gold": None, "level": "2"},
    ]


def test_a_key_that_names_several_rows_is_refused_with_the_way_out(tmp_path, capsys):
    file = write(tmp_path / "in.jsonl", [{**RIGHT, "problem_id": "p"}, {**RIGHT, "problem_id": "p"}])
    assert main(["apply", "dedup.exact", str(file), "-o", str(tmp_path / "out.jsonl")]) == 2
    assert "problem_id 'p' names several rows" in capsys.readouterr().err


def test_parquet_and_nested_payloads_are_read(tmp_path):
    row = {**RIGHT, "payload": {"within": "answer"}}
    file = write(tmp_path / "in.jsonl", [row, RIGHT])
    assert main(["apply", "verify.answers", str(file), "-o", str(tmp_path / "out.parquet")]) == 0
    assert pl.read_parquet(tmp_path / "out.parquet")["outcome"].to_list() == ["no_answer", "correct"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify.answer", "in.jsonl", "-o", "out.jsonl"], "did you mean 'verify.answers'"),
        (["verify.answers", "none.jsonl", "-o", "out.jsonl"], "no file at none.jsonl"),
        (["verify.answers", "in.jsonl", "-o", "out.csv"], "out.csv: its ending says no format"),
        (["verify.answers", "in.jsonl", "-o", "out.txt"], "out.txt: its ending says no format"),
        (["verify.answers", "torn.jsonl", "-o", "out.jsonl"], "torn.jsonl:2: not JSON"),
        (["verify.answers", "list.jsonl", "-o", "out.jsonl"], "list.jsonl:1: is '[1]"),
        (["verify.answers", "short.jsonl", "-o", "out.jsonl"], "short.jsonl lacks text"),
        (
            ["verify.answers", "in.jsonl", "-o", "out.jsonl", "--set", "deadline=1"],
            "unknown option 'deadline'",
        ),
        (["verify.answers", "in.jsonl", "-o", "out.jsonl", "--set", "deadline"], "no '=' in it"),
        (["train.base", "in.jsonl", "-o", "out.jsonl"], "makes no table from a table"),
        (
            ["generate.traces", "in.jsonl", "-o", "out.jsonl", "--set", "engine=x", "--set", "prompt=y"],
            "needs the engine 'x'; stages with engines run in a pipeline",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in.jsonl", [RIGHT])
    (tmp_path / "torn.jsonl").write_text('{"question": "q"}\n{"que')
    (tmp_path / "list.jsonl").write_text("[1]\n")
    write(tmp_path / "short.jsonl", [{"question": "q", "gold": "1", "checker": "exact"}])
    assert main(["apply", *words]) == ConfigError.exit_code
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out.jsonl").exists()
