from __future__ import annotations

import pytest

from distillery.report.progress import Pace, rates


def test_the_rate_is_of_the_last_minute():
    """A resumed step takes 9,000 tokens from the store at once, and draws 10 a second from then on."""
    pace, total = Pace(0.0), 9_000.0
    for second in range(1, 200):
        total += 10
        rate = pace.rate(total, float(second))
        if second > 61:
            assert rate == pytest.approx(10.0)


def test_the_rate_of_a_step_that_has_just_begun_is_since_its_beginning():
    pace = Pace(100.0)
    assert pace.rate(50.0, 105.0) == pytest.approx(10.0)
    assert pace.rate(50.0, 110.0) == pytest.approx(5.0)


def test_rows_rates_and_shares_stand_in_one_line():
    counts = {"rows": 1200, "tokens": 3400, "accepted": 600, "truncated": 24}
    assert rates(counts, Pace(0.0), 10.0) == "1,200 rows · 340 tokens/s · 50% accepted · 2% truncated"
    assert rates({"steps": 3}, Pace(0.0), 10.0) == "step 3"
