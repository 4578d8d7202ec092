"""Two judges of answers, one of pairs and one of the best, in one line; a judge held to a form."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest

from distillery.engines.cached import Cached
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.request_store import RequestStore
from distillery.engines.scripted import Scripted
from distillery.pipeline import load_plan
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from tests.inline import Inline

LINE = """
pipeline: judges
engines:
  small: {kind: scripted, name: small}
  large: {kind: scripted, name: large}
stages:
  - id: rows
    use: ingest.file
    with:
      path: rows.jsonl
      columns: {answer: answer}
      constants: {checker: math, thinking: "off"}
      keep: [trace_id, label, text, answer]
  - {id: ruled, use: verify.answers}
  - {id: judged, use: judge.answers, with: {engine: small, policy: judge_only}}
  - {id: judged_twice, use: judge.answers, with: {engine: large, policy: second_opinion}}
  - {id: paired, use: judge.pairs, with: {engine: large, pairs: 3}}
  - {id: ranked, use: judge.best, with: {engine: large}}
  - {id: orders, use: score.judge, with: {of: pairs}}
  - {id: places, use: score.judge, with: {of: best}}
  - {id: kept, use: select.traces, with: {prefer: chosen}}
"""


def large(asked):
    text = asked.messages[-1][1]
    if "## Answer A" in text:
        a, b = text.split("## Answer A\n")[1].split("\n\n## Output")[0].split("\n\n## Answer B\n")
        return f"[[{'A>>B' if (len(a), a) > (len(b), b) else 'B>>A'}]]"
    if "## Answer 1" in text:
        answers = text.split("## Answer ")[1:]
        return f"[[{1 + max(range(len(answers)), key=lambda n: len(answers[n].split(chr(10))[1]))}]]"
    return '{"analysis": "it fits", "correctness": "correct"}'


@pytest.mark.slow
def test_all_judges_share_a_line_and_ask_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers = [
        ("4", "correct"),
        ("It is four.", "correct"),
        ("It is \\boxed{4}, by adding.", "correct"),
        ("5", "incorrect"),
    ]
    rows = [{"question": "2+2?", "gold": "4", "answer": answer, "label": label} for answer, label in answers]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "line.yaml").write_text(LINE)

    def play(store):
        scripted = {
            "small": Scripted(name="small", reply=lambda _: "incorrect"),
            "large": Scripted(name="large", reply=large),
        }
        engines = {name: Cached(one, RequestStore(tmp_path / "asked")) for name, one in scripted.items()}
        plan = load_plan(tmp_path / "line.yaml", engines=engines)
        record = open_run(plan, tmp_path / "runs")
        run(plan, store=tmp_path / store, record=record, executor=Inline(engines), watcher=Watcher())
        folders = {step.id: folder_of(step, tmp_path / store) for step in plan.steps}
        calls = {name: len(one.calls) for name, one in scripted.items()}
        return {name: pl.read_parquet(folder.shards()) for name, folder in folders.items()}, folders, calls

    tables, folders, calls = play("store")
    twice = dict(tables["judged_twice"].select("answer", "accepted_by").iter_rows())
    assert twice == {"4": "both", "It is four.": "", "It is \\boxed{4}, by adding.": "both", "5": ""}
    assert tables["kept"]["answer"].to_list() == ["It is \\boxed{4}, by adding."]
    assert calls == {"small": 4, "large": 2 + 3 * 4 + 4}
    found = {row["metric"]: row["value"] for row in folders["orders"].done().metrics}
    assert (found["pair_flips"], found["pair_first_wins"], found["pair_unclear"]) == (0.0, 0.5, 0.0)
    found = {row["metric"]: row["value"] for row in folders["places"].done().metrics}
    assert (found["best_accuracy"], found["best_first_wins"], found["best_first_by_chance"]) == (
        1.0,
        0.25,
        0.25,
    )
    again, _, calls = play("another store")
    assert calls == {"small": 0, "large": 0}
    assert again["kept"].equals(tables["kept"])


# word for word what vLLM 0.30 gave back, white space included
CORRECT = '{\n  "analysis": "2+2",\n  "correctness": "correct"\n}'


def correct(_):
    return CORRECT


class Held:
    """A server that notes each body and replies in the form that it is held to, with what `says` makes of the
    prompt."""

    def __init__(self, says=correct):
        self.bodies = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.bodies.append(body)
                said = says(body["messages"][-1]["content"])
                message = {"role": "assistant", "content": said}
                reply = {
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 62, "completion_tokens": 25},
                }
                data = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args): ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.slow
def test_a_structured_verdict_is_asked_for_once_with_a_body_that_vllm_takes(tmp_path, monkeypatch):
    """The body is the one that vLLM 0.30 accepted; only the prompt's words are left out here."""
    monkeypatch.chdir(tmp_path)
    row = {"question": "2+2?", "gold": "4", "answer": "It is 4.", "label": "correct", "source": "mine"}
    Path("rows.jsonl").write_text(json.dumps(row))
    Path("line.yaml").write_text(STRUCTURED)
    with Held() as server:
        for store in ("one", "another"):
            judge = Cached(
                OpenAIServer(model="smollm2", base_url=server.url), RequestStore(tmp_path / "requests")
            )
            plan = load_plan(Path("line.yaml"), engines={"judge": judge})
            record = open_run(plan, tmp_path / "runs")
            executor = Inline({"judge": judge})
            run(plan, store=tmp_path / store, record=record, executor=executor, watcher=Watcher())
        (body,) = server.bodies
    (message,) = body.pop("messages")
    assert message["role"] == "user"
    assert isinstance(body.pop("seed"), int)
    assert body == {
        "model": "smollm2",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 1024,
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "reply",
                "strict": True,
                "schema": {
                    "type": "object",
                    "properties": {
                        "analysis": {"type": "string"},
                        "correctness": {"type": "string", "enum": ["correct", "incorrect"]},
                    },
                    "required": ["analysis", "correctness"],
                    "additionalProperties": False,
                },
            },
        },
    }
    judged = pl.read_parquet(folder_of(plan.step("judged"), tmp_path / "another").shards())
    assert judged["judge_verdict"].to_list() == ["correct"]
    assert json.loads(judged["judge_text"].item())["analysis"] == "2+2"


