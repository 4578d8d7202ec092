"""Stages that ask a judging model, over what `base` has for all of them. How it is shown texts and read is `judging/`."""
