import pytest

from distillery.engines.openai.concurrency import LEAST, MOST, Climb, Load

VLLM = """
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 30.0
vllm:num_requests_running{engine="1",model_name="m"} 12.0
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
"""
SGLANG = 'sglang:num_running_reqs{model_name="m"} 7\nsglang:num_queue_reqs{model_name="m"} 2\nsglang:token_usage 0.5\n'


@pytest.mark.parametrize(
    ("text", "load"),
    [
        (VLLM, Load(42.0, 3.0, 0.75)),
        (SGLANG, Load(7.0, 2.0, 0.5)),
        ("python_info 1\n", None),
        ("vllm:num_requests_running 5\nvllm:gpu_cache_usage_perc 0.1\n", Load(5.0, 0.0, 0.1)),
    ],
)
def test_what_a_server_says_of_its_load_is_read(text, load):
    assert Load.read(text) == load


def served(slots: int, target: int) -> Load:
    """A server with `slots` places in its batch, given `target` requests."""
    return Load(min(slots, target), max(0, target - slots), 0.5)


@pytest.mark.parametrize("slots", [8, 100, 900])
def test_by_its_queue_a_servers_size_is_found_within_a_dozen_looks_and_kept(slots):
    climb = Climb()
    seen = []
    for _ in range(24):
        climb.by_load(served(slots, climb.target), climb.target)
        seen.append(climb.target)
    assert all(slots <= target <= 1.7 * slots + 4 for target in seen[12:])


def test_a_full_cache_is_not_filled_further():
    climb = Climb()
    climb.by_load(Load(16, 0, 0.95), 16)
    assert climb.target == 16


@pytest.mark.parametrize("knee", [24, 80, 600])
def test_by_its_rate_alone_the_knee_is_found_and_mostly_held(knee):
    climb = Climb()
    seen = []
    for _ in range(60):
        climb.by_rate(100.0 * min(climb.target, knee), climb.target)
        seen.append(climb.target)
    held = [target for target in seen[20:] if knee * 0.6 <= target <= knee * 1.6]
    assert len(held) >= 0.9 * len(seen[20:])


def test_without_enough_work_nothing_is_concluded():
    climb = Climb()
    climb.by_rate(50.0, 3)
    climb.by_load(Load(3, 0, 0.1), 3)
    assert climb.target == Climb().target


def test_a_server_that_says_too_many_gets_half_and_many_refusals_at_once_are_one():
    climb = Climb(target=600)
    for call in range(500):
        climb.refused(call / 1000)
    assert climb.target == 300
    climb.refused(10.0)
    assert climb.target == 150


def test_the_bounds_hold():
    climb = Climb()
    for call in range(20):
        climb.refused(10.0 * call)
    assert climb.target == LEAST
    for _ in range(60):
        climb.by_load(Load(climb.target, 0, 0.1), climb.target)
    assert climb.target == MOST


def test_after_a_refusal_it_holds_for_a_while_and_then_grows_again():
    climb = Climb(target=600)
    climb.refused(0.0)
    seen = []
    for _ in range(40):
        climb.by_rate(100.0 * climb.target, climb.target)
        seen.append(climb.target)
    assert seen[:9] == [300] * 9
    assert seen[-1] > 600
