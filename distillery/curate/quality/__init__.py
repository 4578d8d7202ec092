"""What is wrong with a response, apart from being wrong.

`faults` has the closed list of reasons and one test for each, row by row; `whole_column` finds the same over
a whole column at once, many times faster. Loops are `loops` (exact) behind `loop_screen` (overlooks none),
code-switching is `language_mix`, and who a model says it is, `claimed_makers`.
"""
