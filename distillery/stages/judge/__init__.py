"""Stages that ask a judging model, over what `base` has for all. What it sees and says: `judging/`."""
