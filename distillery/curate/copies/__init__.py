"""Which texts of a set are copies of one another, and which copy stays.

`minhash` finds texts that are nearly equal, `meaning` those that say the same by their vectors; `telling` and
`golds` tell apart what is two problems all the same; `which_stays` compares problems and never the samples of
one.
"""
