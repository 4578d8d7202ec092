"""What the stages share that judge rows: which checkers in users' own files these may name."""

from __future__ import annotations

from dataclasses import dataclass, field

from distillery.verify.own import load_own


@dataclass(frozen=True, kw_only=True)
class OwnCheckers:
    checkers: tuple[str, ...] = field(default=(), metadata={"identity": "changed"})
    """Each `module:name`. Rows are anybody's: one that names a checker not listed here is not judged."""

    def __post_init__(self) -> None:
        for name in self.checkers:
            load_own(name)

    def code(self) -> tuple[str, ...]:
        """The Python of the user's own that this stage runs."""
        return self.checkers
