"""The shape of a completion, whatever it says: one thought at the start, closed, then an answer.

A problem with `thinking` off demands an empty thought, the payload option {"answer_tag": true} just one
<answer>...</answer> after the thought, nothing beside it. Special tokens of templates may stand nowhere.
"""

from __future__ import annotations

import re

from distillery.reasoning import CLOSE, OPEN, visible
from distillery.records import Outcome, Problem, Thinking, Verdict
from distillery.verify.answer.places import tag_fault

_LEAKED = re.compile(
    r"<[|｜][^|｜<>\n]{1,40}[|｜]>"  # <|im_end|>, <｜end▁of▁sentence｜>
    r"|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|\[/?INST\]"
)


def check(problem: Problem, text: str, /) -> Verdict:
    """CORRECT or WRONG with the first fault as detail; no gold is needed."""
    try:
        answer_tag = bool(problem.options.get("answer_tag", False))
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    found = fault(text, thinking=Thinking(problem.thinking or Thinking.ON), answer_tag=answer_tag)
    return Verdict.of(found is None, detail=found or "")


def fault(text: str, *, thinking: Thinking = Thinking.ON, answer_tag: bool = False) -> str | None:
    """What is wrong with the shape of `text`, in words; None when nothing is.

    The opening tag may be missing: templates prefill it.
    """
    if leaked := _LEAKED.search(text):
        return f"special token {leaked[0]!r} in the text"
    head, close, answer = text.partition(CLOSE)
    if not close:
        return "the thought was never closed" if OPEN in text else "no thought"
    answer, head = visible(answer), visible(head)
    thought = head.lstrip().removeprefix(OPEN)
    if OPEN in thought or OPEN in answer or CLOSE in answer:
        return "more than one think tag, or text before the thought"
    if not answer.strip():
        return "nothing after the thought"
    if thinking is Thinking.ON and not thought.strip():
        return "the thought is empty"
    if thinking is Thinking.OFF and thought.strip():
        return "a thought where none is wanted"
    return tag_fault(answer) if answer_tag else None
