"""Stages that ask the checkers: is there a gold at all (`gold`), and is an answer right (`answers`)."""
