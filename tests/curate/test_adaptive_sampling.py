from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.config import build
from distillery.curate.adaptive_sampling import Adaptive, beta_cdf
from distillery.errors import ConfigError

POLICIES = st.builds(
    Adaptive,
    accept=st.none() | st.integers(1, 9),
    patience=st.integers(1, 20),
    prior=st.tuples(st.floats(0.1, 4), st.floats(0.1, 4)),
    pass_rate=st.sampled_from([None, (0.1, 0.9), (0.3, 0.6), (0.0, 0.5)]),
)
FLIPS = st.lists(st.booleans(), min_size=40, max_size=40)


def draw(policy, flips, *, most):
    """Samples drawn, and the waves they came in."""
    waves, drawn = [], 0
    while wave := policy.more(drawn=drawn, judged=drawn, right=sum(flips[:drawn]), most=most):
        waves.append(wave)
        drawn += wave
    return drawn, waves


def one_at_a_time(policy, flips, *, most):
    for drawn in range(most + 1):
        if not policy.more(drawn=drawn, judged=drawn, right=sum(flips[:drawn]), most=most):
            return drawn
    raise AssertionError("it goes on beyond the cap")


def test_a_problem_is_done_when_enough_were_right():
    assert Adaptive(accept=4).more(drawn=4, judged=4, right=4, most=64) == 0


def test_a_wave_asks_for_what_is_lacking():
    assert Adaptive(accept=4).more(drawn=0, judged=0, right=0, most=64) == 4
    assert Adaptive(accept=4).more(drawn=4, judged=4, right=3, most=64) == 1


def test_a_wave_never_goes_beyond_the_cap():
    assert Adaptive(accept=4, wave=8).more(drawn=5, judged=5, right=1, most=6) == 1
    assert Adaptive(accept=4).more(drawn=6, judged=6, right=1, most=6) == 0


def test_a_hopeless_problem_is_given_up_when_patience_ends():
    policy = Adaptive(accept=4, patience=6)
    assert draw(policy, [False] * 40, most=40) == (6, [4, 2])


def test_a_right_sample_buys_a_hard_problem_more():
    policy = Adaptive(accept=4, patience=6)
    none, one, two = (draw(policy, [True] * n + [False] * 40, most=40)[0] for n in range(3))
    assert none < one < two


def test_larger_waves_are_fewer():
    flips = [False, False, True, False] * 10
    assert draw(Adaptive(accept=1), flips, most=40)[1] == [1, 1, 1]
    assert draw(Adaptive(accept=1, wave=4), flips, most=40)[1] == [4]


def test_where_all_right_ones_are_wanted_only_hopeless_problems_end_early():
    policy = Adaptive(accept=None, patience=4)
    assert draw(policy, [True] * 40, most=16)[0] == 16
    assert draw(policy, [False] * 40, most=16)[0] == 4


def test_a_sample_that_could_not_be_judged_is_not_accepted_but_says_nothing_about_the_pass_rate():
    assert Adaptive(patience=6).more(drawn=6, judged=0, right=0, most=40) == 0
    assert Adaptive(pass_rate=(0.5, 1.0)).more(drawn=6, judged=0, right=0, most=40)
    assert not Adaptive(pass_rate=(0.5, 1.0)).more(drawn=6, judged=6, right=0, most=40)


@pytest.mark.parametrize(("flip", "window"), [(True, (0.1, 0.8)), (False, (0.2, 0.9))])
def test_a_problem_outside_of_the_wanted_pass_rates_is_given_up(flip, window):
    policy = Adaptive(accept=None, patience=20, pass_rate=window)
    assert (
        draw(policy, [flip] * 40, most=40)[0]
        < draw(Adaptive(accept=None, patience=20), [flip] * 40, most=40)[0]
    )


def test_a_surer_policy_looks_at_more_samples_before_it_gives_a_pass_rate_up():
    early, late = (Adaptive(accept=None, pass_rate=(0.1, 0.8), sure=sure) for sure in (0.8, 0.99))
    assert draw(early, [True] * 40, most=40)[0] < draw(late, [True] * 40, most=40)[0]


def test_a_problem_inside_of_the_wanted_pass_rates_stays():
    policy = Adaptive(accept=None, pass_rate=(0.2, 0.8))
    assert draw(policy, [True, False] * 20, most=40)[0] == 40


@given(POLICIES, FLIPS, st.integers(1, 40))
def test_waves_draw_what_one_at_a_time_would_draw(policy, flips, most):
    assert draw(policy, flips, most=most)[0] == one_at_a_time(policy, flips, most=most)


@given(FLIPS, st.integers(1, 8), st.integers(1, 16), st.integers(0, 24))
def test_every_problem_gets_at_least_what_n_samples_would_have_brought_it(flips, accept, n, beyond):
    drawn, _ = draw(Adaptive(accept=accept, patience=n), flips, most=n + beyond)
    assert min(accept, sum(flips[:drawn])) >= min(accept, sum(flips[:n]))
    if not beyond:
        assert drawn <= n


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), POLICIES)
def test_a_wave_is_never_less_than_nothing_nor_more_than_what_is_left(right, wrong, unjudged, policy):
    judged = right + wrong
    wave = policy.more(drawn=judged + unjudged, judged=judged, right=right, most=64)
    assert 0 <= wave <= max(0, 64 - judged - unjudged)


@pytest.mark.parametrize("x", [0.001, 0.2, 0.5, 0.77, 0.999])
def test_the_beta_distribution_fits_its_closed_forms(x):
    assert beta_cdf(x, 0.5, 0.5) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)), rel=1e-9)
    assert beta_cdf(x, 1, 7) == pytest.approx(1 - (1 - x) ** 7, rel=1e-9)
    assert beta_cdf(x, 60, 1) == pytest.approx(x**60, rel=1e-9)


@given(st.floats(0.001, 0.999), st.floats(0.05, 200), st.floats(0.05, 200))
def test_the_beta_distribution_is_its_own_mirror_image(x, a, b):
    assert 0 <= beta_cdf(x, a, b) <= 1
    assert beta_cdf(x, a, b) == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"accept": 0},
        {"patience": 0},
        {"prior": [0, 1]},
        {"pass_rate": [0.2, 1.2]},
        {"sure": 0.5},
        {"first": 2},
    ],
)
def test_options_without_meaning_are_refused(options):
    with pytest.raises(ConfigError):
        build(Adaptive, options, where="here")
