"""The checker of mathematical answers.

`check` is the way of an answer: `final_answer` finds it, `spelling`, `numerals` and `units` spell it in one way,
`equality` compares what is a number or made of them (`sequences`, `relations`, `tolerance`), and what only computer
algebra can tell goes to a worker process (`symbolic`, with `numeric` as its second look). `rough_value` says cheaply no.
"""
