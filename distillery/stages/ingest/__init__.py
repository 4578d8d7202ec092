"""Stages that begin a line: rows of files (`file`), of the hub (`hub`), puzzles, self-cognition, a miniature.

`problem_rows` turns anybody's rows into problems, with a reason for each that cannot be one.
"""
