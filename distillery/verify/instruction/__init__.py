"""Verifiable instructions, in the manner of IFEval: `check` reads them, `rules` are the 25 published ones.

`words` counts in any script, `languages` says in which language a text is.
"""
