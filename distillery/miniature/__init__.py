"""A world small enough for two CPU cores: sums, small talk, the texts that speak of them, and what a judge sees.

Everything is generated from a seed. What is held out (`sums.held_out`, `general.held_out`) never enters a text
that anything is trained on.
"""
