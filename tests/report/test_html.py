from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from distillery.report import load_run, render_report, write_report
from distillery.report.charts import Bar, bar_chart, line_chart, running_mean
from distillery.report.html import duration

_VOID = {"meta", "input", "br", "line", "rect", "path", "polyline"}


class Page(HTMLParser):
    """Checks that tags nest, and keeps every attribute and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def html(whole_run: Any) -> str:
    return write_report(whole_run.folder, whole_run.store).read_text()


def test_the_page_is_whole_and_needs_nothing_beside_it(html: str):
    page = Page(html)
    assert page.open == []
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "url(" not in html


def test_every_link_leads_to_a_section(html: str):
    assert {link[1:] for link in Page(html).links} == set(re.findall(r'<section id="(\w+)"', html))


def test_it_tells_scores_line_reasons_judge_and_versions(html: str):
    text = Page(html).text
    for words in ("78.0 ± 3.4", "cold_start", "repetition", "select.traces", "precision", "0.907", "2.13.0"):
        assert words in text
    assert "12 of 60" not in text
    assert "dropped 13 of 60 (21.7%)" in text
    assert "the zero thinks" in text


def test_charts_say_in_words_what_they_show(html: str):
    assert 'aria-label="pass@1 by model on sums"' in html
    assert "reward: from" in html


def test_text_of_a_run_is_never_markup(run: Any):
    evil = "<script>alert(1)</script><img src=x onerror=y>\"'&"
    row = run.trace(1, question=evil, gold=evil, text=f"<think>{evil}</think>{evil}", domain=evil, model=evil)
    run.step("mix", "mix.quota", rows=[row], dropped=[("t1", evil, evil)], parents=("mix",))
    run.step("score", "score.passk", rows=[row], metrics=run.scores(evil, evil, 0.5))
    run.step("score2", "score.passk", rows=[row], metrics=run.scores("base", evil, 0.5))
    run.step("judge", "score.judge", metrics=[{"model": evil, "bench": "judge", "metric": evil, "value": 1}])
    run.step(
        "zero", "train.grpo", curve=[{"step": n, "reward": n, f"rewards/{evil}/mean": n} for n in (1, 2)]
    )
    run.write()
    (run.folder / "pipeline.yaml").write_text(evil)
    page = Page(render_report(load_run(run.folder, run.store)))
    assert not {"script", "img"} & set(page.tags)
    assert page.open == []
    assert page.text.count("alert(1)") >= 10


def test_a_run_that_has_only_begun_has_a_page(run: Any):
    run.step("web", "ingest.file", done=False)
    run.status = "running"
    page = Page(write_report(run.write().folder, run.store).read_text())
    assert "running, 0 of 1 stages" in page.text
    assert "Scores" not in page.text


def test_an_alarm_is_on_the_page(run: Any):
    curve = [{"step": n, "reward": 0.0, "alarms": ["no_signal"]} for n in (1, 2)]
    run.step("zero", "train.grpo", curve=curve)
    assert "Alarm: no_signal (step 1)" in write_report(run.write().folder, run.store).read_text()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (62, "1 min 02 s"), (7260, "2 h 01 min")]
)
def test_durations_carry_their_unit(seconds: float, text: str):
    assert duration(seconds) == text


def test_a_bar_never_leaves_its_plot():
    chart = bar_chart([Bar("a", 1.4, 0.2, "student"), Bar("b", -0.1, None, "twin", gap=True)], title="t")
    widths = [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', chart)]
    assert widths == [560.0, 1.0]


def test_a_flat_curve_and_one_without_numbers_in_between_can_be_drawn():
    chart = line_chart([2.0, float("nan"), 2.0], [1, 2, 3], title="flat")
    assert "nan" not in chart
    assert "flat: from 2 to 2" in chart


def test_the_running_mean_is_centred():
    assert running_mean([(1, 0.0), (2, 3.0), (3, 6.0)]) == [(1, 1.5), (2, 3.0), (3, 4.5)]