STRUCTURED = """
pipeline: structured
engines:
  judge: {kind: openai, model: smollm2, base_url: "http://127.0.0.1:9/v1"}
stages:
  - id: rows
    use: ingest.file
    with:
      path: rows.jsonl
      columns: {answer: answer}
      constants: {checker: math, thinking: "off"}
      keep: [trace_id, label, text, answer]
  - {id: judged, use: judge.answers, with: {engine: judge, policy: judge_only, structured: true}}
"""


REWARDED = """
pipeline: rewarded
seed: 1
engines:
  v3: {kind: openai, model: v3}
stages:
  - id: web
    use: ingest.miniature
    with: {part: corpus, count: 640, salt: web}
  - id: base
    use: train.base
    with: {architecture: llama, hidden_size: 32, layers: 1, logging_steps: 5}
  - id: general
    use: ingest.file
    with: {path: rows.jsonl, constants: {checker: layout, domain: general}}
  - id: taught
    use: train.grpo
    with:
      model: {from: base}
      max_steps: 2
      prompts_per_step: 2
      num_generations: 4
      max_completion_length: 16
      mask_truncated_completions: false
      beta: 0.0
      precision: fp32
      logging_steps: 1
      rewards: {accuracy: 1.0, helpfulness: 1.0}
      judge: {engine: v3}
"""


def scores(score):
    return json.dumps(dict.fromkeys(("helpful", "correct", "complete", "style"), score))


@pytest.mark.slow
def test_a_judge_behind_a_server_rewards_general_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"question": f"Say something about {word}."} for word in ("rain", "snow", "wind", "fog")]
    Path("rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    Path("line.yaml").write_text(REWARDED)
    with Held(lambda _: scores(4)) as server:
        plan = load_plan(Path("line.yaml"), settings=[f"engines.v3.base_url={server.url}"])
        record = open_run(plan, tmp_path / "runs")
        run(plan, store=tmp_path / "store", record=record, executor=Inline(), watcher=Watcher())
    note = folder_of(plan.step("taught"), tmp_path / "store").done()
    asked = len(server.bodies)
    assert 0 < asked <= 2 * 2 * 4
    assert {name: note.counts[name] for name in ("asked", "prompt_tokens", "completion_tokens")} == {
        "asked": asked,
        "prompt_tokens": 62 * asked,
        "completion_tokens": 25 * asked,
    }
    work = folder_of(plan.step("taught"), tmp_path / "store").work
    logged = [json.loads(line) for line in (work / "metrics.jsonl").read_text().splitlines()]
    shares = [line["rewards/helpfulness"] for line in logged if "rewards/helpfulness" in line]
    assert 0 < max(shares) < 0.34
    assert not any("rewards/accuracy" in line for line in logged)
    other = load_plan(Path("line.yaml"), settings=["engines.v3.model=another"])
    assert other.step("taught").fingerprint != plan.step("taught").fingerprint
    assert other.step("base").fingerprint == plan.step("base").fingerprint


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_ranks_share_a_judge_and_go_on_exactly_where_they_were_killed(tmp_path, monkeypatch):
    """Fourteen prompts, four a step: the checkpoint of step 4 stands in the second epoch."""
    monkeypatch.chdir(tmp_path)
    rows = [{"question": f"Say something about {word}."} for word in "abcdefghijklmn"]
    Path("rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    Path("line.yaml").write_text(REWARDED)
    with Held(lambda asked: scores(1 + len(asked) % 10)) as server:
        changes = {"max_steps": 6, "prompts_per_step": 4, "save_steps": 2, "keep_checkpoints": 9}
        settings = [f"stages.taught.{name}={value}" for name, value in changes.items()]
        plan = load_plan(Path("line.yaml"), settings=[f"engines.v3.base_url={server.url}", *settings])
        record = open_run(plan, tmp_path / "runs")
        run(plan, store=tmp_path / "store", record=record, executor=Inline(), watcher=Watcher())
        spec = json.loads((folder_of(plan.step("taught"), tmp_path / "store").work / "spec.json").read_text())
        spec |= {"work": str(tmp_path / "work"), "out": str(tmp_path / "model")}
        Path("spec.json").write_text(json.dumps(spec))
        whole = on_two_ranks(tmp_path)
        asked = len(server.bodies)
        shutil.rmtree("model")
        for step in (4, 6):
            assert Path(f"work/checkpoints/checkpoint-{step}/rng_state_1.pth").exists()
        Path("work/checkpoints/checkpoint-6/complete").unlink()
        assert on_two_ranks(tmp_path) == whole
        assert len(server.bodies) == asked


def on_two_ranks(folder):
    """Trains what spec.json says; the losses and the weights."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*launch, "-m", "distillery.train", "spec.json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = map(json.loads, (folder / "work" / "metrics.jsonl").read_text().splitlines())
    losses = [line["loss"] for line in lines if "loss" in line]
    assert len(set(losses)) > 3
    return losses, (folder / "model" / "model.safetensors").read_bytes()
