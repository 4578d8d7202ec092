"""A run that is killed, and its continuation."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from distillery.engines import Completion, Request, Sampling
from distillery.engines.cached import Cached
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.request_store import RequestStore
from tests.engines.ask_all import ask_all

IN_FLIGHT, WHOLE = 4, 40
RUN = """
import sys
from pathlib import Path
from distillery.engines import Request, Sampling
from distillery.engines.cached import Cached
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.request_store import RequestStore
engine = OpenAIServer(model="m", base_url=sys.argv[1], concurrency=4)
asked = [Request(f"k{n}", (("user", f"q{n}"),), Sampling(), n) for n in range(40)]
for group in Cached(engine, RequestStore(Path(sys.argv[2]))).batches(asked):
    for reply in group:
        print(reply.key, flush=True)
"""


def reply(body):
    text = f"answer to {body['messages'][0]['content']}"
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return 200, {}, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


@pytest.mark.slow
def test_a_killed_run_asks_again_only_for_what_was_in_flight(serve, tmp_path: Path):
    gate = threading.Event()

    def until_killed(body):
        if len(server.seen) > 20:
            gate.wait(60)
        return reply(body)

    server = serve(until_killed)
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, server.url, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    printed = [run.stdout.readline().strip() for _ in range(15)]
    run.send_signal(signal.SIGKILL)
    printed += run.stdout.read().split()
    run.wait()
    run.stdout.close()
    gate.set()

    engine = OpenAIServer(model="m", base_url=server.url, concurrency=IN_FLIGHT)
    shelf = RequestStore(tmp_path).shelf(engine.identity)
    assert set(printed) <= set(shelf.get_many([f"k{n}" for n in range(WHOLE)]))
    shelf.close()
    asked = [Request(f"k{n}", (("user", f"q{n}"),), Sampling(), n) for n in range(WHOLE)]
    replies = {reply.key: reply for reply in ask_all(Cached(engine, RequestStore(tmp_path)), asked)}
    assert all(isinstance(reply, Completion) for reply in replies.values())
    assert {key: reply.text for key, reply in replies.items()} == {
        f"k{n}": f"answer to q{n}" for n in range(WHOLE)
    }
    assert len(server.seen) <= WHOLE + IN_FLIGHT
