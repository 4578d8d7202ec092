"""What stands before an answer, as a judge of it sees it."""

from __future__ import annotations

from distillery.dialogue import continued
from distillery.judging.defuse import defuse


def conversation(
    question: str, payload: str | None, *, turn_chars: int, question_chars: int | None = None
) -> str:
    """The question; where turns went before it (`history` in the payload), all of them, each under its role's
    name.

    No line of a turn can pass for another turn or a part of the prompt, and no thought of an earlier turn is
    shown. Of a longer earlier turn the last `turn_chars` are; the question is whole unless `question_chars`
    says else.
    """
    *earlier, (role, last) = continued((("user", question),), payload)
    asked = defuse(last, most_chars=question_chars or max(len(last), 1))
    if not earlier:
        return asked
    turns = [f"{who}: {defuse(text, most_chars=turn_chars)}" for who, text in earlier]
    return "\n\n".join([*turns, f"{role}: {asked}"])
