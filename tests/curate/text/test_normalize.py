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
        (r"\frac{3}{4}", "3/4"),
        (r"\frac{61}{854}", r"\dfrac {61} {854}"),
        (r"\frac{a+b}{c}", "(a+b)/c"),
        ("2½ cups", r"2\frac12 cups"),
        ("x¹⁰ + a₁₂", "x^{10} + a_{12}"),
        (r"√16 + √(x+9)", r"\sqrt{16} + \sqrt{x + 9}"),
        (r"\sqrt{9-8\sin 50^\circ}", "√(9 - 8 sin 50°)"),
        (r"\sum\limits_{k = 1}^{20}\left(2k-1\right)", r"\sum_{k=1}^{20} (2k-1)"),
        (r"\log_2 {64}", r"\log_{2} 64"),
        (r"f^{\prime}(x)", "f’(x)"),
        ("f″(2)", "f''(2)"),
        (r"1, 2, \dots, 10", "1,2,...,10"),
        (r"\lbrace 1, 2\rbrace", r"\left\{1,2\right\}"),
        ("x > .5", "x > 0.5"),
        ("50 percent", r"50\%"),
        (r"n^{2} \pmod{7}", "n^2 (mod 7)"),
        (r"8x^3 + 1{,}001x", "8x^3 + 1001x"),
        ("10\u202f000 km", r"10\,000 km"),
        (r"\$5 each", "$5 each"),
        ("١٢ + ٣", "12 + 3"),
        ("prod\u200buct\ufeff of\u00a0two", "product of two"),
        ("一個長方形", "一个长方形"),
        ("ﾘﾝｺﾞ", "リンゴ"),
        ("He says 'no'.", "He says “no”"),
        (r"\angle ABC = 40\degree", "∠ABC = 40º"),
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
        (r"\sqrt{x+9}", r"\sqrt{x}+9"),
        ("2^{x+1}", "2^x+1"),
        (r"\frac{1}{2x}", r"\frac{1}{2}x"),
        (r"\frac{a}{b+c}", r"\frac{a+b}{c}"),
        ("2½", "21/2"),
        ("x¹⁰", "x10"),
        ("f'(2)", "f(2)"),
        ("f''(2)", "f'(2)"),
        ("30' of arc", "30 of arc"),
        ("1, 2, ..., 10", "1, 2, 10"),
        (r"\{1,2\}", "(1,2)"),
        ("€5", "£5"),
        (".5", "5"),
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
