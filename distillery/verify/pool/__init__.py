"""Verdicts for rows, whatever the rows do: worker processes that can be killed.

`processes` deals errands out, `worker` is one process, `background` judges while other work goes on,
`unjudged` says so loudly when our own faults pile up.
"""
