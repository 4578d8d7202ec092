import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from distillery.records import Outcome, Problem
from distillery.sandbox import Ended, Limits, remote, run_python
from distillery.verify import get_checker

check = get_checker("program").check
Reply = tuple[int, dict[str, Any] | str]
Answer = Callable[[str, dict[str, Any]], Reply]
ADD = {"style": "function", "entry_point": "add", "test": "def check(f):\n    assert f(1, 2) == 3\n"}
ECHO = {
    "style": "stdio",
    "tests": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5\n", "output": "10\n"}],
}


@contextmanager
def serving(answer: Answer, monkeypatch: pytest.MonkeyPatch, backend: str) -> Iterator[list[dict[str, Any]]]:
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, message = answer(self.path, asked[-1])
            data = (message if isinstance(message, str) else json.dumps(message)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("DISTILLERY_SANDBOX", backend)
        monkeypatch.setenv("DISTILLERY_SANDBOX_URL", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setattr(remote, "_FIRST_PAUSE_S", 0.01)
        try:
            yield asked
        finally:
            server.shutdown()


def piston(path: str, message: dict[str, Any]) -> Reply:
    """As the server answers, for programs that a plain process runs here."""
    assert path == "/api/v2/execute"
    assert (message["language"], message["version"]) == ("python", "3.x")
    limits = Limits(cpu_s=5, wall_s=message["run_timeout"] / 1000)
    found = run_python(
        message["files"][0]["content"], stdin=message["stdin"], limits=limits, backend="process"
    )
    killed = found.outcome is not Ended.FINISHED
    run = {
        "stdout": found.stdout,
        "stderr": found.stderr,
        "output": found.stdout + found.stderr,
        "code": None if killed else found.returncode,
        "signal": "SIGKILL" if killed else None,
    }
    return 200, {"language": "python", "version": "3.12.0", "run": run}


def fusion(path: str, message: dict[str, Any]) -> Reply:
    assert path == "/run_code"
    assert message["language"] == "python"
    limits = Limits(cpu_s=5, wall_s=message["run_timeout"])
    found = run_python(message["code"], stdin=message["stdin"], limits=limits, backend="process")
    late = found.outcome is not Ended.FINISHED
    run = {
        "status": "TimeLimitExceeded" if late else "Finished",
        "execution_time": found.seconds,
        "return_code": None if late else found.returncode,
        "stdout": found.stdout,
        "stderr": found.stderr,
    }
    status = "Success" if found.returncode == 0 and not late else "Failed"
    return 200, {"status": status, "message": "", "compile_result": None, "run_result": run}


BACKENDS = pytest.mark.parametrize(("backend", "answer"), [("piston", piston), ("sandbox_fusion", fusion)])


def judged(payload: dict[str, Any], code: str) -> Outcome:
    problem = Problem("q", "", checker="program", payload=json.dumps(payload))
    return check(problem, f"```python\n{code}\n```").outcome


@BACKENDS
def test_a_remote_sandbox_judges_as_ours_does(monkeypatch: pytest.MonkeyPatch, backend: str, answer: Answer):
    with serving(answer, monkeypatch, backend) as asked:
        assert judged(ADD, "def add(a, b): return a + b") is Outcome.CORRECT
        assert judged(ADD, "def add(a, b): return a - b") is Outcome.WRONG
        assert judged(ADD, "import os\nos._exit(0)") is Outcome.WRONG
        assert judged(ECHO, "print(sum(map(int, input().split())))") is Outcome.CORRECT
        assert judged(ECHO, "print(3)") is Outcome.WRONG
        assert judged(ECHO, "1/0") is Outcome.WRONG
    assert len(asked) == 3 + 2 + 2 + 1


@BACKENDS
def test_expected_outputs_are_not_sent(monkeypatch: pytest.MonkeyPatch, backend: str, answer: Answer):
    payload = {"style": "stdio", "tests": [{"input": "1\n", "output": "918273645\n"}]}
    with serving(answer, monkeypatch, backend) as asked:
        assert judged(payload, "print(918273645 * int(input()))") is Outcome.CORRECT
        assert judged(payload, "print(input())") is Outcome.WRONG
    assert "918273645" not in json.dumps(asked[1])


@BACKENDS
def test_a_program_that_runs_out_of_time_there_is_told(
    monkeypatch: pytest.MonkeyPatch, backend: str, answer: Answer
):
    with serving(answer, monkeypatch, backend):
        found = run_python("import time; time.sleep(9)", limits=Limits(wall_s=0.5))
    assert found.outcome is Ended.TIMEOUT


BROKEN: list[tuple[str, Reply]] = [
    ("piston", (500, "oops")),
    ("piston", (400, {"message": "run_timeout cannot exceed the configured limit of 3000"})),
    ("piston", (200, "no json")),
    ("piston", (200, {"run": {}})),
    ("piston", (200, [])),
    ("piston", (429, {"message": "Requests limited to 1 per 200ms"})),
    (
        "piston",
        (200, {"run": {"stdout": "", "stderr": "", "code": None, "signal": None, "status": "XX"}}),
    ),
    ("sandbox_fusion", (503, "busy")),
    ("sandbox_fusion", (200, {"status": "SandboxError", "message": "no kernel", "run_result": None})),
    ("sandbox_fusion", (200, {"status": "Failed", "run_result": {"status": "Error", "stderr": "killed"}})),
    ("sandbox_fusion", (200, {})),
]


@pytest.mark.parametrize(("backend", "reply"), BROKEN)
@pytest.mark.parametrize("payload", [ADD, ECHO])
def test_a_sandbox_at_fault_is_an_error(
    monkeypatch: pytest.MonkeyPatch, backend: str, reply: Reply, payload: dict[str, Any]
):
    with serving(lambda *_: reply, monkeypatch, backend):
        assert judged(payload, "def add(a, b): return a + b") is Outcome.ERROR


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch):
    left = [429, 503]
    with serving(
        lambda path, message: (left.pop(), "busy") if left else piston(path, message), monkeypatch, "piston"
    ) as asked:
        assert run_python("print(1)").stdout == "1\n"
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("status", "ended"),
    [("TO", Ended.TIMEOUT), ("OL", Ended.FLOODED), ("EL", Ended.FLOODED), ("RE", Ended.FINISHED)],
)
def test_newer_piston_servers_say_why_they_killed(monkeypatch: pytest.MonkeyPatch, status: str, ended: Ended):
    run = {"stdout": "", "stderr": "", "code": 1, "signal": None, "status": status}
    with serving(lambda *_: (200, {"run": run}), monkeypatch, "piston"):
        assert run_python("print(1)").outcome is ended


