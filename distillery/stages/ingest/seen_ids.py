"""Which ids came before: eight bytes each where they are digests, of which a set would take a hundred."""

from __future__ import annotations

import numpy as np
import polars as pl


class SeenIds:
    def __init__(self, *, digests: bool) -> None:
        self._digests = digests
        self._runs: list[np.ndarray] = []  # sorted, each at least twice the next
        self._others: dict[str, int] = {}  # and a mark of what the row says

    def first(self, ids: pl.Series, marks: pl.Series) -> pl.Series:
        """Whether each is the first of its name, here and in all that was asked before."""
        if self._digests:
            return self._first(ids.str.to_integer(base=16, dtype=pl.UInt64).to_numpy())
        new = ids.is_first_distinct() & ~pl.Series([name in self._others for name in ids], dtype=pl.Boolean)
        self._others.update(zip(ids.filter(new), marks.filter(new), strict=True))
        return new

    def same(self, name: str, mark: int) -> bool:
        """Whether the first of this name says what this one says; a digest is of what it says."""
        return self._digests or self._others[name] == mark

    def _first(self, ids: np.ndarray) -> pl.Series:
        ordered = np.sort(ids)  # np.unique of these hashes them, far slower
        new = np.ones(len(ordered), np.bool_)
        new[1:] = ordered[1:] != ordered[:-1]
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, ordered), len(run) - 1)
            new &= run[places] != ordered
        fresh = ordered[new]
        self._add(fresh)
        names = pl.Series(ids)
        if len(fresh) == len(ids):
            return pl.repeat(True, len(ids), dtype=pl.Boolean, eager=True)
        return names.is_first_distinct() & names.is_in(pl.Series(fresh).implode())

    def _add(self, run: np.ndarray) -> None:
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")
        if len(run):
            self._runs.append(run)
