"""Texts made comparable: `normalize` spells what says the same alike, `ngrams` are runs of words as numbers."""
