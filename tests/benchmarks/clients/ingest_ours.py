"""ingest.file and dedup.exact over one file, as a run does them, without the start of a process for each."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from distillery.pipeline import load_plan
from distillery.runner.events import Unit
from distillery.runner.execute import Line, execute

file, shard_rows = Path(sys.argv[1]), int(sys.argv[2])
with tempfile.TemporaryDirectory(dir=file.parent) as folder:
    pipeline = Path(folder) / "line.yaml"
    options = {"path": str(file), "shard_rows": shard_rows}
    stages = [
        {"id": "problems", "use": "ingest.file", "with": options},
        {"id": "unique", "use": "dedup.exact"},
    ]
    pipeline.write_text(json.dumps({"stages": stages}), encoding="utf-8")
    plan = load_plan(pipeline)
    took, rows = {}, 0
    for step in plan.steps:
        begun, worked = time.perf_counter(), time.process_time()
        execute(Unit(step), plan, Path(folder) / "store", Line(lambda counts: None, print))
        took[step.use] = [time.perf_counter() - begun, time.process_time() - worked]
        note = json.loads((Path(folder) / "store" / step.folder / "stage.json").read_text())
        rows = note["rows_out"]
print(json.dumps({"rows": rows, "took": took, "cores": os.cpu_count()}))
