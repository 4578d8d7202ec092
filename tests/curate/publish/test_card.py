from __future__ import annotations

from distillery.curate.publish.card import CardFacts, FunnelRow, render_card


def card(**counts: float) -> str:
    row = FunnelRow("clean", "decontaminate.ngrams", 20, 17, 3, {"exact": 2, "near": 1}, counts=counts)
    return render_card(
        CardFacts(
            name="tiny",
            repo="me/tiny",
            configs={"sft": 17},
            funnel=[row],
            lengths=[],
            histogram=[],
            unit="tokens",
            teachers=[],
            judged=[],
            sources=[],
            pipeline="stages: []",
            made_with="distillery",
        )
    )


def test_the_card_says_which_benchmarks_were_compared_and_what_was_hit():
    text = card(
        **{
            "compared:gsm8k": 20.0, "pairs:gsm8k": 26_380.0, "hit:exact:gsm8k": 2.0, "hit:numbers_changed:gsm8k": 1.0,
            "compared:mbpp": 20.0, "pairs:mbpp": 10_000.0, "matched_exact": 2.0,
        }
    )  # fmt: skip
    assert "`clean` removed 3 of 20 rows (exact 2, near 1)." in text
    assert "| `gsm8k` | 1,319 | 20 | `exact` 2, `numbers_changed` 1 |" in text
    assert "| `mbpp` | 500 | 20 | 0 |" in text
    assert "Not checked" not in text


def test_the_card_says_which_benchmarks_could_not_be_checked():
    text = card(**{"unchecked:gpqa_diamond": 20.0, "compared:ceval": 20.0, "unchecked:ceval": 20.0})
    assert "**Not checked**, for the benchmark could not be had: `gpqa_diamond` (20 rows)" in text
    assert "`ceval` (in part, 20 rows)" in text
