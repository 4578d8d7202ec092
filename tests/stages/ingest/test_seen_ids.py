from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.stages.ingest.seen_ids import SeenIds


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(0, 30), max_size=20)), st.booleans())
def test_the_first_of_each_name_is_found_over_all_blocks(blocks, digests):
    seen, before = SeenIds(digests=digests), set()
    for block in blocks:
        names = [f"{number << 59 | number:016x}" for number in block]
        wanted = [name not in before and name not in names[:n] for n, name in enumerate(names)]
        marks = pl.Series([*range(len(names))], dtype=pl.UInt64)
        assert seen.first(pl.Series(names, dtype=pl.String), marks).to_list() == wanted
        before.update(names)
