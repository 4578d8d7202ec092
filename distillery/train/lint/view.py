"""lint-sft as a person reads it: the findings, and rows token by token with what is trained on marked."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from distillery.train.lint.faults import LintReport, Shown, Token

if TYPE_CHECKING:
    from rich.console import Console

_HEAD, _TAIL = 240, 80  # tokens shown of a long row
# in turn, so that each token can be told from the next
_TRAINED = "black on green3", "black on dark_sea_green2"
_ASKED = ("grey58", "grey42")


def render(report: LintReport, console: Console, *, rows: int = 2) -> None:
    """Prints `rows` rows token by token; without colours, what is trained on stands between ⟦ and ⟧."""
    for shown in report.shown[:rows]:
        trained = sum(token.trained for token in shown.tokens)
        console.rule(f"row {shown.row}: {len(shown.tokens):,} tokens, {trained:,} trained on", style="dim")
        console.print(_text(shown, colors=bool(console.color_system)), highlight=False)
    console.rule(style="dim")
    median, high, longest = report.lengths
    console.print(
        f"{report.model}: {report.checked:,} of {report.rows:,} rows checked; tokens a row: median"
        f" {median:,}, p99 {high:,}, longest {longest:,}; trained on: {report.trained_share:.1%} of them",
        highlight=False,
        markup=False,
    )
    for finding in report.findings:
        mark, style = ("FAIL", "bold red") if finding.fatal else ("warn", "yellow")
        named = f": {', '.join(map(str, finding.rows))}" if finding.rows else ""
        where = f" [{finding.count:,} rows{named}]" if finding.count else ""
        parts = (f"{mark} ", style), (finding.check, "bold"), f": {finding.message}", (where, "dim")
        console.print(Text.assemble(*parts), highlight=False)
    console.print("[bold green]ok[/]" if report.ok else "[bold red]not fit to train on[/]")


def _short(tokens: tuple[Token, ...]) -> list[tuple[Token, ...] | int]:
    """The tokens, or their beginning, how many are left out, and their end."""
    left_out = len(tokens) - _HEAD - _TAIL
    return [tokens] if left_out <= 0 else [tokens[:_HEAD], left_out, tokens[-_TAIL:]]


def _text(shown: Shown, *, colors: bool) -> Text:
    text = Text()
    for piece in _short(shown.tokens):
        if isinstance(piece, int):
            text.append(f"\n… {piece:,} tokens …\n", style="italic dim")
            continue
        for trained, tokens in groupby(enumerate(piece), key=lambda pair: pair[1].trained):
            open_, close = ("⟦", "⟧") if trained and not colors else ("", "")
            text.append(open_)
            for number, token in tokens:
                style = (_TRAINED if trained else _ASKED)[number % 2]
                text.append(token.text.replace("\n", "⏎\n"), style=style)
            text.append(close)
    return text
