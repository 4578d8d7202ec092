import pytest

from distillery.engines import Completion, Failure, Request, Sampling
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.engines.scripted import Scripted


def request(key, text="q"):
    return Request(key, (("user", text),), Sampling(), 1)


@pytest.fixture
def store(tmp_path):
    return RequestStore(tmp_path)


def test_nothing_is_asked_twice(store):
    engine = Scripted()
    first = list(Cached(engine, store).generate([request("a"), request("b")]))
    second = list(Cached(engine, store).generate([request("b"), request("c"), request("a")]))
    assert [call.key for call in engine.calls] == ["a", "b", "c"]
    assert sorted(reply.key for reply in second) == ["a", "b", "c"]
    assert {reply.key: reply for reply in first}.items() <= {reply.key: reply for reply in second}.items()


def test_what_came_before_a_crash_is_kept(store):
    def breaks(request):
        if request.key == "c":
            raise KeyboardInterrupt
        return "fine"

    with pytest.raises(KeyboardInterrupt):
        list(Cached(Scripted(reply=breaks), store).generate([request(key) for key in "abcd"]))
    engine = Scripted(reply=lambda _: "fine")
    shelf = store.shelf(engine.identity)
    assert set(shelf.get_many(list("abcd"))) == {"a", "b"}
    shelf.close()


def test_a_completion_is_stored_before_it_is_handed_on(store):
    engine = Scripted()
    replies = Cached(engine, store).generate([request("a"), request("b")])
    assert next(replies).key == "a"
    shelf = store.shelf(engine.identity)
    assert set(shelf.get_many(["a", "b"])) == {"a"}
    shelf.close()
    replies.close()


def test_a_failure_is_owed_again(store):
    failing = Scripted(reply=lambda asked: Failure(asked.key, "context_length", "too long"))
    assert isinstance(next(Cached(failing, store).generate([request("a")])), Failure)
    assert isinstance(next(Cached(Scripted(), store).generate([request("a")])), Completion)


def test_an_engine_that_owes_nothing_is_not_touched(store):
    list(Cached(Scripted(), store).generate([request("a")]))

    class Untouchable(Scripted):
        def batches(self, requests):
            raise AssertionError("was asked")

    assert len(list(Cached(Untouchable(), store).generate([request("a")]))) == 1


def test_a_group_is_stored_whole_before_its_first_reply_is_handed_on(store):
    class InPairs(Scripted):
        def batches(self, requests):
            asked = [one for one in requests if one]
            for start in range(0, len(asked), 2):
                yield [Completion(one.key, "x", "stop", 1, 1) for one in asked[start : start + 2]]

    engine = InPairs()
    replies = Cached(engine, store).generate([request(key) for key in "abcd"])
    assert next(replies).key == "a"
    shelf = store.shelf(engine.identity)
    assert set(shelf.get_many(list("abcd"))) == {"a", "b"}
    shelf.close()
    replies.close()


def test_more_stored_requests_than_fit_one_read_come_back_once_each(store):
    many = [request(f"{number}") for number in range(1100)]
    list(Cached(Scripted(), store).generate(many))
    engine = Scripted()
    assert sorted(reply.key for reply in Cached(engine, store).generate(many)) == sorted(r.key for r in many)
    assert engine.calls == []


def test_an_engine_can_be_known_by_another_name(store):
    cached = Cached(Scripted(), store, known_as={"model": "stage:f00d"})
    with cached:
        list(cached.generate([request("a")]))
    assert cached.identity == {"model": "stage:f00d"}
    assert store.sizes()[0].identity == '{"model": "stage:f00d"}'
