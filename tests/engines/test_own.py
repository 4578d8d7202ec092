"""Engines in users' own files: what they do wrong is one line that names them, and nothing of it is stored."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from distillery.engines import Completion, Engine, Failure, Request, Sampling, engine_identity, open_engine
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.errors import ConfigError, ContractError

GOOD = {
    "key": ["a"],
    "text": ["", "fine", "\U0001f600"],
    "finish": ["stop", "length", "loop"],
    "prompt_tokens": [0, 7],
    "completion_tokens": [0, 7],
    "meta": [{}, {"seconds": 1.5}],
    "kind": ["transport", "empty"],
    "message": ["", "why"],
}
VALUES = (
    None, True, -1, 0, 7, 1.5, "7", "", "a", "b", b"a", "\ud800", "stop", "fine", "eos", "empty", [], ["a"], {},
    {"seconds": 1.5}, {"seconds": {1}}, {"said": "\ud800"}, object(),
)  # fmt: skip
COMPLETION = {
    "key": "a",
    "text": "fine",
    "finish": "stop",
    "prompt_tokens": 1,
    "completion_tokens": 1,
    "meta": {},
}
FAILURE = {"key": "a", "kind": "empty", "message": "why", "prompt_tokens": 1, "completion_tokens": 1}


def good(name: str, value: Any) -> bool:
    if name in ("text", "message"):
        return isinstance(value, str) and value != "\ud800"
    return any(value == one and type(value) is type(one) for one in GOOD[name])


@dataclass(frozen=True)
class Gives(Engine):
    """Yields these groups for the first request, and nothing for any other."""

    groups: Any
    keeps: bool = False

    @property
    def identity(self) -> str:
        return "gives"

    def batches(self, requests: Any) -> Iterator[Any]:
        next(iter(requests))
        for group in self.groups:
            if self.keeps and self.keep:
                self.keep(group)
            yield group


def said(store: RequestStore, engine: Engine, kind: type[Exception] = ConfigError) -> str:
    """What is said of it, "" for nothing; then nothing may be in the store."""
    asked = [Request("a", (("user", "q"),), Sampling(), 1), Request("b", (("user", "r"),), Sampling(), 1)]
    own = "my_engine:Gives" if kind is ConfigError else "ready"
    cached = Cached(engine, store, name="teacher", kind=own)
    try:
        list(cached.batches(asked[:1]))
    except (ConfigError, ContractError) as error:
        found = error
    else:
        return ""
    assert type(found) is kind
    shelf = store.shelf("gives")
    assert shelf.get_many(["a", "b"]) == {}
    shelf.close()
    assert str(found).startswith(f"engine teacher ({own}): ")
    assert "\n" not in str(found)
    return str(found).removeprefix(f"engine teacher ({own}): ")


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize(("cls", "fields"), [(Completion, COMPLETION), (Failure, FAILURE)])
def test_a_field_that_is_not_what_it_would_be_is_said(
    tmp_path: Path, cls: Any, fields: dict[str, Any], keeps: bool
):
    for number, (name, value) in enumerate(itertools.product(fields, VALUES)):
        found = said(RequestStore(tmp_path / f"{number}"), Gives([[cls(**{**fields, name: value})]], keeps))
        assert (found == "") is good(name, value), (name, value, found)
        if found and (name, value) not in [("key", text) for text in VALUES if isinstance(text, str)]:
            assert found.startswith(f"{name} of a {cls.__name__} is {value!r:.80}; it would be ")


@pytest.mark.parametrize(
    "group", [None, "a", b"a", 7, Completion(**COMPLETION), {"a": 1}, ["a"], [None], [("a", "fine")], [{"key": "a"}], iter([])]
)  # fmt: skip
def test_a_group_that_is_no_list_of_replies_is_said(tmp_path: Path, group: Any):
    assert "; it would be a" in said(RequestStore(tmp_path), Gives([group]))


def test_a_reply_is_to_a_request_and_the_only_one(tmp_path: Path):
    one, other = Completion(**COMPLETION), Completion(**{**COMPLETION, "key": "b"})
    for number, groups in enumerate(
        ([[one, one]], [[one, other]], [[other]], [[Failure("a", "empty", "why"), one]])
    ):  # pyright: ignore
        found = said(RequestStore(tmp_path / f"{number}"), Gives(groups))
        assert (
            found
            == f"a reply to {'a' if number in (0, 3) else 'b'!r}, which it was not asked or has answered already"
        )
    assert said(RequestStore(tmp_path / "4"), Gives([[], []])).startswith("ended with 1 requests unanswered")
    assert said(RequestStore(tmp_path / "5"), Gives([["x"]]), ContractError).startswith("a reply is 'x'")


def test_batches_that_gives_nothing_at_all_is_said(tmp_path: Path):
    class Forgets(Gives):
        def batches(self, requests: Any) -> Any:
            return None

    assert said(RequestStore(tmp_path), Forgets([])) == "batches gives None; it would yield lists of replies"


MODULE = """
from dataclasses import dataclass
from distillery import Engine
import itertools, threading, uuid
count = itertools.count()

@dataclass(frozen=True)
class Echo(Engine):
    {line}

    def batches(self, requests):
        yield []
"""


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def refused(line: str) -> str:
        (tmp_path / "my_engine.py").write_text(MODULE.replace("{line}", line))
        sys.modules.pop("my_engine", None)
        try:
            engine_identity(
                "my_engine:Echo", open_engine("my_engine:Echo", {}, where="engines.e"), where="engines.e"
            )
        except ConfigError as error:
            return str(error)
        return ""

    yield refused
    sys.modules.pop("my_engine", None)


@pytest.mark.parametrize("value", ["'echo'", "{'model': 'echo', 'layers': [1, 2]}", "7"])
def test_an_identity_is_json(identity: Callable[[str], str], value: str):
    assert identity(f"@property\n    def identity(self): return {value}") == ""


@pytest.mark.parametrize(
    "value",
    ["{1}", "object()", "b'x'", "{'model': float('nan')}", "'\\ud800'", "next(count)", "str(uuid.uuid4())"],
)
def test_an_identity_that_names_nothing_is_refused(identity: Callable[[str], str], value: str):
    found = identity(f"@property\n    def identity(self): return {value}")
    assert found.startswith("engines.e.kind: 'my_engine:Echo': identity is ")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("def identity(self): return 'echo'", "identity is <bound method"),
        (
            "@property\n    def identity(self): return self.nothing",
            "AttributeError: 'Echo' object has no attribute",
        ),
        ("@property\n    def identity(self): exit('no licence')", "SystemExit: no licence"),
        ("identity = 'echo'\n    def __post_init__(self): 1 / 0", "ZeroDivisionError: division by zero"),
        ("identity = 'echo'\n    lock: threading.Thread = None", "option lock has a type"),
    ],
)
def test_an_engine_that_cannot_be_made_is_refused_with_one_line(
    identity: Callable[[str], str], line: str, says: str
):
    found = identity(line)
    assert found.startswith("engines.e.kind: 'my_engine:Echo': ")
    assert says in found
    assert "\n" not in found
