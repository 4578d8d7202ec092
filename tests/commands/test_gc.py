from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distillery.cli import main
from distillery.engines.request_store import RequestStore
from distillery.engines.scripted import Scripted
from distillery.pipeline import load_plan
from distillery.runner import Watcher, open_run, run
from distillery.store import collect as collection
from distillery.store.stage_dir import FolderLock, StageDir
from tests.inline import Inline

ROOT = Path(__file__).parents[2]
PROBLEMS = 6
LINE = """
pipeline: line
engines:
  teacher: {{kind: scripted}}
  judge: {{kind: scripted, name: judge, script: agree}}
stages:
  - id: problems
    use: ingest.file
    with: {{path: "{problems}", shard_rows: 2, constants: {{checker: math, domain: math}}}}
  - {{id: traces, use: generate.traces, with: {{engine: teacher, prompt: solve.boxed@1, samples: {samples}}}}}
  - {{id: judged, use: judge.answers, with: {{engine: judge, policy: judge_only}}}}
  - {{id: unique, use: dedup.exact, with: {{key: trace_id}}}}
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    rows = [{"question": f"What is {n} + {n}?", "gold": f"{2 * n}"} for n in range(PROBLEMS)]
    (tmp_path / "problems.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path / "data"


def plan_of(data: Path, *, samples: int):
    file = data.parent / "line.yaml"
    file.write_text(LINE.format(problems=data.parent / "problems.jsonl", samples=samples))
    return load_plan(file)


def do(data: Path, *, samples: int = 1, breaks_after: int | None = None) -> Path:
    """Runs the line and gives its record's folder; `asked` counts what the teacher was asked for."""

    def reply(request):
        if breaks_after is not None and len(teacher.calls) > breaks_after:
            raise RuntimeError("the teacher broke")
        return "<think>\nI add.\n</think>\n\\boxed{2}"

    teacher = Scripted(reply=reply)
    engines = {"teacher": teacher, "judge": Scripted(name="judge", script="agree")}
    plan = plan_of(data, samples=samples)
    record = open_run(plan, data / "runs")
    asked.clear()
    try:
        run(plan, store=data / "store", record=record, executor=Inline(engines), watcher=Watcher())
    except RuntimeError:
        assert breaks_after is not None
    finally:
        asked.append(len(teacher.calls))
    return record.path


asked: list[int] = []


def collect(data: Path, *words: str) -> int:
    return main(["gc", "--data-dir", str(data), *words])


def folders(data: Path) -> set[str]:
    return set(collection.stage_folders(data / "store"))


def completions(data: Path) -> dict[str, int]:
    sizes = RequestStore(data / "store" / "requests").sizes()
    return {json.loads(size.identity)["model"]: size.completions for size in sizes}


