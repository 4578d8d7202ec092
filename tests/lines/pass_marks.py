"""Wide marks for the main job: R1-Zero learnt, and every student ends above its own base.

`python tests/lines/pass_marks.py data/runs/quickstart/1/results.json`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

BENCH = "sums"
ZERO_GAIN = 0.2


def failures(results: dict) -> list[str]:
    score = {
        row["model"]: row["value"]
        for row in results["metrics"]
        if row["bench"] == BENCH and row["metric"] == "pass@1"
    }
    found = []
    if score["zero"] < score["base"] + ZERO_GAIN:
        found.append(f"zero {score['zero']:.3f} is not {ZERO_GAIN} above base {score['base']:.3f}")
    students = [name for name in score if name.startswith("student-") and f"{name}-base" in score]
    if len(students) != 3:
        found.append(f"three students are expected, found {students}")
    found.extend(
        f"{name} {score[name]:.3f} is not above its base {score[f'{name}-base']:.3f}"
        for name in students
        if score[name] <= score[f"{name}-base"]
    )
    return found


if __name__ == "__main__":
    problems = failures(json.loads(Path(sys.argv[1]).read_text()))
    sys.stdout.write("\n".join(problems) + "\n" if problems else "pass marks reached\n")
    sys.exit(bool(problems))
