"""The whole stage as a user runs it: problems from a file, keys, store, rows on disk; every completion
durable."""

import json
import resource
import sys
import tempfile
from pathlib import Path

from distillery.executors import open_executor
from distillery.pipeline import Workers, load_plan
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from tests.inline import Inline

PIPELINE = """
pipeline: bench
engines:
  mock: {{kind: openai, model: mock, base_url: "{url}", concurrency: {in_flight}, timeout_s: 600}}
stages:
  - id: problems
    use: ingest.file
    with: {{path: "{problems}", shard_rows: 1000, constants: {{checker: math}}}}
  - id: traces
    use: generate.traces
    with: {{engine: mock, prompt: solve.plain@1, sampling: {{max_tokens: 512}}}}
"""


def main(url: str, count: int, in_flight: int, *, inline: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problems = folder / "problems.jsonl"
        with problems.open("w") as file:
            for number in range(count):
                file.write(json.dumps({"question": f"What is {number} + {number}?", "gold": "1"}) + "\n")
        text = PIPELINE.format(url=url, in_flight=in_flight, problems=problems)
        (folder / "bench.yaml").write_text(text)
        plan = load_plan(folder / "bench.yaml", prompts=Path(__file__).parents[3] / "prompts")
        store = folder / "store"

        executor = Inline() if inline else open_executor("local", Workers(jobs=1))
        run(plan, store=store, record=open_run(plan, folder / "runs"), executor=executor, watcher=Watcher())
        note = folder_of(plan.step("traces"), store).done()
        rows, seconds = note.rows_out, note.seconds
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"requests_per_s": rows / seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), inline="inline" in sys.argv)
