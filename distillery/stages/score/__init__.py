"""Stages that measure: a model on benches (`passk`), a judge on labelled answers (`judge`)."""
