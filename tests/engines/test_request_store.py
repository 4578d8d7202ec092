import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from distillery.engines import Completion
from distillery.engines.request_store import RequestStore, Rest, shelf_name
from distillery.errors import StoreError

MODEL = {"model": "m@1"}
WRITER = """
import sys, pathlib
from distillery.engines import Completion
from distillery.engines.request_store import RequestStore
shelf = RequestStore(pathlib.Path(sys.argv[1])).shelf({"model": "m@1"})
for number in range(100_000):
    shelf.put_many([Completion(f"{number}-{part}", "x" * 200, "stop", 1, 1) for part in range(10)])
    print(number, flush=True)
"""


def completion(key, text="a thought"):
    return Completion(key, text, "stop", 7, 3, {"seconds": 1.5})


def test_what_was_put_comes_back_whole(tmp_path):
    shelf = RequestStore(tmp_path).shelf(MODEL)
    stored = completion("k1", "<think>\n想一想 \u0000 \n</think>\n42")
    shelf.put_many([stored, completion("k2")])
    shelf.close()
    assert RequestStore(tmp_path).shelf(MODEL).get_many(["k1", "k9"]) == {"k1": stored}


def test_completions_of_two_models_lie_on_two_shelves(tmp_path):
    store = RequestStore(tmp_path)
    store.shelf(MODEL).put_many([completion("k")])
    assert store.shelf({"model": "other"}).get_many(["k"]) == {}


def test_a_key_put_twice_keeps_the_newer_text(tmp_path):
    shelf = RequestStore(tmp_path).shelf(MODEL)
    shelf.put_many([completion("k", "old")])
    shelf.put_many([completion("k", "new")])
    assert shelf.get_many(["k"])["k"].text == "new"


def test_sizes_name_the_models_and_count_their_completions(tmp_path):
    store = RequestStore(tmp_path)
    store.shelf(MODEL).put_many([completion(f"{n}", os.urandom(500).hex()) for n in range(50)])
    store.shelf({"model": "small"}).put_many([completion("k")])
    first, second = store.sizes()
    assert (first.identity, first.completions) == ('{"model": "m@1"}', 50)
    assert (second.identity, second.completions) == ('{"model": "small"}', 1)
    assert first.bytes > second.bytes > 0


def test_a_repetitive_trace_is_compressed(tmp_path):
    store = RequestStore(tmp_path)
    store.shelf(MODEL).put_many([completion("k", "wait, let me check that again. " * 100_000)])
    assert store.sizes()[0].bytes < 100_000


