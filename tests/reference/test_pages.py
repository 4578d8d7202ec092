from __future__ import annotations

from pathlib import Path

import pytest

from distillery.reference.entries import entry, names
from distillery.reference.pages import document, listing, page

ROOT = Path(__file__).parents[2]


def test_the_reference_is_what_the_program_says():
    assert (ROOT / "docs/reference.md").read_text() == document(), "run `make reference`"


def test_the_list_has_a_line_for_each_name_and_fits_80_columns():
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(names())
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", names())
def test_a_page_fits_80_columns_but_for_yaml_and_long_words(name):
    text = page(entry(name)).partition("\nexample\n")[0]
    assert not [line for line in text.splitlines() if len(line) > 80 and " " in line.strip()]


def test_a_page_has_options_columns_reasons_and_an_example():
    text = page(entry("filter.quality"))
    assert text.startswith("filter.quality: shard stage\n\nDrops a row for its first fault")
    assert "  limits.min_loop_tokens: whole number; default 160\n      Tokens of a loop at least" in text
    assert "  reads: trace_id (text), question (text), text (text)\n" in text
    assert "reasons for dropping a row\n  truncated: The token limit ended it.\n" in text
    assert text.endswith("    with: {language: en, limits: {max_answers: 2}, skip: [refusal]}")