def fingerprint(data: Path) -> dict[str, str]:
    return {
        str(file.relative_to(data)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(data.rglob("*"))
        if file.is_file()
    }


def test_what_a_run_refers_to_stays_and_the_same_pipeline_asks_nothing(data, capsys):
    record = do(data, samples=2)
    before, results = folders(data), (record / "results.json").read_text()
    assert collect(data, "--delete") == 0
    assert "there is nothing that no run refers to" in capsys.readouterr().out
    assert folders(data) == before
    assert completions(data) == {"scripted": 12, "judge": 6}
    shutil.rmtree(next((data / "store").glob("generate.traces-*")))
    do(data, samples=2)
    assert asked == [0]
    assert (record / "results.json").read_text() == results


def test_letting_go_of_the_smaller_run_keeps_every_completion(data):
    few = do(data, samples=2)
    do(data, samples=4)
    assert completions(data)["scripted"] == 24
    shutil.rmtree(few)
    collect(data, "--delete")
    assert len(list((data / "store").glob("generate.traces-*"))) == 1
    assert len(list((data / "store").glob("ingest.file-*"))) == 1
    assert completions(data)["scripted"] == 24


def test_letting_go_of_the_larger_run_takes_what_only_it_asked_for(data, capsys):
    do(data, samples=2)
    shutil.rmtree(do(data, samples=4))
    collect(data, "--delete")
    assert completions(data)["scripted"] == 12
    out = capsys.readouterr().out
    assert "removed 3 stage folders, 12 completions:" in out
    do(data, samples=4)
    assert asked == [12], "the two samples of the run that stayed are not asked for again"


def test_without_delete_nothing_changes_and_all_of_it_is_said(data, capsys):
    do(data, samples=2)
    shutil.rmtree(do(data, samples=4))
    before = fingerprint(data)
    assert collect(data) == 0
    out = capsys.readouterr().out
    assert "runs: 1; stage folders that they name: 4" in out
    assert "12 completions of scripted" in out
    assert "nothing was changed; `distillery gc --delete` removes it" in out
    assert fingerprint(data) == before


def test_an_unfinished_stage_keeps_every_completion_of_its_model(data, capsys):
    shutil.rmtree(do(data, samples=2))
    do(data, samples=4, breaks_after=5)
    assert completions(data)["scripted"] == 12 + 5
    collect(data, "--delete")
    out = capsys.readouterr().out
    assert "stays: all 17 completions of scripted (script=echo): generate.traces-" in out
    assert "is not finished" in out
    assert completions(data)["scripted"] == 17
    do(data, samples=4)
    assert asked == [24 - 17]


def test_a_stage_that_was_never_begun_keeps_its_model_too(data):
    shutil.rmtree(do(data, samples=2))
    do(data, samples=4, breaks_after=0)
    for folder in (data / "store").glob("generate.traces-*"):
        shutil.rmtree(folder)
    collect(data, "--delete")
    assert completions(data) == {"scripted": 12, "judge": 6}


def test_a_model_of_whom_nothing_stays_goes_as_a_file(data):
    shutil.rmtree(do(data))
    collect(data, "--delete")
    assert folders(data) == set()
    assert list((data / "store" / "requests").glob("*.sqlite*")) == []


def test_completions_can_be_kept(data):
    shutil.rmtree(do(data))
    collect(data, "--delete", "--keep-completions")
    assert folders(data) == set()
    assert completions(data) == {"scripted": 6, "judge": 6}


def without_asked(folder: Path) -> None:
    for file in folder.glob("asked-*"):
        file.unlink()


def test_a_folder_that_does_not_say_what_it_asked_for_keeps_its_model(data, capsys):
    do(data, samples=2)
    shutil.rmtree(do(data, samples=4))
    without_asked(next((data / "store").glob("generate.traces-*")))
    for folder in (data / "store").glob("generate.traces-*"):
        without_asked(folder)
    collect(data, "--delete")
    assert "does not say what it asked for" in capsys.readouterr().out
    assert completions(data)["scripted"] == 24


def test_a_record_that_names_no_shelves_keeps_all_of_them_for_what_is_owed(data, capsys):
    record = do(data)
    known = json.loads((record / "run.json").read_text())
    for step in known["steps"]:
        del step["shelves"]
    (record / "run.json").write_text(json.dumps(known))
    shutil.rmtree(do(data, samples=2))
    collect(data, "--delete")
    assert completions(data)["scripted"] == 6, "a folder that lists its requests needs no shelf"
    (next((data / "store").glob("generate.traces-*")) / "stage.json").unlink()
    RequestStore(data / "store" / "requests").shelf({"model": "other"}).close()
    collect(data, "--delete")
    assert "completions of 2 models: generate.traces-" in capsys.readouterr().out


def test_a_stage_that_had_to_ask_nothing_does_not_hold_its_model(data):
    do(data)
    folder = StageDir(next((data / "store").glob("judge.answers-*")))
    for shard in range(3):
        folder.write_asked(shard, [])
    collect(data, "--delete")
    assert completions(data) == {"scripted": 6}


def test_a_damaged_folder_holds_its_model(data, capsys):
    do(data)
    next((data / "store").glob("generate.traces-*/shard-00001.parquet")).unlink()
    collect(data, "--delete")
    assert "is damaged" in capsys.readouterr().out
    assert completions(data)["scripted"] == 6


def hold(folder: Path) -> subprocess.Popen[str]:
    code = (
        "import sys, time; from pathlib import Path; from distillery.store.stage_dir import FolderLock\n"
        "assert FolderLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def end(other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert other.stdout is not None
    other.stdout.close()


def test_a_folder_that_a_process_works_in_stays_with_all_completions(data, capsys):
    shutil.rmtree(do(data))
    folder = next((data / "store").glob("generate.traces-*"))
    other = hold(folder)
    collect(data, "--delete")
    assert folders(data) == {folder.name}
    assert completions(data) == {"scripted": 6, "judge": 6}
    out = capsys.readouterr().out
    assert f"{folder.name}: no run names it, but a process works in it" in out
    assert "no run says whom it asks" in out
    end(other)
    collect(data, "--delete")
    assert folders(data) == set()


def test_completions_that_a_process_works_with_stay(data, capsys):
    shutil.rmtree(do(data))
    shelf = RequestStore(data / "store" / "requests").shelf(Scripted().identity)
    shelf.get_many([])
    collect(data, "--delete")
    assert (
        "6 of the completions of scripted (script=echo): a process works with them" in capsys.readouterr().out
    )
    shelf.close()
    assert completions(data) == {"scripted": 6}
    collect(data, "--delete")
    assert completions(data) == {}


def test_a_folder_that_another_runs_pipeline_names_by_its_path_stays(data):
    record = do(data)
    name = next((data / "store").glob("dedup.exact-*")).name
    (record / "pipeline.yaml").write_text(f"engines: {{local: {{model: data/store/{name}/model}}}}")
    known = json.loads((record / "run.json").read_text())
    known["steps"] = [step for step in known["steps"] if step["folder"] != name]
    (record / "run.json").write_text(json.dumps(known))
    collect(data, "--delete")
    assert name in folders(data)


def test_a_record_that_cannot_be_read_stops_it(data, capsys):
    record = do(data)
    before = folders(data)
    shutil.rmtree(do(data, samples=2))
    (record / "run.json").write_text('{"steps": [')
    assert collect(data, "--delete") == 4
    assert "what it needs is unknown; repair it, or delete its folder" in capsys.readouterr().err
    assert before < folders(data)


def test_without_a_runs_folder_nothing_is_taken_for_unneeded(data, capsys):
    do(data)
    shutil.rmtree(data / "runs")
    assert collect(data, "--delete") == 2
    assert "check --data-dir" in capsys.readouterr().err
    assert len(folders(data)) == 4


def test_without_a_store_there_is_nothing_to_do(tmp_path, capsys):
    assert collect(tmp_path) == 0
    assert "nothing to collect" in capsys.readouterr().out


def test_what_is_no_stage_folder_is_not_ours_to_take(data):
    do(data)
    for name in ("notes", "requests-old"):
        (data / "store" / name).mkdir()
    collect(data, "--delete")
    assert (data / "store" / "notes").is_dir()
    assert (data / "store" / "requests-old").is_dir()


def test_temporary_files_go_once_nobody_can_be_writing_them(data):
    record = do(data)
    folder = next((data / "store").glob("dedup.exact-*"))
    old, new, theirs = folder / "shard-00000.parquet.77.tmp", folder / "x.78.tmp", folder / "draft.tmp"
    oldest = record / "run.json.5.tmp"
    for file in (old, new, theirs, oldest):
        file.write_text("part")
    two_hours_ago = time.time() - 7200
    for file in (old, theirs, oldest):
        os.utime(file, (two_hours_ago, two_hours_ago))
    collect(data, "--delete")
    assert [file.exists() for file in (old, new, theirs, oldest)] == [False, True, True, False]


KILLED = """
import os, shutil, signal, sys
from distillery.cli import main
done = []
def dies(path):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(path)
    remove(path)
remove, shutil.rmtree = shutil.rmtree, dies
main(["gc", "--delete", "--data-dir", sys.argv[1]])
"""


@pytest.mark.slow
def test_one_that_was_killed_is_finished_by_the_next(data, capsys):
    do(data, samples=2)
    shutil.rmtree(do(data, samples=4))
    killed = subprocess.run([sys.executable, "-c", KILLED, str(data)], cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert len(folders(data)) == 4, "all that goes was moved aside first"
    assert completions(data)["scripted"] == 24
    collect(data)
    assert "left by a gc that was broken off" in capsys.readouterr().out
    collect(data, "--delete")
    assert "2 left by a gc that was broken off" in capsys.readouterr().out
    assert sorted(path.name for path in (data / "store" / ".trash").iterdir()) == [".lock"]
    assert completions(data)["scripted"] == 12
    do(data, samples=2)
    assert asked == [0]


def test_a_folder_that_a_run_names_meanwhile_comes_back(data, monkeypatch):
    record = do(data)
    text = (record / "run.json").read_text()
    (record / "run.json").unlink()
    found = collection.survey(data / "store", data / "runs")
    assert len(found.of(collection.What.FOLDER)) == 4
    (record / "run.json").write_text(text)
    removed, _ = collection.remove(found, data / "store", data / "runs")
    assert removed == []
    assert completions(data) == {"scripted": 6, "judge": 6}
    assert len(folders(data)) == 4
    do(data)
    assert asked == [0]


def test_completions_that_an_unfinished_run_names_meanwhile_stay(data):
    shutil.rmtree(do(data))
    found = collection.survey(data / "store", data / "runs")
    do(data, samples=2, breaks_after=1)
    _, alone = collection.remove(found, data / "store", data / "runs")
    assert any("is not finished" in text for text in alone)
    assert completions(data)["scripted"] == 7


def test_of_a_folder_that_lies_elsewhere_only_the_link_goes(data):
    shutil.rmtree(do(data))
    folder, elsewhere = next((data / "store").glob("dedup.exact-*")), data.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    collect(data, "--delete")
    assert not folder.is_symlink()
    assert (elsewhere / "stage.json").exists()


def test_two_at_once_are_one_too_many(data, capsys):
    shutil.rmtree(do(data))
    lock = FolderLock(data / "store" / ".trash")
    assert lock.acquire()
    assert collect(data, "--delete") == 4
    assert "another gc is at work" in capsys.readouterr().err
    lock.release()
    assert len(folders(data)) == 4


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ('{"model": "m@1"}', "m@1"),
        ('{"model": "m", "prefilled": true}', "m (prefilled=True)"),
        ('{"model": "stage:f00d"}', "teacher (stage:f00d)"),
        ('{"model": "stage:beef"}', "stage:beef"),
        ('{"options": 1}', '{"options": 1}'),
        ("", "an unnamed model"),
    ],
)
def test_models_are_named_as_people_know_them(identity, name):
    assert (
        collection.model_of(identity, collection.References(1, frozenset(), {}, {"f00d": "teacher"})) == name
    )
