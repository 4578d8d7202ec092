"""Which tokens of a sentence are letters of choices, and what stands around them."""

from __future__ import annotations

from distillery.verify.answer.phrases import Token

_ENDS = {
    "comma", "because", "join", "is", "not", "except", "right", "wrong", "hedge", "maybe_is",
    "letter_goes_on", "option", "han", "other", "suppose", "correction", "but", "conclude", "unsure",
}  # fmt: skip


def letters_at(said: tuple[Token, ...], place: int, *, first: bool) -> str:
    """Of "B", "(b)", "**b**", "option b"; an article, a pronoun or a letter in words is none."""
    token = said[place]
    if not token.kinds & {"letter", "lower"}:
        return ""
    before, behind = _beside(said, place, -1), _beside(said, place, 1)
    if behind and (("is" in behind and "colon" not in behind) or "wrong" in behind):
        return ""  # it is the subject of what follows
    letters = token.text.strip("()[]").upper()
    bold = 0 < place < len(said) - 1 and "mark" in said[place - 1] and "mark" in said[place + 1]
    if bold or len(letters) > 1 or not token.text.isalpha() or (before and "option" in before):
        return letters
    if before and before.kinds & {"word", "number", "command", "han"} and not before.text.endswith("ly"):
        return ""
    ends = not behind or bool(behind.kinds & _ENDS)
    if "lower" in token:
        return letters if first and ends else ""
    return letters if ends or letters not in ("A", "I") else ""


def _beside(said: tuple[Token, ...], place: int, step: int) -> Token | None:
    place += step
    while 0 <= place < len(said) and "mark" in said[place]:
        place += step
    return said[place] if 0 <= place < len(said) else None


def own_text(said: tuple[Token, ...], place: int) -> bool:
    """ "or (C) ribosome", "or C ribosome", "or maybe C": another one, not a letter in a choice's words."""
    before, behind = _beside(said, place, -1), _beside(said, place, 1)
    doubted = bool(before and "join" in before and len(before.text.split()) > 1)
    labelled = not said[place].text.isalpha() or bool(
        behind and behind.text in ").:" and behind is not said[-1]
    )
    return doubted or labelled or bool(before and "option" in before) or bool(behind and "word" in behind)


def in_list(said: tuple[Token, ...], comma: int) -> bool:
    letter = comma + 1
    while letter < len(said) and said[letter].kinds & {"mark", "option"}:
        letter += 1
    if letter >= len(said) or not said[letter].kinds & {"letter", "lower"}:
        return False
    behind = _beside(said, letter, 1)
    return behind is None or bool(behind.kinds & {"comma", "join"}) or behind is said[-1]


def hedged_behind(said: tuple[Token, ...], place: int) -> bool:
    """ "B, maybe"; but what stands behind "B) " is its text."""
    for token in said[place + 1 : place + 4]:
        if "hedge" in token:
            return True
        if not token.kinds & {"comma", "mark", "filler", "join"} and token.text != "(":
            return False
    return False