def test_more_output_than_may_be_is_a_flood_there_too(monkeypatch: pytest.MonkeyPatch):
    with serving(fusion, monkeypatch, "sandbox_fusion"):
        found = run_python("print('x' * 2000)", limits=Limits(output_bytes=1000))
        assert found.outcome is Ended.FLOODED


def test_no_server_is_an_error_that_says_what_to_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISTILLERY_SANDBOX", "piston")
    monkeypatch.delenv("DISTILLERY_SANDBOX_URL", raising=False)
    assert "DISTILLERY_SANDBOX_URL is not set" in run_python("print(1)").stderr
    monkeypatch.setenv("DISTILLERY_SANDBOX_URL", "http://127.0.0.1:1")
    assert run_python("print(1)").outcome is Ended.UNAVAILABLE
    assert judged(ADD, "def add(a, b): return a + b") is Outcome.ERROR


def test_an_unknown_sandbox_runs_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISTILLERY_SANDBOX", "jail")
    found = run_python("print(1)")
    assert (found.outcome, found.returncode) == (Ended.UNAVAILABLE, None)
    assert "'jail' is no sandbox; known ones: bubblewrap" in found.stderr


def test_a_plain_process_judges_when_asked_for_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DISTILLERY_SANDBOX", "process")
    assert judged(ADD, "def add(a, b): return a + b") is Outcome.CORRECT
    assert judged(ECHO, "print(sum(map(int, input().split())))") is Outcome.CORRECT
    assert judged(ECHO, "print(3)") is Outcome.WRONG
