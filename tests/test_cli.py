from __future__ import annotations

import subprocess
import sys

import pytest

from distillery.cli import INTERRUPTED, main
from distillery.errors import ConfigError, ContractError, DistilleryError, EngineError, StoreError


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (DistilleryError("x: broke"), 1, "distillery: x: broke"),
        (ConfigError("x: wrong"), 2, "distillery: x: wrong"),
        (ContractError("x: lost rows"), 3, "this is a bug of ours: x: lost rows"),
        (StoreError("x: full"), 4, "distillery: x: full"),
        (EngineError("x: down"), 5, "distillery: x: down"),
        (KeyboardInterrupt(), INTERRUPTED, "what was finished is saved"),
    ],
)
def test_every_error_has_its_exit_code_and_one_line(monkeypatch, capsys, error, code, says):
    def fail(arguments):
        raise error

    monkeypatch.setattr("distillery.commands.doctor.main", fail)
    assert main(["doctor"]) == code
    assert says in capsys.readouterr().err


def test_without_a_command_the_usage_is_shown_and_exit_is_2():
    done = subprocess.run([sys.executable, "-m", "distillery"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage: distillery" in done.stderr


def test_doctor_says_what_this_machine_can_run(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "sandbox" in out
    assert "versions" in out


def test_prompts_lists_every_prompt(capsys):
    assert main(["prompts"]) == 0
    assert "solve.boxed@1" in capsys.readouterr().out


def test_a_run_that_is_not_there_is_said_with_those_that_are(tmp_path, capsys):
    assert main(["status", "nowhere", "--data-dir", str(tmp_path)]) == 2
    assert "runs there: none yet" in capsys.readouterr().err


def test_status_without_runs_says_so(tmp_path, capsys):
    assert main(["status", "--data-dir", str(tmp_path)]) == 0
    assert "no runs under" in capsys.readouterr().out
