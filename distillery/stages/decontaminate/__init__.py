"""Stages that keep benchmarks out of a training set, by words (`ngrams`) or by meaning (`semantic`).

`benchmarks` loads what is compared with, its YAML has the published list, `evidence` is what a hit leaves.
"""
