import pytest

from distillery.verify.instruction.words import capital_words, count_words, sentences


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two-three", 3),
        ("don't", 2),
        ("今天天气很好", 6),
        ("用 Python 写3行", 5),  # 用, Python, 写, 3, 行
        ("これはテスト", 6),
        ("오늘 날씨가 좋다", 3),
        ("cafe\u0301 na\u00efve", 2),
        ("a\u200bb", 1),
        ("हिन्दी भाषा", 2),
        ("", 0),
    ],
)
def test_words_are_counted_in_any_script(text: str, words: int):
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("Dr. Smith met J. Doe at 3.5 km. He left.", 2),
        ("1. First\n2. Second", 1),
        ("1. First.\n2. Second.", 2),
        ("He said “No.” Then he left...", 2),
        ("Well... maybe. Yes", 2),
        ("今天很好。你呢？好！", 3),
        ("A title\n\nand no full stop", 1),
        ("***\n...", 0),
        ("So do I. You too.", 2),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, count: int):
    assert len(sentences(text)) == count


def test_capital_words_are_whole_words():
    assert capital_words("NATO's U.S. A-B-C I am ÄÖ Mixed 3 2ND") == 6