def test_a_killed_writer_loses_nothing_it_had_committed_and_leaves_no_half_batch(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for _ in range(25):
        last = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    last = max([last, *(int(line) for line in writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()
    shelf = RequestStore(tmp_path).shelf(MODEL)
    found = shelf.get_many([f"{number}-{part}" for number in range(last + 2) for part in range(10)])
    assert len(found) in (10 * (last + 1), 10 * (last + 2))


def _write(root, worker):
    shelf = RequestStore(root).shelf(MODEL)
    for number in range(40):
        shelf.put_many([completion(f"{worker}-{number}")])


@pytest.mark.slow
def test_several_processes_write_at_once(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_write, args=(tmp_path, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert RequestStore(tmp_path).sizes()[0].completions == 120


def test_a_writer_waits_for_another_process_to_finish(tmp_path):
    shelf = RequestStore(tmp_path).shelf(MODEL)
    shelf.put_many([completion("first")])
    code = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(0.5); c.execute('COMMIT')"
    )
    file = next(tmp_path.glob("*.sqlite"))
    holder = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    began = time.monotonic()
    shelf.put_many([completion("second")])
    assert time.monotonic() - began > 0.2
    holder.wait()
    holder.stdout.close()
    assert set(shelf.get_many(["first", "second"])) == {"first", "second"}


def test_a_file_that_is_no_database_is_a_store_error_that_names_it(tmp_path):
    shelf = RequestStore(tmp_path).shelf(MODEL)
    shelf.put_many([completion("k")])
    shelf.close()
    file = next(tmp_path.glob("*.sqlite"))
    for extra in tmp_path.glob("*-*"):
        extra.unlink()
    file.write_bytes(b"not a database" * 500)
    with pytest.raises(StoreError, match=f"request store {file}.*move the file away"):
        shelf.get_many(["k"])


def test_an_unreadable_value_is_a_store_error_that_names_its_key(tmp_path):
    shelf = RequestStore(tmp_path).shelf(MODEL)
    shelf.put_many([completion("k")])
    shelf.close()
    connection = sqlite3.connect(next(tmp_path.glob("*.sqlite")))
    with connection:
        connection.execute("UPDATE completions SET value = x'00'")
    connection.close()
    with pytest.raises(StoreError, match="completion k is unreadable"):
        shelf.get_many(["k"])
    shelf.close()


def filled(tmp_path, *, completions, size=3000):
    shelf = RequestStore(tmp_path).shelf(MODEL)
    shelf.put_many([completion(f"k{n}", os.urandom(size // 2).hex()) for n in range(completions)])
    return shelf


def test_the_rest_of_a_shelf_is_weighed_and_stays(tmp_path):
    shelf = filled(tmp_path, completions=10)
    rest = shelf.rest(["k1", "k2", "k2", "not there"])
    assert rest.completions == 8
    assert 8 * 1500 < rest.bytes < 8 * 3200
    assert shelf.rest([f"k{n}" for n in range(10)]) == Rest(0, 0, 0)
    assert shelf.rest([]).completions == 10
    assert len(shelf.get_many([f"k{n}" for n in range(10)])) == 10
    shelf.close()


def test_keeping_only_some_keys_removes_the_others_and_gives_their_room_back(tmp_path):
    shelf = filled(tmp_path, completions=1000)
    kept = shelf.get_many(["k7"])
    shelf.close()
    before = shelf.file.stat().st_size
    assert shelf.keep_only(["k7"])
    assert shelf.get_many([f"k{n}" for n in range(1000)]) == kept
    shelf.close()
    assert shelf.file.stat().st_size < before / 20
    assert RequestStore(tmp_path).sizes()[0].identity == '{"model": "m@1"}'


def test_a_shelf_of_an_earlier_version_gives_room_back_too(tmp_path):
    file = tmp_path / f"{shelf_name(MODEL)}.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript(
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE completions (key TEXT PRIMARY KEY, value BLOB NOT NULL);"
        "CREATE TABLE engine (identity TEXT PRIMARY KEY);"
    )
    connection.close()
    shelf = filled(tmp_path, completions=1000)
    shelf.close()
    before = file.stat().st_size
    assert shelf.keep_only(["k7"])
    assert file.stat().st_size < before / 20
    assert set(shelf.get_many(["k7", "k8"])) == {"k7"}
    shelf.close()


def test_room_that_a_broken_off_removal_left_is_given_back_by_the_next(tmp_path):
    shelf = filled(tmp_path, completions=1000)
    shelf.close()
    with sqlite3.connect(shelf.file) as connection:
        connection.execute("DELETE FROM completions WHERE key != 'k7'")
    connection.close()
    assert shelf.rest(["k7"]).free_bytes > 1_000_000
    assert shelf.keep_only(["k7"])
    assert shelf.rest(["k7"]) == Rest(0, 0, 0)
    shelf.close()
    assert shelf.file.stat().st_size < 100_000


def test_a_shelf_of_which_nothing_is_kept_goes_as_a_whole(tmp_path):
    shelf = filled(tmp_path, completions=10)
    shelf.close()
    assert shelf.keep_only([])
    assert list(tmp_path.glob("*.sqlite*")) == []
    shelf.put_many([completion("again")])
    assert RequestStore(tmp_path).sizes()[0].completions == 1
    shelf.close()


HOLDER = """
import sys, pathlib
from distillery.engines.request_store import RequestStore
shelf = RequestStore(pathlib.Path(sys.argv[1])).shelf({"model": "m@1"})
shelf.get_many(["k"])
print("open", flush=True)
sys.stdin.read()
"""


def test_nothing_is_removed_while_another_process_has_the_shelf_open(tmp_path):
    shelf = filled(tmp_path, completions=10)
    shelf.close()
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    assert shelf.in_use()
    assert not shelf.keep_only([])
    assert len(shelf.get_many([f"k{n}" for n in range(10)])) == 10
    shelf.close()
    other.communicate()
    assert not shelf.in_use()
    assert shelf.keep_only([])


WRITES_LATER = """
import sys, pathlib
from distillery.engines import Completion
from distillery.engines.request_store import RequestStore
print("begins", flush=True)
RequestStore(pathlib.Path(sys.argv[1])).shelf({"model": "m@1"}).put_many([Completion("new", "x", "stop", 1, 1)])
"""


def test_one_who_opens_a_shelf_that_is_just_being_removed_waits_and_loses_nothing(tmp_path):
    shelf = filled(tmp_path, completions=10)
    shelf.close()
    began: list[subprocess.Popen[str]] = []

    def keys():
        other = subprocess.Popen(
            [sys.executable, "-c", WRITES_LATER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        began.append(other)
        assert other.stdout is not None
        other.stdout.readline()
        time.sleep(0.3)
        assert other.poll() is None, "it waits"
        yield from ()

    assert shelf.keep_only(keys())
    began[0].communicate(timeout=20)
    assert began[0].returncode == 0
    assert set(shelf.get_many(["new", "k1"])) == {"new"}
    shelf.close()


KILLED = """
import os, pathlib, signal, sys
from distillery.engines.request_store import RequestStore
def keys():
    yield "k7"
    os.kill(os.getpid(), signal.SIGKILL)
RequestStore(pathlib.Path(sys.argv[1])).shelf({"model": "m@1"}).keep_only(keys())
"""


def test_one_that_is_killed_before_it_knows_all_keys_has_removed_nothing(tmp_path):
    filled(tmp_path, completions=10).close()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert killed.returncode == -signal.SIGKILL
    assert RequestStore(tmp_path).sizes()[0].completions == 10


def test_a_file_that_is_no_database_is_said_when_it_is_to_be_cut(tmp_path):
    file = tmp_path / "0123.sqlite"
    file.write_bytes(b"not a database" * 500)
    (shelf,) = RequestStore(tmp_path).shelves()
    with pytest.raises(StoreError, match=f"request store {file}"):
        shelf.keep_only([])
    assert file.exists()
