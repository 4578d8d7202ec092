"""Stages that begin a line: rows of files (`file`), of the hub (`hub`), puzzles, self-cognition, a miniature.

`problem_rows` is what they share that read anybody's rows, and `mapping` what becomes of each row.
"""
