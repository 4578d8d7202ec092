"""Runs inside the sandbox, sent there as text: reasoning-gym's scorers, and what they may evaluate."""
