"""A world for two CPU cores, from a seed: sums, small talk, the texts that speak of them, what a judge sees.

What is held out (`sums.held_out`, `general.held_out`) never enters a text that anything is trained on.
"""
