from hypothesis import given
from hypothesis import strategies as st

from distillery.reasoning import boxes, join, last_boxed, split, tagged_answer


def test_a_text_without_tags_is_all_answer():
    assert split(" 42 ") == (None, "42")


def test_an_opening_tag_may_be_missing():
    assert split("two and two\n</think>\n4") == ("two and two", "4")


def test_an_unclosed_thought_has_no_answer():
    assert split("<think>\nthe answer is 4") == ("the answer is 4", None)


def test_the_first_closing_tag_ends_the_thought():
    assert split("<think>a</think>b</think>c") == ("a", "b</think>c")


def test_an_empty_block_is_an_empty_thought_and_not_none():
    assert split("<think>\n\n</think>\n4") == ("", "4")


@given(
    st.text(alphabet="ab \n4", max_size=20).map(str.strip),
    st.one_of(st.none(), st.text(alphabet="xy \n7", max_size=20).map(str.strip)),
)
def test_split_undoes_join(thought: str, answer: str | None):
    assert split(join(thought, answer)) == (thought, answer)


def test_the_last_tag_is_the_answer():
    assert tagged_answer("<answer>1</answer> no, <answer> 2 </answer>") == "2"


def test_a_tag_never_closed_is_no_answer_however_often_it_is_opened():
    assert tagged_answer("<answer>" * 100_000) is None
    assert tagged_answer("</answer><answer>") is None
    assert tagged_answer("<answer>1</answer></answer>") == "1"
    assert tagged_answer("<answer>" * 100_000 + "7</answer>") == "7"


def test_boxes_respect_nested_and_escaped_braces():
    assert boxes(r"\boxed{\frac{1}{2}} and \boxed{\{1, 2\}}") == [r"\frac{1}{2}", r"\{1, 2\}"]


def test_of_boxes_in_boxes_the_outer_one_counts():
    assert boxes(r"\boxed{a \boxed{b} c}") == [r"a \boxed{b} c"]


def test_a_box_never_closed_hides_no_later_one():
    assert boxes(r"\boxed{1 + and then \boxed{7}") == ["7"]


def test_a_doubled_backslash_still_opens_a_box():
    assert last_boxed(r"\\boxed{5}") == "5"


def test_no_box_is_none():
    assert last_boxed("boxed{5}") is None


def test_a_hundred_thousand_open_boxes_are_read_in_one_pass():
    assert boxes("\\boxed{" * 100_000 + "1}") == ["1"]
