from __future__ import annotations

from email.utils import formatdate
from time import time

import pytest

from distillery.backoff import Backoff, asked_s


def test_each_wait_is_longer_by_the_factor_up_to_the_longest():
    assert [Backoff(0.5, 3.0).wait_s(failed) for failed in (1, 2, 3, 4, 10_000)] == [0.5, 1, 2, 3, 3]
    assert Backoff(1.0, 9.0, factor=1.5).wait_s(3) == 2.25


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "9", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "1000000000"}, 600),
        ({"retry-after": "1e400"}, 600),
        ({"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, 600),
        ({"retry-after": "Wed, 21 Oct 2099 07:28:00"}, 600),
        ({"retry-after": "Wed, 21 Oct 0000 07:28:00 GMT"}, 0),
        ({"retry-after-ms": "nan"}, None),
        ({"retry-after-ms": "inf"}, 600),
        ({"retry-after": "-5"}, None),
    ],
)
def test_what_a_server_asks_for_is_seconds(headers, seconds):
    assert asked_s(headers) == seconds


def test_a_date_that_is_asked_for_is_so_far_off():
    assert asked_s({"retry-after": formatdate(time() + 60, usegmt=True)}) == pytest.approx(60, abs=2)
