"""What a training says while it runs: metrics.jsonl, a line a logged step, and alarms."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from distillery.train.options import Alarms

log = logging.getLogger(__name__)


class AlarmBell:
    """Counts bad logged steps in a row; rings once each time `patience` of them are reached."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._streaks: dict[str, int] = {}

    def hear(self, step: Mapping[str, Any]) -> list[str]:
        """The names of the alarms that ring at this step."""
        if "frac_reward_zero_std" not in step:
            return []
        bad = {
            "no_signal": _number(step, "frac_reward_zero_std") > self._alarms.zero_std_share,
            "all_rewards_zero": _number(step, "reward") == 0.0 and _number(step, "reward_std") == 0.0,
            "truncated": _number(step, "completions/clipped_ratio") > self._alarms.clipped_share,
            "not_judged": step.get("reward") is None,
        }
        rung: list[str] = []
        for name, is_bad in bad.items():
            self._streaks[name] = self._streaks.get(name, 0) + 1 if is_bad else 0
            if self._streaks[name] == self._alarms.patience:
                rung.append(name)
        return rung


def _number(step: Mapping[str, Any], name: str) -> float:
    value = step.get(name)
    return float("nan") if value is None else float(value)


def trim(file: Path, *, after_step: int) -> None:
    """Forgets the lines that a resumed run will write again."""
    if not file.exists():
        return
    kept: list[str] = []
    for line in file.read_text().splitlines():
        try:
            step = json.loads(line)["step"]
        except (json.JSONDecodeError, KeyError):
            continue  # torn by a kill
        if step <= after_step:
            kept.append(line + "\n")
    file.write_text("".join(kept))


def metrics_callback(file: Path, *, alarms: Alarms | None = None) -> Any:
    from transformers import TrainerCallback

    class Metrics(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bell = AlarmBell(alarms) if alarms else None
            self.begun = time.monotonic()
            if state.is_world_process_zero:
                file.parent.mkdir(parents=True, exist_ok=True)
                trim(file, after_step=state.global_step)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if not logs or not state.is_world_process_zero:
                return
            line = {"step": state.global_step, "elapsed_s": round(time.monotonic() - self.begun, 2), **logs}
            rung = self.bell.hear(logs) if self.bell else []
            if rung:
                line["alarms"] = rung
                log.warning("step %d of %d: ALARM %s", state.global_step, state.max_steps, ", ".join(rung))
            with file.open("a") as out:
                out.write(json.dumps(line, default=float) + "\n")

    return Metrics()


def summary(file: Path) -> dict[str, Any]:
    """The last value of every metric, and the alarms that rang."""
    last: dict[str, Any] = {}
    alarms: set[str] = set()
    for line in file.read_text().splitlines():
        step = json.loads(line)
        alarms.update(step.pop("alarms", []))
        last.update(step)
    return last | {"alarms": sorted(alarms)}
