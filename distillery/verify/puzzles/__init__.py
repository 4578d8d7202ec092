"""Puzzles: reasoning-gym's tasks by their own scorers (`reasoning_gym`), knights and knaves by roles."""
