from collections import Counter

import pytest

from distillery.judging.pairing import ring, rotated


def test_two_names_make_one_pair_and_one_name_none():
    assert ring(["a", "b"], most=9) == [("a", "b")]
    assert ring(["a"], most=9) == []


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_all_pairs_come_once_and_the_first_ones_are_even(count):
    names = [str(n) for n in range(count)]
    pairs = ring(names, most=1000)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) == count * (count - 1) // 2
    met = Counter(name for pair in ring(names, most=count) for name in pair)
    assert set(met.values()) == {2}


@pytest.mark.parametrize(("votes", "count"), [(4, 4), (8, 4), (2, 4), (4, 2)])
def test_over_all_votes_every_name_stands_first_about_equally_often(votes, count):
    names = "abcdefgh"[:count]
    firsts = Counter(rotated(names, vote=vote, votes=votes)[0] for vote in range(votes))
    assert max(firsts.values()) <= max(1, votes // count)
    assert sorted(rotated(names, vote=1, votes=votes)) == list(names)
