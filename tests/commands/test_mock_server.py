from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import fields

import httpx
import pytest

from distillery.cli import main
from distillery.engines.mock.replies import MockOptions


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_url_and_serves_until_a_signal(number):
    command = [sys.executable, "-m", "distillery", "mock-server", "--style", "none", "--model", "m"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            body = {"messages": [{"role": "user", "content": "[[answer: 42]]"}]}
            reply = httpx.post(f"{url}/chat/completions", json=body).json()
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert reply["choices"][0]["message"]["content"] == "The answer is \\boxed{42}"
    assert reply["model"] == "m"
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["served"] == 1


def test_every_option_is_a_flag_whose_help_says_the_default(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["mock-server", "--help"])
    says = " ".join(capsys.readouterr().out.split())
    for field in fields(MockOptions):
        _, flag, about = says.rpartition(f" --{field.name.replace('_', '-')} ")
        assert flag
        about = about.partition(" --")[0]
        if field.default is False:
            assert "default" not in about
        else:
            assert about.endswith(f"(default: {field.default})")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--latency-s", "-1"], "mock-server.latency_s"),
        (["--style", "loud"], "'reasoning_content'"),
        (["--words", "many"], "got 'many'"),
        (["--hang", "0.7", "--empty", "0.5"], "the shares"),
    ],
)
def test_a_bad_flag_is_said_with_its_place(flags, says, capsys):
    assert main(["mock-server", *flags]) == 2
    assert says in capsys.readouterr().err
