"""Stages that keep one of several copies: equal (`exact`), near (`minhash`), of one meaning (`semantic`).

`one_copy` is the decision that all share, `signatures` what minhash stores for sets to come.
"""
