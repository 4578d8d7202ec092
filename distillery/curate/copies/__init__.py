"""Which texts of a set are copies of one another, and which copy stays.

`minhash` finds texts that are nearly equal, `meaning` those that say the same by their vectors and numbers;
both hand their pairs to `which_stays`, which compares problems and never the samples of one.
"""
