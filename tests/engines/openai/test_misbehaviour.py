"""Servers that lie, hang, flood and redirect: each costs its own request, and what else is paid for is kept."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from distillery.backoff import Backoff
from distillery.engines import Completion, Failure, Request, Sampling
from distillery.engines.openai.engine import OpenAIServer
from distillery.installed.struck import struck
from tests.engines.ask_all import ask_all

KEY = "sk-canary-0123456789"
GOOD = b'{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":7}}'


def http(body: bytes, status: int = 200, *headers: str, length: int | None = None) -> bytes:
    kind = (
        []
        if any(line.lower().startswith("content-type") for line in headers)
        else ["Content-Type: application/json"]
    )
    size = f"Content-Length: {len(body) if length is None else length}"
    lines = [f"HTTP/1.1 {status} X", *kind, size, "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
ANSWERS: dict[str, tuple[bytes, str]] = {
    "garbage": (http(b"\x00\xff{not json"), "malformed"),
    "a number": (http(b"42"), "malformed"),
    "deep": (http(DEEP), "malformed"),
    "deep error": (http(DEEP, 400), "malformed"),
    "unknown charset": (http(b"no", 500, "Content-Type: text/plain; charset=hex"), "transport"),
    "bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n", "transport"),
    "bad status": (b"HTTP/1.1 999999 X\r\nContent-Length: 0\r\n\r\n", "transport"),
    "short": (http(GOOD, length=9000), "transport"),
    "unknown coding": (http(GOOD, 200, "Content-Encoding: zorro"), "malformed"),
    "bad gzip": (http(GOOD, 200, "Content-Encoding: gzip"), "malformed"),
    "nothing": (b"", "transport"),
    "huge header": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "transport"),
    "refusal": (http(GOOD.replace(b'"content":"fine"', b'"content":null,"refusal":["no"]')), "refused"),
    "event of an int": (http(b"data: 5\n\n", 200, "Content-Type: Text/Event-Stream"), "malformed"),
}  # fmt: skip


class Raw:
    """A server of bytes: for the body of a request, the bytes of an answer; then it hangs up."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.seen: list[bytes] = []
        self._answer, self._socket = answer, socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            asked, size = lines.readline(), 0
            while (line := lines.readline()).strip():
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            body = lines.read(size)
            self.seen.append(asked + body)
            answer = http(b"{}") if asked.startswith(b"GET") else self._answer(body)
            if answer is None:
                threading.Event().wait()
            connection.sendall(answer or b"")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[bytes], bytes | None]], Raw]]:
    monkeypatch.setattr("distillery.engines.openai.event_loop._BACKOFF", Backoff(0.01, 60.0))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    servers: list[Raw] = []

    def start(answer: Callable[[bytes], bytes | None]) -> Raw:
        servers.append(Raw(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def ask(server: Raw, *names: str, **options):
    asked = [Request(name, (("user", f"[{name}]"),), Sampling(max_tokens=16), 0) for name in names]
    engine = OpenAIServer(model="m", base_url=server.url, **{"max_retries": 1, **options})
    said: list[str] = []
    engine.tell_with(said.append)
    return {reply.key: reply for reply in ask_all(engine, asked)}, said


def test_each_odd_reply_is_the_failure_of_its_own_request(raw):
    def answer(body: bytes) -> bytes:
        return next(
            (bytes_ for name, (bytes_, _) in ANSWERS.items() if f"[{name}]".encode() in body), http(GOOD)
        )

    good = [f"good {n}" for n in range(50)]
    replies, _ = ask(raw(answer), *ANSWERS, *good, concurrency=8)
    assert {name: str(getattr(replies[name], "kind", "fine")) for name in ANSWERS} == {
        name: kind for name, (_, kind) in ANSWERS.items()
    }
    assert all(isinstance(replies[name], Completion) for name in good)


def test_a_prompt_is_not_carried_to_another_place(raw):
    other = raw(lambda body: http(GOOD))
    server = raw(lambda body: http(b"", 307, f"Location: {other.url}/chat/completions"))
    replies, _ = ask(server, "a")
    assert isinstance(replies["a"], Failure)
    assert f"sent on to {other.url}" in replies["a"].message
    assert other.seen == []


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_the_key_is_in_no_message_and_no_text(raw, status: int):
    echo = f'{{"error": {{"message": "bad key {KEY} at http://me:hunter2@proxy/"}}}}'.encode()
    if status == 200:
        echo = GOOD.replace(b"fine", f"your key is {KEY}".encode())
    replies, _ = ask(raw(lambda body: http(echo, status)), "a")
    told = getattr(replies["a"], "message", "") + getattr(replies["a"], "text", "")
    assert "key" in told
    assert KEY not in told
    assert "hunter2" not in told


def test_an_empty_reply_is_asked_for_twice_more_and_a_cut_one_as_often_as_any(raw):
    tried: list[bytes] = []

    def answer(body: bytes) -> bytes:
        tried.append(body)
        empty = GOOD.replace(b"fine", b" ")
        return http(empty if b"[empty]" in body else GOOD.replace(b'"stop"', b'"abort"'))

    replies, _ = ask(raw(answer), "empty", "cut", max_retries=4)
    assert [sum(f"[{name}]".encode() in body for body in tried) for name in ("empty", "cut")] == [3, 5]
    assert (replies["empty"].kind, replies["empty"].completion_tokens) == ("empty", 21)
    assert (replies["cut"].kind, replies["cut"].completion_tokens) == ("unfinished", 35)


def test_what_comes_to_nothing_first_may_come_to_something(raw):
    tried: list[bytes] = []

    def answer(body: bytes) -> bytes:
        tried.append(body)
        return http(GOOD if len(tried) == 3 else GOOD.replace(b'"stop"', b"null"))

    replies, _ = ask(raw(answer), "a", max_retries=4)
    assert isinstance(replies["a"], Completion)


def test_a_long_wait_is_said_once(raw, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("distillery.engines.openai.event_loop._LONG_S", 0.2)
    tried: list[bytes] = []

    def answer(body: bytes) -> bytes:
        tried.append(body)
        return http(GOOD) if len(tried) > 4 else http(b"{}", 429, "retry-after-ms: 300")

    replies, said = ask(raw(answer), "a", "b", "c", "d", max_retries=6)
    assert all(isinstance(reply, Completion) for reply in replies.values())
    assert said == [f"{tried and said[0].split(' ')[0]} asks to be left alone for 0 s (Retry-After)"]


def test_what_a_silent_endpoint_was_given_goes_elsewhere(raw, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("distillery.engines.openai.endpoints._SILENT_S", 0.3)
    monkeypatch.setattr("distillery.engines.openai.endpoints._UNHEARD_S", 0.1)
    monkeypatch.setattr("distillery.engines.openai.http_client._PROBE_S", 0.3)
    works = raw(lambda body: http(GOOD))
    frozen = raw(lambda body: None)
    probes: list[int] = []
    speak = frozen._speak

    def once_there(connection: socket.socket) -> None:
        probes.append(1)
        if len(probes) == 1:
            speak(connection)
        else:
            threading.Event().wait()

    monkeypatch.setattr(frozen, "_speak", once_there)
    asked = [Request(f"k{n}", (("user", f"q{n}"),), Sampling(max_tokens=16), 0) for n in range(20)]
    engine = OpenAIServer(model="m", base_url=(frozen.url, works.url), concurrency=4, timeout_s=60)
    said: list[str] = []
    engine.tell_with(said.append)
    assert sum(isinstance(reply, Completion) for reply in ask_all(engine, asked)) == 20
    assert any("has been silent, and does not say that it is there" in line for line in said)


@pytest.mark.parametrize(
    ("text", "struck_text"),
    [
        ("at http://me:pw@host:1/v1?x=1 and https://you@b/", "at http://***@host:1/v1?x=1 and https://***@b/"),
        ("mail me@host, 3 @ 5", "mail me@host, 3 @ 5"),
        ("a p%40ss/word1 b", "a *** b"),
        ("a p@ss/word1 b", "a *** b"),
        ("Basic bWU6cEBzcy93b3JkMQ==", "Basic ***"),
        ("k=a\"secret\\value a\\\"secret\\\\value", "k=*** ***"),
        ("none", "none"),
    ],
)  # fmt: skip
def test_secrets_are_struck_in_each_of_their_forms(
    text: str, struck_text: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", "http://me:p%40ss%2Fword1@proxy:3128")
    monkeypatch.setenv("MY_KEY", 'a"secret\\value')
    monkeypatch.setenv("OTHER", "none")
    assert struck(text, ("MY_KEY", "OTHER", "MISSING")) == struck_text
