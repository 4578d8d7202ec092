from __future__ import annotations

import polars as pl

from distillery.curate.contamination.token_table import TokenTable


def test_tokens_sentences_and_classes_of_a_row():
    table = TokenTable.of(pl.Series(["Add 2 and 30.5. Why?", None, "x\ny"]))
    assert table.lengths.tolist() == [5, 0, 2]
    assert table.opens.tolist() == [True, False, False, False, True, True, True]
    assert table.closes.tolist() == [False, False, False, True, True, True, True]
    assert table.count(table.is_number).tolist() == [2, 0, 0]
    assert table.masked[1] == table.masked[3] != table.masked[0]
    assert table.lettered[5] == table.lettered[6]
    assert table.values[5] != table.values[6]


def test_operators_are_no_words():
    table = TokenTable.of(pl.Series(["(a + b)"]))
    assert table.is_word.tolist() == [False, True, False, True, False]
    assert len(table.only(table.is_word, table.values).values) == 2


def test_no_texts_make_an_empty_table():
    assert len(TokenTable.of(pl.Series([], dtype=pl.String))) == 0
    assert TokenTable.of(pl.Series([None, ""], dtype=pl.String)).lengths.tolist() == [0, 0]
