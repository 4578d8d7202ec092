from __future__ import annotations

import sys

import numpy as np
import pytest

from distillery.backoff import Backoff
from distillery.config import identity
from distillery.engines.embedding import Embedding
from distillery.errors import EngineError


def answer(body):
    """Out of order, as servers may send them."""
    rows = [
        {"index": number, "embedding": [float(len(text)), 1.0]} for number, text in enumerate(body["input"])
    ]
    return 200, {}, {"data": rows[::-1]}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("distillery.engines.embedding._BACKOFF", Backoff(0.01, 30.0))


def test_vectors_come_in_the_order_of_the_texts_and_have_length_1(serve):
    server = serve(answer)
    texts = ["a" * n for n in range(1, 8)]
    found = Embedding(model="m", base_url=server.url, batch_size=3).vectors(texts)
    lengths = np.array([[n, 1.0] for n in range(1, 8)])
    assert np.allclose(found, lengths / np.linalg.norm(lengths, axis=1, keepdims=True))
    assert sorted(len(body["input"]) for body in server.seen) == [1, 3, 3]
    assert {body["model"] for body in server.seen} == {"m"}


def test_the_prefix_stands_before_each_text(serve):
    server = serve(answer)
    Embedding(model="m", base_url=server.url, prefix="query: ").vectors(["one"])
    assert server.seen[0]["input"] == ["query: one"]


def test_a_busy_server_is_asked_again(serve):
    tries = []

    def busy(body):
        tries.append(body)
        return (503, {}, {"error": "loading"}) if len(tries) < 3 else answer(body)

    assert Embedding(model="m", base_url=serve(busy).url).vectors(["abc"]).shape == (1, 2)
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((503, {}, {"error": "loading"}), "status 503"),
        ((404, {}, {"error": "no such model"}), "status 404"),
        ((200, {}, {"data": []}), "1 texts were asked for"),
        ((200, {}, {"choices": []}), "no data"),
        ((200, {}, b"<html>"), "no data"),
    ],
)
def test_a_server_that_gives_no_vectors_is_an_engine_error(serve, reply, words):
    with pytest.raises(EngineError, match=words):
        Embedding(model="m", base_url=serve(lambda body: reply).url, max_retries=1).vectors(["abc"])


def test_nobody_there_is_an_engine_error():
    with pytest.raises(EngineError, match="leave base_url out"):
        Embedding(model="m", base_url="http://127.0.0.1:9/v1", max_retries=0).vectors(["abc"])


def test_no_texts_need_no_server():
    assert len(Embedding(model="m", base_url="http://127.0.0.1:9/v1").vectors([])) == 0


def test_where_it_runs_is_no_part_of_what_it_is():
    one = identity(Embedding(model="m", base_url="http://a/v1", batch_size=2))
    assert one == identity(Embedding(model="m"))
    assert one != identity(Embedding(model="m", prefix="query: "))


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_model_in_this_process_embeds_a_text_alike_alone_and_in_a_batch(tiny_model, pooling):
    texts = [
        "What is 2 + 3?",
        "A much longer question, with many more words in it than the first one has.",
        "Why?",
    ]
    embedding = Embedding(model=str(tiny_model), pooling=pooling)
    together = embedding.vectors(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(embedding.vectors([text])[0], vector, atol=1e-4)


def test_without_transformers_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(EngineError, match=r"pip install 'distillery\[train\]'"):
        Embedding(model="not yet loaded").vectors(["abc"])


@pytest.mark.slow
def test_a_model_that_is_not_there_is_an_engine_error(tmp_path):
    with pytest.raises(EngineError, match="cannot be loaded"):
        Embedding(model=str(tmp_path)).vectors(["abc"])
