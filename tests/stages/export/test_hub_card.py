"""A card whose every text is somebody's: what a reader of Markdown and of YAML makes of it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from distillery.curate.publish.card import (
    CardFacts,
    FunnelRow,
    Judged,
    JudgeScore,
    Lengths,
    SourceRow,
    Teacher,
    render_card,
)
from distillery.stages.export.hub_card import front_matter

PIECES = [
    "|", "\\|", "\\", "`", "``", "```", "\n", "\n\n", "---", "\n---\n", "***", "# ", "<script>alert(1)</script>", "<b>",
    "<!--", "</details>", "&lt;", "&", "[x](http://y)", "![i](j)", "_a_", "~~s~~", "$x$", ": ", "- ", "'", '"', "%",
    "{{ x }}", "{% y %}", "!!python/object:os", "*a", "&a", "null", "yes", "\t", "\r", "\u2028", "\x85", "\u202e", "\x00",
    "word", "é", "中",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def facts(text: str) -> CardFacts:
    decontaminated = FunnelRow(
        text, f"decontaminate.{text}", 20, 17, 3, {text: 2}, {text: [text, {text: text}]},
        {f"compared:{text}": 20.0, f"pairs:{text}": 40.0, f"hit:{text}:{text}": 1.0, f"unchecked:{text}x": 20.0},
    )  # fmt: skip
    return CardFacts(
        name=text,
        repo=text,
        configs={"sft": 17},
        funnel=[decontaminated],
        lengths=[Lengths(text, 1, 1.0, 1, 1, 1, 1)],
        histogram=[(0, 1, 1)],
        unit="tokens",
        teachers=[Teacher(text, text, text, 1)],
        judged=[Judged(text, text, 1), Judged("correct", text, 1)],
        sources=[SourceRow(text, 1, text), SourceRow(f"{text}x", 1, "")],
        pipeline=f"stages: [{text}]",
        made_with="distillery",
        judge_scores=[JudgeScore(text, text, 1.0, 1)],
    )


def plain(text: str) -> str:
    """As a reader sees it: on one line, what cannot be shown left out."""
    return " ".join("".join(one for one in text if one.isprintable() or one.isspace()).split())


def tables(tokens: list[Token]) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for before, token in pairwise(tokens):
        if before.type == "table_open":
            found.append([])
        if before.type == "tr_open":
            found[-1].append([])
        if before.type in ("td_open", "th_open"):
            assert {part.type for part in token.children or []} <= {"text", "text_special", "code_inline"}
            found[-1][-1].append("".join(part.content for part in token.children or []))
    return found


@settings(max_examples=60)
@given(HOSTILE)
def test_a_hostile_text_stays_in_its_cell_and_is_no_markup(text: str):
    tokens = MARKDOWN.parse(render_card(facts(text)))
    inline = [part for token in tokens for part in token.children or []]
    ours = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert ours == ["<details><summary>pipeline.yaml</summary>", "</details>"]
    kinds = {part.type for part in inline}
    assert kinds <= {"text", "text_special", "code_inline", "strong_open", "strong_close", "softbreak"}
    strong = [inline[n + 1].content for n, part in enumerate(inline) if part.type == "strong_open"]
    assert strong == ["Not checked"]
    headings = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings[-2:] == ["Limits", "Pipeline"]
    assert sum(token.tag == "h1" for token in tokens if token.type == "heading_open") == 1
    shown = tables(tokens)
    assert all(len(row) == len(table[0]) for table in shown for row in table)
    by_head = {table[0][0]: table[1] for table in shown}
    assert [cell.strip() for cell in by_head["model"][:3]] == [plain(text)] * 3
    assert by_head["stage"][0].strip() == plain(text)
    assert by_head["stage"][5].strip() == f"{plain(text)} 2".strip()
    assert [by_head["source"][0].strip(), by_head["source"][2].strip()] == [plain(text)] * 2


@settings(max_examples=60)
@given(HOSTILE)
def test_a_hostile_title_is_one_value_of_the_front_matter(text: str):
    head = front_matter(facts(text), folder=Path("nowhere"), licence=text, languages=[text], tags=[text, "b"])
    card = f"{head}\n{render_card(facts(text))}"
    as_the_hub_reads = re.match(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|$))", card)
    assert as_the_hub_reads is not None
    found: list[dict[str, Any]] = [
        yaml.safe_load(as_the_hub_reads[2]),
        yaml.safe_load(card.split("---\n")[1]),
    ]
    line = " ".join(text.split())
    for read in found:
        assert (read["pretty_name"], read["license"], read["tags"]) == (line, line, [line, "b"])
        assert [config["config_name"] for config in read["configs"]] == ["sft"]
