"""A real set of 7,473 problems through the whole line, with an engine that answers by the book of a careless
pupil."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import polars as pl
import pytest

from distillery.engines import Completion, Failure
from distillery.engines.scripted import Scripted
from distillery.pipeline import load_plan
from distillery.reasoning import join
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from tests.inline import Inline

LINE = """
pipeline: grade-school
engines:
  teacher: {{kind: scripted}}
stages:
  - id: problems
    use: ingest.file
    with:
      path: {data}/math_gsm8k_train.jsonl.gz
      columns: {{question: question, gold: answer}}
      constants: {{checker: math, language: en, source: gsm8k}}
  - {{id: gold, use: verify.gold}}
  - {{id: unique, use: dedup.exact}}
  - {{id: clean, use: decontaminate.ngrams, with: {{against: [{data}/math_gsm8k_test_a.jsonl.gz]}}}}
  - {{id: traces, use: generate.traces, with: {{engine: teacher, prompt: solve.boxed@1, samples: 2}}}}
  - {{id: checked, use: verify.answers}}
  - {{id: filtered, use: filter.quality}}
  - {{id: kept, use: select.traces, with: {{per_problem: 1}}}}
  - {{id: chat, use: export.chat}}
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_problem_that_came_in_is_kept_or_accounted_for(real_data, tmp_path):
    source = real_data / "math_gsm8k_train.jsonl.gz"
    golds = {}
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            golds[row["question"].strip()] = row["answer"]

    def pupil(request):
        """Right two times in three; else wrong, silent, without a thought, cut off, or not there at all."""
        gold = golds[request.messages[-1][1].split("\n\nPlease reason")[0].strip()]
        thought = (
            "I read the question again and add up what it says, step by step, until nothing is left to add."
        )
        match request.seed % 30:
            case 0:
                return join(thought, "\\boxed{-987654}")
            case 1:
                return join(thought, "I cannot say.")
            case 2:
                return f"\\boxed{{{gold}}}"
            case 3:
                return Completion(request.key, join(thought, None), "length", 1, 9)
            case 4:
                return Failure(request.key, "refused", "no")
            case n if n < 10:
                return join(thought, f"\\boxed{{{gold}1}}")
            case _:
                return join(thought, f"The answer is \\boxed{{{gold}}}.")

    file = tmp_path / "line.yaml"
    file.write_text(LINE.format(data=real_data))
    engine = Scripted(reply=pupil)
    plan = load_plan(file, engines={"teacher": engine})
    record = open_run(plan, tmp_path / "runs")
    store = tmp_path / "store"
    run(plan, store=store, record=record, executor=Inline({"teacher": engine}), watcher=Watcher())

    def rows(step):
        return pl.concat([pl.read_parquet(f) for f in folder_of(plan.step(step), store).shards()])

    notes = {step.id: folder_of(step, store).done() for step in plan.steps}
    assert notes["problems"].rows_out + notes["problems"].rows_dropped == 7_473
    asked = notes["traces"].rows_in
    assert len(engine.calls) == 2 * asked
    assert notes["traces"].rows_out + notes["traces"].rows_dropped == 2 * asked
    kept = set(rows("chat")["problem_id"])
    assert len(kept) == rows("chat").height, "one trace a problem"
    gone: set[str] = set()
    for step in ("gold", "unique", "clean", "traces"):
        gone |= set(folder_of(plan.step(step), store).ledger()["key"])
    owner = dict(rows("traces").select("trace_id", "problem_id").iter_rows())
    reasons: Counter[str] = Counter()
    for step in ("filtered", "kept", "chat"):
        for key, reason, _ in folder_of(plan.step(step), store).ledger().iter_rows():
            gone.add(owner[key])
            reasons[reason] += 1
    assert kept | gone == set(rows("problems")["problem_id"]), "nothing leaves without a reason"
    assert {"wrong", "enough"} <= reasons.keys()
    assert set(rows("chat")["outcome"]) == {"correct"}
    assert len(kept) > 5_000
