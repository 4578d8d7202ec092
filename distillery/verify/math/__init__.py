"""The checker of mathematical answers.

`check` is the way of an answer: `final_answer` finds it, `spelling`, `numerals` and `units` spell it in one
way, `equality` compares numbers and what they make up (`sequences`, `relations`, `tolerance`), `rough_value`
says cheaply no; computer algebra is for a worker process (`symbolic`, with `numeric` as its second look).
"""
