"""Alarms ring once, after patience; a resumed log has each step once."""

from __future__ import annotations

import json
from pathlib import Path

from distillery.train.metrics import AlarmBell, summary, trim
from distillery.train.options import Alarms

FINE = {"reward": 0.4, "reward_std": 0.3, "frac_reward_zero_std": 0.2, "completions/clipped_ratio": 0.0}


def test_quiet_while_it_learns() -> None:
    bell = AlarmBell(Alarms(patience=1))
    assert bell.hear(FINE) == []


def test_groups_without_spread_ring_after_patience_and_only_once() -> None:
    bell = AlarmBell(Alarms(patience=3))
    rung = [bell.hear(FINE | {"frac_reward_zero_std": 0.95}) for _ in range(5)]
    assert rung == [[], [], ["no_signal"], [], []]


def test_one_good_step_starts_the_count_again() -> None:
    bell = AlarmBell(Alarms(patience=2))
    bad = FINE | {"completions/clipped_ratio": 0.6}
    assert [bell.hear(step) for step in (bad, FINE, bad, bad)] == [[], [], [], ["truncated"]]


def test_rewards_that_are_all_zero_ring() -> None:
    bell = AlarmBell(Alarms(patience=1))
    rung = bell.hear(FINE | {"reward": 0.0, "reward_std": 0.0, "frac_reward_zero_std": 1.0})
    assert rung == ["no_signal", "all_rewards_zero"]


def test_step_that_nobody_could_judge_rings() -> None:
    assert AlarmBell(Alarms(patience=1)).hear(FINE | {"reward": None, "reward_std": None}) == ["not_judged"]


def test_line_of_an_sft_step_is_not_listened_to() -> None:
    assert AlarmBell(Alarms(patience=1)).hear({"loss": 1.0}) == []


def test_resumed_run_forgets_later_and_torn_lines(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 1, "loss": 3.0}\n{"step": 2, "loss": 2.0}\n{"step": 3, "lo')
    trim(file, after_step=1)
    assert file.read_text() == '{"step": 1, "loss": 3.0}\n'


def test_summary_has_last_values_and_all_alarms(tmp_path: Path) -> None:
    lines = [
        {"step": 1, "loss": 3.0, "alarms": ["truncated"]},
        {"step": 2, "loss": 2.0},
        {"step": 2, "runtime": 9},
    ]
    file = tmp_path / "metrics.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert summary(file) == {"step": 2, "loss": 2.0, "runtime": 9, "alarms": ["truncated"]}
