"""Kills a run with vLLM in its process, or in servers of its own, again and again; compares it with one left
alone.

    .venv-vllm/bin/python tests/lines/vllm_kills.py data/models/smollm2 [KILLS] [OUT] [vllm | vllm_server]

In float32: in bfloat16 the numerics of a batch depend on its size, and a few texts come out otherwise.
Not a test of the suite: it needs the real vLLM, and half a minute for each start of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import polars as pl

from distillery.engines.request_store import RequestStore
from distillery.pipeline import load_plan
from distillery.runner.execute import folder_of

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "pipelines" / "smollm2.yaml"


ENGINES = {
    "vllm": "engine_args: {enforce_eager: true, max_num_seqs: 4}",
    "vllm_server": "concurrency: 4, server_args: {enforce_eager: true, max_num_seqs: 4}",
}


def settings(model: Path, kind: str) -> list[str]:
    engine = f"{{kind: {kind}, model: {model}, dtype: float32, max_model_len: 512, {ENGINES[kind]}}}"
    return [f"engines.smollm2={engine}", "stages.traces.samples=2", "stages.traces.sampling.max_tokens=120"]


def start(given: list[str], data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "distillery", "run", str(PIPELINE), "--limit", "12", "--until", "traces"]
    command += ["--data-dir", str(data)] + [part for setting in given for part in ("--set", setting)]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)


def stored(data: Path) -> int:
    return sum(size.completions for size in RequestStore(data / "store" / "requests").sizes())


def rows(given: list[str], data: Path) -> pl.DataFrame:
    plan = load_plan(PIPELINE, settings=given, limit=12, prompts=ROOT / "prompts").until(["traces"])
    return pl.concat(
        [pl.read_parquet(file) for file in folder_of(plan.step("traces"), data / "store").shards()]
    )


def main(model: Path, kills: int, out: Path, kind: str) -> int:
    given = settings(model, kind)
    shutil.rmtree(out, ignore_errors=True)
    random, seen = Random(3), []
    for _ in range(kills):
        run = start(given, out / "killed")
        moment = stored(out / "killed") + random.randint(1, 4)
        while stored(out / "killed") < moment and run.poll() is None:
            time.sleep(0.05)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        seen.append(stored(out / "killed"))
        time.sleep(1)
    assert start(given, out / "killed").wait() == 0
    assert start(given, out / "whole").wait() == 0
    killed, whole = rows(given, out / "killed"), rows(given, out / "whole")
    same = killed["trace_id"].equals(whole["trace_id"]) and killed["text"].equals(whole["text"])
    said = {"rows": whole.height, "stored at each kill": seen, "same ids and texts": same}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if same else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        main(
            Path(given[0]).resolve(),
            int(given[1]) if len(given) > 1 else 5,
            Path(given[2] if len(given) > 2 else "data/vllm_kills"),
            given[3] if len(given) > 3 else "vllm",
        )
    )
