from distillery.engines.openai.endpoints import Fleet


def fleet(count=2):
    return Fleet(tuple(f"http://host{n}:8000/v1" for n in range(count)))


def test_the_endpoint_with_the_fewest_outstanding_requests_is_next():
    team = fleet()
    first = team.choose(0.0)
    first.running += 1
    second = team.choose(0.0)
    assert {first.place, second.place} == {"host0:8000", "host1:8000"}


def test_an_endpoint_that_does_not_answer_rests_and_only_a_probe_brings_it_back():
    team = fleet()
    broken, well = team.endpoints
    for _ in range(9):  # the whole wave that was in flight
        broken.fails(10.0, "refused", gone=True)
    assert [team.choose(10.0), team.choose(1000.0)] == [well, well]
    assert (team.to_probe(10.5), team.to_probe(11.5)) == ([], [broken])
    assert team.next_change(10.5) == 0.5
    broken.works()
    broken.running, well.running = 0, 1
    assert team.choose(11.5) is broken


def test_each_probe_that_fails_doubles_the_rest_up_to_half_a_minute():
    (broken,) = fleet(1).endpoints
    rests = []
    for now in range(0, 10_000, 1000):
        broken.rests(float(now), "refused")
        rests.append(broken.rests_until - now)
    assert rests[:5] == [1, 2, 4, 8, 16]
    assert rests[-1] == 30


def test_a_few_errors_of_a_busy_server_do_not_close_it_but_twenty_in_a_row_do():
    team = fleet(1)
    (busy,) = team.endpoints
    for _ in range(10):
        busy.fails(0.0, "status 500", gone=False)
    assert not busy.tripped
    for _ in range(10):
        busy.fails(0.0, "status 500", gone=False)
    assert team.all_down


def test_one_rate_limit_is_the_requests_own_matter_three_in_a_row_are_the_endpoints():
    team = fleet(1)
    (busy,) = team.endpoints
    busy.limits(0.0, 5.0)
    busy.limits(0.0, 5.0)
    assert team.choose(1.0) is busy
    busy.limits(0.0, 5.0)
    assert (team.choose(1.0), team.choose(5.0)) == (None, busy)


def test_a_place_names_no_secret():
    (endpoint,) = Fleet(("https://user:secret@api.example.com/v1",)).endpoints
    assert endpoint.place == "api.example.com"
