import pytest

from distillery.engines import Completion, Failure, Request, Sampling
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.engines.scripted import Scripted
from tests.engines.ask_all import ask_all


def request(key, text="q"):
    return Request(key, (("user", text),), Sampling(), 1)


@pytest.fixture
def store(tmp_path):
    return RequestStore(tmp_path)


def test_nothing_is_asked_twice(store):
    engine = Scripted()
    first = list(ask_all(Cached(engine, store), [request("a"), request("b")]))
    second = list(ask_all(Cached(engine, store), [request("b"), request("c"), request("a")]))
    assert [call.key for call in engine.calls] == ["a", "b", "c"]
    assert sorted(reply.key for reply in second) == ["a", "b", "c"]
    assert {reply.key: reply for reply in first}.items() <= {reply.key: reply for reply in second}.items()


def test_what_came_before_a_crash_is_kept(store):
    def breaks(request):
        if request.key == "c":
            raise KeyboardInterrupt
        return "fine"

    with pytest.raises(KeyboardInterrupt):
        list(ask_all(Cached(Scripted(reply=breaks), store), [request(key) for key in "abcd"]))
    engine = Scripted(reply=lambda _: "fine")
    shelf = store.shelf(engine.identity)
    assert set(shelf.get_many(list("abcd"))) == {"a", "b"}
    shelf.close()


def test_a_completion_is_stored_before_it_is_handed_on(store):
    engine = Scripted()
    replies = ask_all(Cached(engine, store), [request("a"), request("b")])
    assert next(replies).key == "a"
    shelf = store.shelf(engine.identity)
    assert set(shelf.get_many(["a", "b"])) == {"a"}
    shelf.close()
    replies.close()


def test_a_failure_is_owed_again(store):
    failing = Scripted(reply=lambda asked: Failure(asked.key, "context_length", "too long"))
    assert isinstance(next(ask_all(Cached(failing, store), [request("a")])), Failure)
    assert isinstance(next(ask_all(Cached(Scripted(), store), [request("a")])), Completion)


def test_an_engine_that_owes_nothing_is_not_touched(store):
    list(ask_all(Cached(Scripted(), store), [request("a")]))

    class Untouchable(Scripted):
        def batches(self, requests):
            raise AssertionError("was asked")

    assert len(list(ask_all(Cached(Untouchable(), store), [request("a")]))) == 1


def test_a_group_is_stored_whole_before_its_first_reply_is_handed_on(store):
    class InPairs(Scripted):
        def batches(self, requests):
            asked = [one for one in requests if one]
            for start in range(0, len(asked), 2):
                yield [Completion(one.key, "x", "stop", 1, 1) for one in asked[start : start + 2]]

    engine = InPairs()
    replies = ask_all(Cached(engine, store), [request(key) for key in "abcd"])
    assert next(replies).key == "a"
    shelf = store.shelf(engine.identity)
    assert set(shelf.get_many(list("abcd"))) == {"a", "b"}
    shelf.close()
    replies.close()


def test_more_stored_requests_than_fit_one_read_come_back_once_each(store):
    many = [request(f"{number}") for number in range(1100)]
    list(ask_all(Cached(Scripted(), store), many))
    engine = Scripted()
    assert sorted(reply.key for reply in ask_all(Cached(engine, store), many)) == sorted(r.key for r in many)
    assert engine.calls == []


def test_an_engine_can_be_known_by_another_name(store):
    cached = Cached(Scripted(), store, known_as={"model": "stage:f00d"})
    with cached:
        list(ask_all(cached, [request("a")]))
    assert cached.identity == {"model": "stage:f00d"}
    assert store.sizes()[0].identity == '{"model": "stage:f00d"}'
