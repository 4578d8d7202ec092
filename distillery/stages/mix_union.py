"""mix.union: several inputs as one table, in which an id stands once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from distillery.stages.base import UnionStage


class Drop(StrEnum):
    """Why a row of a later input is not taken."""

    REPEATED = "repeated"
    """An earlier input has this row."""
    ID_TAKEN = "id_taken"
    """An earlier input has another row of this id, with another question or text; an alarm says so."""


@dataclass(frozen=True, kw_only=True)
class MixUnion(UnionStage):
    """The rows of several inputs, each id once: of rows with one id stays that of the first input in `from`.

    One stands, as `<id>.inputs`, before every stage whose `from` names several inputs with an id in common.
    One of your own has another `key`, or a name that other stages can use.

    A row without a gold (nor tests in its payload) that nothing has judged yet takes gold, checker and
    payload of the first row of its problem that has one, in whatever input. Where golds contradict one
    another it takes none, and an alarm says so.

        - id: problems
          use: mix.union
          from: [handmade, scraped]
    """

    key: str = ""
    """The column that names a row; "": trace_id if all inputs have it, else the key of the stage that reads
    them, else problem_id or document_id."""

    version = 2
    reasons = tuple(Drop)
