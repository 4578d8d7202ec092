"""The whole line at toy size, through the command a user types, broken off at any moment."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "lines" / "tiny.yaml"
COMMAND = [sys.executable, "-m", "distillery"]


def distillery(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words, "--data-dir", str(data)], cwd=ROOT, capture_output=True, text=True, timeout=110
    )


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory) -> Path:
    data = tmp_path_factory.mktemp("unbroken")
    done = distillery("run", str(TINY), data=data)
    assert done.returncode == 0, done.stdout + done.stderr
    return data


def results(data: Path) -> str:
    return (data / "runs" / "tiny" / "1" / "results.json").read_text()


@pytest.mark.slow
def test_a_line_of_all_kinds_of_stages_ends_with_a_table_and_a_report(unbroken):
    found = json.loads(results(unbroken))
    assert {"pass@1", "pass@2"} <= {row["metric"] for row in found["metrics"]}
    assert all(row["model"] == "zero" for row in found["metrics"])
    assert (unbroken / "runs" / "tiny" / "1" / "report.html").stat().st_size > 10_000
    rows = {
        stage["id"]: (stage["rows_in"], stage["rows_out"], stage["rows_dropped"]) for stage in found["stages"]
    }
    assert rows["answers"] == (40, 80, 0)
    assert rows["readable"][0] == 48


@pytest.mark.slow
def test_a_model_folder_is_what_other_tools_load(unbroken):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = next((unbroken / "store").glob("train.grpo-*")) / "model"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template
    assert model.generation_config.eos_token_id is not None
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


@pytest.mark.slow
def test_running_it_again_does_nothing_and_says_so(unbroken):
    before = results(unbroken)
    again = distillery("run", str(TINY), data=unbroken)
    assert again.returncode == 0
    assert "14 of 14 steps were done already" in again.stdout
    assert results(unbroken) == before


@pytest.mark.slow
def test_status_show_and_why_read_what_a_run_left(unbroken):
    assert "answers" in distillery("status", "tiny", data=unbroken).stdout
    shown = distillery(
        "show", "tiny", "checked", "--rows", "1", "--columns", "trace_id,outcome", data=unbroken
    )
    assert "outcome:" in shown.stdout
    trace = shown.stdout.split("trace_id: ")[1].split()[0]
    assert "checked" in distillery("why", "tiny", trace, data=unbroken).stdout
    missing = distillery("why", "tiny", "nosuchkey", data=unbroken)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no row of tiny/1 has it" in missing.stderr


@pytest.mark.slow
def test_report_prints_the_table_and_writes_the_page_again(unbroken):
    done = distillery("report", "tiny", data=unbroken)
    assert done.returncode == 0
    assert "pass@1" in done.stdout
    several = distillery("report", "tiny/1", "tiny/1", "--markdown", data=unbroken)
    assert several.stdout.startswith("| model |")


@pytest.mark.slow
def test_lint_sft_shows_what_a_student_would_be_trained_on(unbroken, tmp_path):
    data = tmp_path / "rows.jsonl"
    row = {"question": "Calculate 1 + 2 .", "text": "<think>\none plus two\n</think>\n<answer>3</answer>"}
    data.write_text(json.dumps(row) + "\n")
    model = next((unbroken / "store").glob("train.sft-*")) / "model"
    done = subprocess.run(
        [*COMMAND, "lint-sft", "--model", str(model), "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "plus" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_five_times_it_ends_as_if_it_had_never_been(unbroken, tmp_path):
    rng = random.Random(7)
    for _ in range(5):
        process = subprocess.Popen(
            [*COMMAND, "run", str(TINY), "--data-dir", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(rng.uniform(2, 14))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert_nothing_is_left_running(tmp_path)
    done = distillery("run", str(TINY), data=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(tmp_path) == results(unbroken)


def assert_nothing_is_left_running(data: Path) -> None:
    """Workers die with the command, however it dies."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = [p for p in Path("/proc").iterdir() if p.name.isdigit() and _mentions(p, data)]
        if not left:
            return
        time.sleep(0.1)
    raise AssertionError(f"still running: {left}")


def _mentions(process: Path, data: Path) -> bool:
    try:
        links = [str(link.readlink()) for link in (process / "fd").iterdir()]
    except OSError:
        return False
    return any(link.startswith(str(data)) for link in links)


@pytest.mark.slow
def test_ctrl_c_is_exit_130_and_the_next_command_continues(tmp_path):
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *COMMAND, "run", str(TINY), "--data-dir", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "base" not in (line := process.stdout.readline()):
        assert line
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "what was finished is saved" in errors
    assert json.loads((tmp_path / "runs" / "tiny" / "1" / "run.json").read_text())["status"] == "interrupted"
