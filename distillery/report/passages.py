"""Traces as passages to read: what was asked, thought, answered and judged."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from distillery.records import Outcome
from distillery.report.samples import Sample


def same_question(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    first = samples[0]
    head = f"<p><b>{escape(first.question)}</b> <span class='soft'>Gold: {escape(first.gold)}</span></p>"
    return f'{head}<div class="side">{"".join(map(_answer, samples))}</div>'


def _answer(sample: Sample) -> str:
    return (
        f"<article><header><b>{escape(sample.model)}</b>{_verdict(sample)}</header>"
        f'<div class="said thought">{escape(sample.thought)}</div><div class="said">{escape(sample.answer)}</div></article>'
    )


def traces(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    choices = {"all": "all", "kept": "kept", "dropped": "dropped"}
    filters = "".join(
        f'<label><input type="radio" name="show" id="show-{name}"{" checked" if name == "all" else ""}> {label}</label>'
        for name, label in choices.items()
    )
    passages = "".join(map(_passage, samples))
    return f'<fieldset class="filter"><legend>Show</legend>{filters}</fieldset><div class="traces">{passages}</div>'


def _passage(sample: Sample) -> str:
    facts = [
        ("gold", sample.gold),
        ("read as", sample.extracted),
        ("model", sample.model),
        ("prompt", sample.prompt),
        ("dropped by", f"{sample.stage}: {sample.reason}" if sample.reason else ""),
        ("because", sample.detail),
    ]
    pairs = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    fate = '<span class="tag bad">dropped</span>' if sample.reason else '<span class="tag good">kept</span>'
    tokens = "" if sample.tokens is None else f"<span>{sample.tokens:,} tokens</span>"
    judge = f"<span>judge: {escape(sample.judge)}</span>" if sample.judge else ""
    return (
        f'<article class="{"dropped" if sample.reason else "kept"}"><header>{fate}{_verdict(sample)}{judge}'
        f"<span>{escape(sample.domain)}</span>{tokens}</header><h4>{escape(sample.question)}</h4>"
        f'<div class="said thought" tabindex="0" aria-label="thought">{escape(sample.thought)}</div>'
        f'<div class="said" aria-label="answer">{escape(sample.answer)}</div><dl class="pair">{pairs}</dl></article>'
    )


def _verdict(sample: Sample) -> str:
    if not sample.verdict:
        return ""
    tone = {Outcome.CORRECT: "good", Outcome.WRONG: "bad", Outcome.NO_ANSWER: "bad"}
    found = next((tone for outcome, tone in tone.items() if outcome == sample.verdict), "warn")
    return f'<span class="tag {found}">{escape(sample.verdict.replace("_", " "))}</span>'
