from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from distillery.curate.publish.masked import given, masked, masked_option, told

CANARY = "Canary7Kq2"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no file at /home/me/x.jsonl (working directory: /srv/a b)", "no file at (path) (working directory: (path) b)"),
        ("file '/home/my own/x.jsonl' is gone", "file '(path)' is gone"),
        ('open("C:\\My files\\x.jsonl")', 'open("(path)")'),
        ("in ~/sets and ~me/sets", "in (path) and (path)"),
        (r"at C:\Users\me\x.jsonl:12", "at (path):12"),
        (r"at \\server\share\x", "at (path)"),
        ("see file:///home/me/x", "see (path)"),
        ("from $HOME/x", "from (path)"),
        ("path=/mnt/x", "path=(path)"),
        ("Cannot connect to host 10.1.2.3:8000 ssl:default ['127.0.0.1', 8000]", "Cannot connect to host (address) ssl:default ['(address)', 8000]"),
        ("http://gpu17:8000/v1: refused", "(address) refused"),
        ("node3.cluster.local:8000 and localhost:1 and [::1]:80", "(address) and (address) and (address)"),
        ("s3://bucket/x", "(address)"),
    ],
)  # fmt: skip
def test_a_place_of_a_machine_is_masked_in_a_text(text: str, left: str):
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "said 7", "said 1/2 and 3 / 4", r"\frac{a}/b", "a and/or b", "<think>x</think>",
        "aime24: row 3, 0.93", "rows.jsonl:12", "openai/gsm8k", "train[26000:30000]", "train[:1000]",
        "hf://datasets/me/set", "data/seeds/general.jsonl", "mine:Stage", "3.5:10", "12:30", "~5 %", "solve@1:6ac4",
        '{"temperature": 0.6, "max_tokens": 32768}',
    ],
)  # fmt: skip
def test_what_is_no_place_of_a_machine_stays(text: str):
    assert masked(text) == text
    assert masked_option(text) == text


@pytest.mark.parametrize(
    "text", ["/data", "~", "../x", "/a b/c d.jsonl", "file:x", r"C:\a b\c", "/srv/[ab]*/{x,y}.jsonl"]
)
def test_an_option_that_is_one_path_is_masked_whole(text: str):
    assert masked_option(text) == "(path)"


PART = st.text("abcXYZ09_-.", min_size=1, max_size=8).filter(lambda part: part.strip("."))
ROOTS = st.sampled_from(
    ["/", "/home/", "~/", "~me/", "C:\\", "d:/", "\\\\host\\", "file:///", "file:/", "$HOME/"]
)
AROUND = st.sampled_from([("", ""), ("said: ", " and went"), ("('", "')"), ("path=", ", 3"), ("[", "]")])


@drawn(ROOTS, st.lists(PART, max_size=3), AROUND)
def test_no_path_shows_what_it_leads_through(root: str, parts: list[str], around: tuple[str, str]):
    mark = "\\" if "\\" in root else "/"
    path = root + mark.join([*parts, CANARY, "x.jsonl"])
    assert CANARY not in masked(f"{around[0]}{path}{around[1]}")
    assert CANARY not in masked_option(path)


def test_what_is_private_goes_wherever_it_is_said():
    private = ("/home/my name", "gpu17:8000", "topsecretflag", "a.b")
    assert masked("x /home/my name/y.jsonl gpu17:8000 (topsecretflag)", private) == (
        "x (path) (left out) ((left out))"
    )
    assert masked("a.bc topsecretflags", private) == "a.bc topsecretflags"


def test_a_data_sets_own_addresses_are_its_own():
    column = pl.Series(["https://aops.com/x", None, "/mnt/theirs", "/home/me/mine"])
    assert given(column, ["/home/me"]).to_list() == ["https://aops.com/x", None, "/mnt/theirs", "(path)"]
    assert told(column, []).to_list() == ["(address)", None, "(path)", "(path)"]
