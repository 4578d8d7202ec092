"""Puzzles: reasoning-gym's tasks by their own scorers (`reasoning_gym`), and knights and knaves by their roles."""
