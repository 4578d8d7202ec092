"""Texts made comparable: `normalize` spells them alike, `ngrams` are runs of words as numbers."""
