from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from distillery import shards
from distillery.errors import StoreError

ROWS = pl.DataFrame({"key": ["a", "b", "c", "d"], "text": ["x", "xx", "xxx", "xxxx"], "score": [1, 2, 3, 4]})
COLUMNS = ("key", "text", "score", "quota")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "filtered").mkdir()
    (tmp_path / "mixed").mkdir()
    shards.write(tmp_path / "filtered" / "0.parquet", ROWS)
    return tmp_path / "filtered" / "0.parquet"


@pytest.fixture
def narrow(base: Path, tmp_path: Path) -> Path:
    """Rows d and b with a column more."""
    added = pl.DataFrame({"quota": ["math", "code"]})
    file = tmp_path / "mixed" / "0.parquet"
    shards.write_over(file, shards.Over(base, pl.Series([3, 1]), added, COLUMNS))
    return file


def test_a_shard_over_another_reads_as_the_whole_table(narrow: Path):
    expected = ROWS[[3, 1]].with_columns(quota=pl.Series(["math", "code"]))
    assert shards.read(narrow).equals(expected)
    assert shards.scan([narrow]).collect().equals(expected)
    assert shards.schema(narrow) == dict(expected.schema)
    assert shards.rows(narrow) == 2


def test_texts_are_not_written_again(narrow: Path):
    assert set(pl.read_parquet_schema(narrow)) == {shards.ROW, "quota"}


def test_columns_come_in_the_order_that_is_asked_for(narrow: Path):
    assert shards.read(narrow, ["quota", "text"]).rows() == [("math", "xxxx"), ("code", "xx")]
    assert shards.read(narrow, ["quota"]).rows() == [("math",), ("code",)]


def test_a_shard_may_stand_on_one_that_stands_on_another(narrow: Path):
    top = narrow.with_name("1.parquet")
    changed = pl.DataFrame({"score": [20]}, schema={"score": pl.Int64})
    shards.write_over(top, shards.Over(narrow, pl.Series([1]), changed, COLUMNS))
    assert shards.read(top).rows() == [("b", "xx", 20, "code")]
    assert shards.scan([top, narrow]).filter(pl.col("key") == "b").collect()["score"].to_list() == [20, 2]
    assert shards.root(top).parent.name == "filtered"


def test_the_weight_is_of_the_columns_wherever_they_lie(narrow: Path, base: Path):
    assert shards.weight(narrow, ["text"]) == shards.weight(base, ["text"]) > 0
    assert shards.weight(narrow) > shards.weight(base)


def test_the_folders_can_be_moved_together(narrow: Path, tmp_path: Path):
    (tmp_path / "new").mkdir()
    for name in ("filtered", "mixed"):
        (tmp_path / name).rename(tmp_path / "new" / name)
    assert shards.read(tmp_path / "new" / "mixed" / "0.parquet").height == 2


def test_a_base_that_is_gone_is_named(narrow: Path, base: Path):
    base.unlink()
    with pytest.raises(StoreError, match=r"it stands on .*filtered/0\.parquet, which is gone"):
        shards.read(narrow)


@pytest.mark.parametrize("reader", [shards.read, shards.schema, lambda file: shards.scan([file])])
def test_a_base_that_changed_is_not_believed(narrow: Path, base: Path, reader):
    shards.write(base, ROWS.with_columns(text=pl.col("text").str.replace_all("x", "y")))
    with pytest.raises(StoreError, match="is not what it was"):
        reader(narrow)


def test_a_base_written_again_as_it_was_is_the_same(narrow: Path, base: Path):
    shards.write(base, ROWS)
    assert shards.read(narrow).height == 2


@pytest.mark.parametrize("reader", [shards.read, shards.rows, lambda file: shards.scan([file])])
def test_what_is_no_parquet_is_an_error_of_one_line(tmp_path: Path, reader):
    (tmp_path / "0.parquet").write_bytes(b"torn")
    with pytest.raises(StoreError, match="not readable as parquet"):
        reader(tmp_path / "0.parquet")
