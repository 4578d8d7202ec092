"""What a finished run stands on and what it made, file by file; and whether that is still so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distillery.errors import StoreError
from distillery.hashing import sha256
from distillery.pipeline import Plan
from distillery.stages.note import Note
from distillery.store.stage_dir import StageDir


def manifest(plan: Plan, notes: Mapping[str, Note | None], versions: Mapping[str, str]) -> dict[str, Any]:
    """No clocks: equal work by equal versions is an equal manifest."""
    steps = [
        {
            **{name: getattr(step, name) for name in ("id", "use", "fingerprint", "folder", "seed")},
            "parents": list(step.parents),
            **{name: getattr(note, name) for name in ("shards", "rows_in", "rows_out", "rows_dropped")},
            "files": note.files,
        }
        for step in plan.steps
        if (note := notes[step.id]) is not None
    ]
    return {
        "manifest": 1,
        "pipeline": plan.name,
        "seed": plan.seed,
        "limit": plan.limit,
        "versions": dict(versions),
        "engines": {name: spec.identity for name, spec in plan.engines.items()},
        "prompts": {name: prompt.digest for name, prompt in plan.prompts.items()},
        "resolved": dict(plan.resolved),
        "steps": steps,
    }


@dataclass(frozen=True)
class Checked:
    """One step of a manifest, compared with what is on disk."""

    id: str
    files: int
    bytes: int
    faults: tuple[str, ...]


def check(known: Mapping[str, Any], store: Path) -> Iterator[Checked]:
    """Reads every byte that the manifest names."""
    out: dict[str, int] = {}
    for step in known["steps"]:
        folder = StageDir(store / step["folder"], step["id"])
        size, faults = 0, []
        for name, digest in step["files"].items():
            file = folder.path / name
            if not file.is_file():
                faults.append(f"{file}: gone")
                continue
            size += file.stat().st_size
            if (found := sha256(file)) != digest:
                faults.append(f"{file}: its sha256 is {found}; the manifest says {digest}")
        if not step["files"] and step["shards"]:
            faults.append(f"{folder.path}: its files were not recorded; delete the folder to make it anew")
        faults += _counts(step, folder, out)
        out[step["id"]] = step["rows_out"]
        yield Checked(step["id"], len(step["files"]), size, tuple(faults))


def _counts(step: Mapping[str, Any], folder: StageDir, out: Mapping[str, int]) -> list[str]:
    """Rows on disk against rows noted, and rows in against the parents' rows out."""
    came = sum(out[parent] for parent in step["parents"] if parent in out)
    faults: list[str] = []
    if step["parents"] and step["rows_in"] != came:
        faults.append(f"{step['id']}: {step['rows_in']:,} rows came in; its parents gave {came:,}")
    try:
        counts = [folder.count(shard) for shard in range(step["shards"])]
    except StoreError as error:
        return [*faults, str(error)]
    if not counts:
        return faults
    for name, found in zip(("rows_out", "rows_dropped"), map(sum, zip(*counts, strict=True)), strict=True):
        if found != step[name]:
            faults.append(f"{step['id']}: {name} is {step[name]:,}; its files have {found:,}")
    return faults
