"""A fabricated run: the files that a run leaves, with numbers like real ones."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from distillery.records import LEDGER

SCORES = {
    "base": 0.105,
    "zero": 0.78,
    "cold_start": 0.36,
    "reasoning": 0.602,
    "sft": 0.71,
    "teacher": 0.83,
    "student-qwen-s-base": 0.058,
    "student-qwen-s-grpo": 0.105,
    "student-qwen-s": 0.39,
    "student-llama-base": 0.073,
    "student-llama-grpo": 0.163,
    "student-llama": 0.56,
}
ENGLISH = {"base": 0.05, "zero": 0.0, "cold_start": 0.5, "reasoning": 0.84}
PIPELINE = "pipeline: quickstart\nseed: 0\nstages:\n- id: zero\n  use: train.grpo\n"


def trace(number: int, **more: Any) -> dict[str, Any]:
    a, b = number % 10, (number * 7) % 10
    row = {
        "problem_id": f"p{number}",
        "trace_id": f"t{number}",
        "question": f"Calculate {a} + {b} .",
        "gold": str(a + b),
        "domain": "math",
        "thinking": "on",
        "text": f"<think>\n{a} plus {b} is {a + b}\n</think>\n<answer> {a + b} </answer>",
        "outcome": "correct",
        "extracted": str(a + b),
        "judge_verdict": None,
        "model": "reasoning@8c1f",
        "prompt": "solve.answer@1:77aa",
        "completion_tokens": 31,
    }
    return row | more


def scores(model: str, bench: str, value: float, english: float = 0.93) -> list[dict[str, Any]]:
    rows = {
        "pass@1": value,
        "pass@4": min(1.0, value * 1.15),
        "format": 0.98,
        "language": english,
        "length": 27.4,
    }
    return [
        {
            "model": model,
            "bench": bench,
            "metric": metric,
            "value": number,
            "stderr": None if metric == "length" else math.sqrt(max(0.0, number * (1 - number)) / 150),
            "problems": 150,
            "samples": 600,
        }
        for metric, number in rows.items()
    ]


def curve(steps: int, low: float, high: float) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        done = 1 - math.exp(-4 * step / steps)
        noise = 0.06 * math.sin(step * 2.3) * math.cos(step * 0.9)
        reward = low + (high - low) * done + noise
        out.append(
            {
                "step": step,
                "loss": 0.02 * math.sin(step),
                "reward": reward,
                "rewards/accuracy/mean": reward - 0.2,
                "rewards/format/mean": min(1.0, 0.45 + done * 0.55),
                "completions/mean_length": 11 + 18 * done + 8 * noise,
                "entropy": 1.1 - 0.7 * done,
                "frac_reward_zero_std": 0.1 + 0.4 * done,
            }
        )
    return out


@dataclass
class Fabricated:
    """Adds steps one by one; `folder` and `store` are what the report is given."""

    root: Path
    steps: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    status: str = "done"

    trace = staticmethod(trace)
    scores = staticmethod(scores)
    curve = staticmethod(curve)

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def folder(self) -> Path:
        return self.root / "runs" / "quickstart" / "3"

    def step(
        self,
        name: str,
        use: str,
        *,
        parents: tuple[str, ...] = (),
        rows: list[dict[str, Any]] | None = None,
        dropped: list[tuple[str, str, str]] | None = None,
        curve: list[dict[str, Any]] | None = None,
        model: str | None = None,
        metrics: list[dict[str, Any]] | None = None,
        seconds: float = 2.5,
        done: bool = True,
    ) -> None:
        place = self.store / f"{use}-{name}"
        place.mkdir(parents=True)
        counts = {"rows_out": len(rows or []), "rows_dropped": len(dropped or [])}
        counts["rows_in"] = sum(counts.values()) if parents else 0
        if rows:
            pl.DataFrame(rows).write_parquet(place / "shard-00000.parquet")
        if dropped is not None:
            frame = pl.DataFrame(dropped, schema=dict(LEDGER), orient="row")
            frame.write_parquet(place / "dropped-00000.parquet")
        if curve:
            (place / "work").mkdir()
            lines = "".join(json.dumps(row) + "\n" for row in curve)
            (place / "work" / "metrics.jsonl").write_text(lines)
        self.metrics += metrics or []
        note = {"id": name, "use": use, "fingerprint": name, "metrics": metrics or [], **counts}
        facts = {
            "id": name,
            "use": use,
            "folder": place.name,
            "parents": list(parents),
            "model_parent": model,
        }
        if done:
            (place / "stage.json").write_text(json.dumps(note))
            facts |= {**counts, "seconds": seconds}
        self.steps.append({**facts, "status": "done" if done else "owed"})

    def write(self) -> Fabricated:
        self.folder.mkdir(parents=True)
        run = {
            "pipeline": "quickstart",
            "number": 3,
            "status": self.status,
            "started": "2026-03-01T09:00:00+00:00",
            "finished": "2026-03-01T09:11:42+00:00",
            "seed": 0,
            "git": "0123456789abcdef",
            "versions": {"python": "3.11.9", "torch": "2.13.0", "trl": "1.16.0"},
            "steps": self.steps,
        }
        (self.folder / "run.json").write_text(json.dumps(run))
        (self.folder / "results.json").write_text(json.dumps({"metrics": self.metrics}))
        (self.folder / "pipeline.yaml").write_text(PIPELINE)
        return self


@pytest.fixture
def run(tmp_path: Path) -> Fabricated:
    return Fabricated(tmp_path)


@pytest.fixture
def whole_run(tmp_path: Path) -> Fabricated:
    return recipe(Fabricated(tmp_path)).write()


def recipe(run: Fabricated) -> Fabricated:
    """Every kind of step that the report has something to say about."""
    run.step("web", "ingest.miniature", rows=[{"text": "x"}] * 40, seconds=3.1)
    run.step(
        "base",
        "train.base",
        parents=("web",),
        curve=[{"step": s, "loss": 3 / s} for s in range(1, 40)],
        seconds=81,
    )
    run.step("zero", "train.grpo", parents=("web",), model="base", curve=curve(80, 0.1, 1.0), seconds=62)
    samples = [trace(n) for n in range(60)]
    for n in range(10, 22):
        samples[n] |= {"outcome": "wrong", "extracted": "3", "judge_verdict": "incorrect"}
    samples[22] |= {"text": "<think>\n" + "six six six " * 40, "outcome": "no_answer", "extracted": None}
    run.step("traces", "generate.traces", parents=("web",), model="reasoning", rows=samples, seconds=24)
    run.step("judged", "judge.answers", parents=("traces",), rows=samples, seconds=4)
    dropped = [
        ("t22", "repetition", "'six six six' 40 times"),
        *((f"t{n}", "wrong", "") for n in range(10, 22)),
    ]
    kept = [row for row in samples if row["outcome"] == "correct"]
    run.step("selected", "select.traces", parents=("judged",), rows=kept, dropped=dropped)
    talk = trace(70, question="Say hello to Ann.", gold="Hello Ann.", text="<think>\n\n</think>\nHello Ann.")
    chats = [*kept, talk | {"domain": "general", "thinking": "off"}]
    run.step(
        "mix", "mix.quota", parents=("selected",), rows=chats, dropped=[("t1", "over_quota", "math is full")]
    )
    judge = [("precision", 0.981), ("recall", 0.942), ("kappa", 0.907), ("unclear", 0.01)]
    run.step(
        "judge_score",
        "score.judge",
        parents=("judged",),
        metrics=[
            {
                "model": "judge",
                "bench": "judge",
                "metric": name,
                "value": value,
                "stderr": None,
                "problems": 400,
            }
            for name, value in judge
        ],
    )
    for model, value in SCORES.items():
        text = f"<think>\nthe {model} thinks\n</think>\n<answer> 9 </answer>"
        right = "correct" if value > 0.5 else "wrong"
        rows = [trace(n, text=text, outcome=right) for n in (1, 2)]
        english = ENGLISH.get(model, 0.95)
        metrics = [
            *scores(model, "sums", value, english),
            *scores(model, "general", 0.3 + value / 2, english),
        ]
        run.step(f"{model}_score", "score.passk", parents=("mix",), rows=rows, metrics=metrics)
    run.step("export", "export.hub", parents=("mix",), done=False)
    return run
