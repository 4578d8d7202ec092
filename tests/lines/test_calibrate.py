"""pipelines/calibrate.yaml from end to end, with judges that are known."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from distillery.engines.mock.replies import MockOptions
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.scripted import Scripted
from distillery.pipeline import load_plan
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from tests.engines.mock_server import MockServer
from tests.inline import Inline

FILE = Path(__file__).parents[2] / "pipelines/calibrate.yaml"


def calibrate(engine, folder, settings=()):
    plan = load_plan(FILE, settings=settings, engines={"judge": engine})
    record = open_run(plan, folder / "runs")
    run(plan, store=folder / "store", record=record, executor=Inline({"judge": engine}), watcher=Watcher())
    notes = [folder_of(plan.step(step), folder / "store").done() for step in ("scores", "orders")]
    shards = folder_of(plan.step("judged"), folder / "store").shards()
    metrics = {(row["model"], row["metric"]): row["value"] for note in notes for row in note.metrics}
    return metrics, pl.concat([pl.read_parquet(file) for file in shards])


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    monkeypatch.chdir(FILE.parents[1])


def reference(asked):
    """The last number of the answer against the reference, as an honest but simple judge would do it."""
    text = asked.messages[-1][1]
    if "## Answer A" in text:
        return "They are alike: [[A=B]]"
    gold = text.split("## Reference Answer\n")[1].split("\n")[0]
    answer = text.split("## Answer to be Checked\n")[1].split("\n\n## Output Format")[0]
    verdict = (
        "correct" if gold in answer.replace("}", " ").replace("$", " ").rstrip(".").split() else "incorrect"
    )
    return json.dumps({"analysis": "compared", "correctness": verdict})


@pytest.mark.slow
def test_an_honest_judge_falls_to_no_attack_and_is_scored_beside_the_rules(tmp_path):
    metrics, rows = calibrate(Scripted(reply=reference), tmp_path)
    assert rows.filter(source="attack").height >= 60
    assert metrics["judge", "attack_success"] == 0
    assert metrics["judge: the rules alone", "attack_success"] == 0
    assert metrics["judge", "recall"] > 0.5
    assert metrics["judge", "unclear"] == 0
    assert metrics["judge", "tokens"] > 1


@pytest.mark.slow
def test_a_judge_that_likes_what_comes_first_flips_with_the_order(tmp_path):
    metrics, _ = calibrate(Scripted(reply=lambda asked: "[[A>>B]]"), tmp_path)
    assert metrics["judge of pairs", "pair_flips"] == 1.0
    assert metrics["judge of pairs", "pair_first_wins"] == 1.0
    assert metrics["judge of pairs", "pair_accuracy"] == 0.0, "a tie is no win of the right one"


def test_preference_data_without_a_gold_are_pairs_and_no_verdicts(tmp_path):
    rows = [
        {"question": "Why?", "gold": "", "answer": text, "label": label, "source": "mine"}
        for text, label in (("Because it rains.", "correct"), ("So.", "incorrect"))
    ]
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def fair(asked):
        a = asked.messages[-1][1].split("## Answer A\n")[1]
        return "[[A>B]]" if a.startswith("Because") else "[[B>A]]"

    metrics, judged = calibrate(Scripted(reply=fair), tmp_path, [f"stages.labelled.path={file}"])
    assert (metrics["judge of pairs", "pair_accuracy"], metrics["judge of pairs", "pair_flips"]) == (1.0, 0.0)
    assert judged["judge_verdict"].null_count() == 2


@pytest.mark.slow
def test_a_judge_that_accepts_all_falls_to_what_holds_no_verdict_of_its_own(tmp_path):
    metrics, _ = calibrate(Scripted(reply=lambda _: '{"analysis": "", "correctness": "correct"}'), tmp_path)
    assert metrics["judge", "precision"] == 0.5
    assert metrics["judge", "kappa"] == 0
    assert metrics["judge", "attack_success"] > 0.4


@pytest.mark.slow
def test_a_judge_that_repeats_what_it_is_asked_falls_to_none(tmp_path):
    def parrot(asked):
        return (
            asked.messages[-1][1].split("## Answer ")[-1].split("\n", 1)[1].split("\n\n## Output Format")[0]
        )

    metrics, _ = calibrate(Scripted(reply=parrot), tmp_path)
    assert metrics["judge", "attack_success"] == 0


@pytest.mark.slow
def test_it_runs_with_an_endpoint(tmp_path):
    with MockServer(MockOptions()) as server:
        metrics, rows = calibrate(OpenAIServer(model="mock", base_url=server.url), tmp_path)
    assert rows["judge_verdict"].null_count() == 0
    assert metrics["judge", "unclear"] == 1.0, "the mock server solves problems and judges none"


@pytest.mark.slow
def test_real_labelled_solutions_are_rows_for_it(tmp_path, real_data):
    with gzip.open(real_data / "judge_gsm8k_model_solutions_a.jsonl.gz", "rt", encoding="utf-8") as lines:
        problems = [json.loads(line) for _, line in zip(range(100), lines, strict=False)]
    file = tmp_path / "mine.jsonl"
    rows = [
        {
            "question": problem["question"],
            "gold": problem["gold"],
            "answer": one["solution"],
            "label": one["is_correct"],
            "source": one["model"],
        }
        for problem in problems
        for one in problem["solutions"]
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    settings = [f"stages.labelled.path={file}"]
    metrics, judged = calibrate(Scripted(reply=reference), tmp_path, settings)
    assert judged.height == len({json.dumps(row) for row in rows})
    rules = "judge: the rules alone"
    assert metrics[rules, "precision"] > 0.95
    assert metrics[rules, "recall"] > 0.9
    assert ("judge", "attack_success") not in metrics
    assert metrics["judge", "wrong_short"] is not None
