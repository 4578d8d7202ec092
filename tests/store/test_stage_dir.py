from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest

from distillery.errors import StoreError
from distillery.records import LEDGER, empty
from distillery.stages.base import Output
from distillery.stages.note import Note
from distillery.store.stage_dir import FolderLock, StageDir, Sums, disk_errors

NOTE = Note(id="a", use="toy.a", fingerprint="f00d")
ROWS = pl.DataFrame({"key": ["a", "b"]})


def written(path, shards=1):
    folder = StageDir(path)
    for shard in range(shards):
        folder.write(shard, Output(ROWS, empty(LEDGER), {"accepted": 1.0}), 2)
    folder.finish(replace(NOTE, shards=shards))
    return folder


def test_a_shard_exists_when_its_file_does(tmp_path):
    folder = StageDir(tmp_path / "s")
    assert not folder.has(0)
    folder.write(0, Output.all_kept(ROWS), 2)
    assert folder.has(0)
    assert folder.done() is None
    assert folder.read(0).equals(ROWS)
    assert folder.count(0) == (2, 0)
    assert folder.sums([0]) == Sums(rows_in=2, rows_out=2, rows_dropped=0, counts={})


def test_a_stage_is_done_when_its_marker_is_there(tmp_path):
    folder = written(tmp_path / "s", shards=2)
    note = folder.done()
    assert note is not None
    assert note.shards == 2
    assert sorted(note.files) == [f"{name}-0000{n}.parquet" for name in ("dropped", "shard") for n in (0, 1)]
    assert len(folder.shards()) == 2
    assert not list((tmp_path / "s").glob("*.tmp"))


def test_a_note_bears_the_id_that_the_line_at_hand_has_for_it(tmp_path):
    StageDir(tmp_path).finish(Note(id="first", use="filter.quality", fingerprint="f00d"))
    for id_, called in [("", "first"), ("renamed", "renamed")]:
        note = StageDir(tmp_path, id_).done()
        assert note is not None
        assert note.id == called


def test_a_missing_shard_behind_a_marker_is_said_and_not_repaired_silently(tmp_path):
    folder = written(tmp_path / "s")
    folder.shard(0).unlink()
    with pytest.raises(StoreError, match=r"lacks \[0\]; delete it to redo"):
        folder.done()


def test_a_torn_marker_is_said(tmp_path):
    folder = written(tmp_path / "s")
    (folder.path / "stage.json").write_text('{"shards":')
    with pytest.raises(StoreError, match="not JSON"):
        folder.done()


def test_a_marker_that_promises_a_model_needs_one(tmp_path):
    folder = StageDir(tmp_path)
    folder.finish(replace(NOTE, model=True))
    with pytest.raises(StoreError, match="no model folder"):
        folder.done()


def test_an_unreadable_shard_names_its_file(tmp_path):
    folder = written(tmp_path / "s")
    folder.shard(0).write_bytes(b"PAR1 torn")
    with pytest.raises(StoreError, match=r"shard-00000.parquet: not readable"):
        folder.read(0)


def test_shards_of_an_unfinished_stage_are_refused(tmp_path):
    with pytest.raises(StoreError, match="not finished"):
        StageDir(tmp_path).shards()


def test_one_process_holds_a_folder_and_its_death_frees_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from distillery.store.stage_dir import FolderLock\n"
        "assert FolderLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        lock = FolderLock(tmp_path)
        assert not lock.acquire()
        other.kill()
        other.wait()
        assert lock.acquire()
        lock.release()


def test_a_full_disk_is_one_line_with_the_place(tmp_path):
    with (
        pytest.raises(StoreError, match=r"No space left on device.*make room"),
        disk_errors(tmp_path / "deep" / "x"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_other_disk_errors_pass_through(tmp_path):
    with pytest.raises(IsADirectoryError), disk_errors(tmp_path):
        raise IsADirectoryError(errno.EISDIR, "x")


def test_sketches_go_when_the_stage_is_done(tmp_path):
    folder = StageDir(tmp_path)
    folder.write_sketch(0, ROWS)
    assert folder.read_sketch(0) is not None
    assert folder.read_sketch(1) is None
    folder.write(0, Output.all_kept(ROWS), 2)
    folder.finish(replace(NOTE, shards=1))
    assert folder.read_sketch(0) is None
    assert json.loads((tmp_path / "stage.json").read_text())["shards"] == 1
