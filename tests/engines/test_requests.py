import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from distillery.engines import Completion
from distillery.engines.requests import RequestStore
from distillery.errors import StoreError

MODEL = {"model": "m@1"}
WRITER = """
import sys, pathlib
from distillery.engines import Completion
from distillery.engines.requests import RequestStore
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
