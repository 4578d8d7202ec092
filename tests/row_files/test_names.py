"""Which files a path means, and of what format they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.row_files import ENDINGS, files, format_of


def laid(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found(path: Path | str) -> list[str]:
    return [file.name for file in files(str(path), where="x.path")]


def test_a_folder_is_all_its_files_of_rows_in_order_but_hidden_ones(tmp_path):
    laid(tmp_path, "b.jsonl", "a/z.ndjson.gz", "a/y.jsonl.zst", "README.md", ".hidden.jsonl", ".git/x.jsonl")
    assert found(tmp_path) == ["y.jsonl.zst", "z.ndjson.gz", "b.jsonl"]


def test_a_folder_of_several_formats_or_of_none_says_so(tmp_path):
    laid(tmp_path / "mixed", "a.jsonl", "b.csv", "c.csv.gz")
    laid(tmp_path / "none", "README.md")
    with pytest.raises(
        ConfigError, match=r"^x\.path: the folder .*mixed has several formats \(2 \.csv, 1 \.jsonl\)"
    ):
        found(tmp_path / "mixed")
    with pytest.raises(ConfigError, match=r"^x\.path: the folder .*none has no file of rows among its 1"):
        found(tmp_path / "none")


def test_two_stars_go_into_folders_and_leave_out_hidden_ones(tmp_path):
    laid(tmp_path, "b.jsonl", "a/c.jsonl", "a/d/e.jsonl", "a/.f.jsonl", "a/g.csv")
    assert found(tmp_path / "**/*.jsonl") == ["c.jsonl", "e.jsonl", "b.jsonl"]
    assert found(tmp_path / "a/**") == ["c.jsonl", "e.jsonl", "g.csv"]


def test_a_name_with_signs_of_a_pattern_is_first_of_all_a_name(tmp_path):
    laid(tmp_path, "a[1].jsonl", "a1.jsonl")
    assert found(tmp_path / "a[1].jsonl") == ["a[1].jsonl"]


def test_a_format_is_the_ending_without_its_packing():
    formats = {ending: format_of(Path(f"rows{ending}")) for ending in ENDINGS}
    assert formats[".ndjson.zst"] == formats[".jsonl.gz"] == ".jsonl"
    assert formats[".json.gz"] == ".json"
    assert set(formats.values()) == {".jsonl", ".json", ".csv", ".tsv", ".parquet"}
    assert format_of(Path("ROWS.CSV.GZ")) == ".csv"
