from __future__ import annotations

import string

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.curate.text.normalize import canonical, masked, squeezed, tokens, words


def one(function, text: str | None):
    return function(pl.Series([text], dtype=pl.String)).to_list()[0]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"$\dfrac{1}{2}$", r"\(\frac12\)"),
        (r"\tfrac{a}b", r"\frac{a}{b}"),
        (r"$x \leq 5$", "x ≤ 5"),
        (r"3 \times 4 \cdot 5", "3×4⋅5"),
        ("1,000,000 people", r"1{,}000{,}000 people"),
        ("10,000", "10000"),
        (r"\left( x \right)", "(x)"),
        (r"30^\circ", "30°"),
        ("x² + y³", "x^2+y^{3}"),
        ("The state-of-the-art model", "the state of the art  model."),
        ("ＡＢＣ １２３，", "abc 123"),
        (r"\text{if } x", "if x"),
        (r"$\alpha$ and $\varphi$", "α and φ"),
        ("It's “quoted”; isn’t it?", 'its "quoted", isnt it'),
        ("50\\%", "50%"),
        ("a - b", "a − b"),
        ("3 : 4", "3:4"),
    ],
)
def test_spellings_of_one_text_are_one(left: str, right: str):
    assert one(canonical, left) == one(canonical, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("2+3", "2-3"),
        ("2+3", "2*3"),
        ("5!", "5"),
        ("(a+b)*c", "a+(b*c)"),
        ("1.5", "15"),
        ("x_1", "x1"),
        ("3:4", "3 4"),
    ],
)
def test_what_changes_the_problem_stays(left: str, right: str):
    assert one(canonical, left) != one(canonical, right)


def test_arrows_are_not_delimiters():
    assert one(tokens, r"\leftarrow x") == ["\\leftarrow", "x"]


def test_scripts_without_spaces_are_split_by_character():
    assert one(tokens, "求x的值") == ["求", "x", "的", "值"]
    assert one(tokens, "ひらがな") == list("ひらがな")
    assert one(tokens, "naïve Übung") == ["naïve", "übung"]


def test_words_leave_operators_out_and_masked_hides_numbers():
    assert one(words, "2.5 + (x) = 7") == ["2.5", "x", "7"]
    assert one(masked, "2.5 + (x) = 7 at 3pm") == ["#", "x", "#", "at", "#", "pm"]


def test_null_stays_null_and_empty_stays_empty():
    assert one(tokens, None) is None
    assert one(canonical, "  \n") == ""
    assert squeezed(" a \n\n b ") == squeezed("a\u3000b") == "a b"
    assert squeezed("e\u0301") == "é"


@given(st.text(st.characters(max_codepoint=127)) | st.text(" \n\t\x1fab"))
def test_white_space_in_ascii_is_what_it_is_elsewhere(text: str):
    assert squeezed(text) == " ".join(text.split())


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet=string.printable, max_size=60))
def test_case_and_spacing_around_a_text_do_not_count(text: str):
    assert one(canonical, f"  {text.upper()}\n") == one(canonical, text.lower())
    assert len(one(words, text)) <= len(one(tokens, text))
