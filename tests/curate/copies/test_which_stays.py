from __future__ import annotations

from distillery.curate.copies.which_stays import Copy, copies


def test_a_chain_of_near_copies_is_not_pulled_together():
    assert copies([(0, 1, 0.9), (1, 2, 0.85)]) == {1: Copy(0, 0.9)}


def test_the_most_similar_staying_one_is_named():
    assert copies([(0, 2, 0.8), (1, 2, 0.9)]) == {2: Copy(1, 0.9)}


def test_an_equal_of_a_dropped_one_goes_with_it():
    assert copies([(0, 1, 0.9), (1, 2, 1.0)]) == {1: Copy(0, 0.9), 2: Copy(0, 0.9)}


def test_a_pair_counts_the_same_both_ways_and_a_place_is_no_copy_of_itself():
    assert copies([(1, 0, 0.9), (2, 2, 1.0)]) == {1: Copy(0, 0.9)}
