"""Which of a plan's models are the line's own checkpoints, which learn from others, and which stand beside
these."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from distillery.pipeline.plan import Plan, Step
from distillery.stages.base import AskingStage, Kind, UnionStage
from distillery.train.options import GrpoOptions


class Role(StrEnum):
    CHECKPOINT = "checkpoint"  # of a lineage that learns from itself alone, or teaches others
    STUDENT = "student"  # learns from what a model of another lineage wrote
    TWIN = "twin"  # a student's own base, or what that becomes without a teacher
    OTHER = "other"  # made by no step of the plan


class Standing(NamedTuple):
    """`place` orders the models of one family as the plan makes them."""

    role: Role
    family: str
    place: int


UNKNOWN = Standing(Role.OTHER, "", 0)


def standing(plan: Plan, step: Step) -> Standing:
    """Of the model whose answers `step` has scored."""
    writer = next((name for other in _sampling(plan, step) for name in other.engines[:1]), None)
    made = plan.engines[writer].model_from if writer else None
    if writer is None:
        return UNKNOWN
    trainers = [other for other in plan.steps if other.kind is Kind.TRAINER]
    families = {trainer.id: _family(plan, trainer) for trainer in trainers}
    family = families[made] if made else _named(plan, writer)
    kin = [trainer for trainer in trainers if families[trainer.id] == family]
    if not kin:
        return Standing(Role.OTHER, family, 0)
    teaching = {name for one in trainers for name in _teachers(plan, one) if name != families[one.id]}
    place = 0 if made is None else 1 + next(n for n, trainer in enumerate(trainers) if trainer.id == made)
    if family in teaching or not any(_is_taught(plan, trainer) for trainer in kin):
        return Standing(Role.CHECKPOINT, family, place)
    taught = made is not None and _is_taught(plan, plan.step(made))
    return Standing(Role.STUDENT if taught else Role.TWIN, family, place)


def _family(plan: Plan, trainer: Step) -> str:
    """The model that it goes back to: a name, or the id of the step that made it from nothing."""
    while trainer.starts_from is not None:
        trainer = plan.step(trainer.starts_from)
    start = trainer.trainer.starts_from
    return start if isinstance(start, str) else trainer.id


def _is_taught(plan: Plan, trainer: Step) -> bool:
    """By another lineage than its own: itself, or what it started from."""
    if any(teacher != _family(plan, trainer) for teacher in _teachers(plan, trainer)):
        return True
    return trainer.starts_from is not None and _is_taught(plan, plan.step(trainer.starts_from))


def _teachers(plan: Plan, trainer: Step) -> set[str]:
    """Families of the models that wrote what it imitates; GRPO imitates nobody."""
    if isinstance(trainer.stage, GrpoOptions):
        return set()
    writers = [plan.engines[step.engines[0]] for step in _sampling(plan, trainer)]
    return {
        _family(plan, plan.step(spec.model_from)) if spec.model_from else _named(plan, spec.name)
        for spec in writers
    }


def _sampling(plan: Plan, step: Step) -> list[Step]:
    """The steps that wrote the rows of `step`'s tables, the nearest first."""
    found: dict[str, Step] = {}
    queue = list(step.parents)
    while queue:
        other = plan.step(queue.pop(0))
        fresh = [parent for parent in other.parents if parent not in found]
        queue = [*fresh, *queue] if isinstance(other.stage, UnionStage) else [*queue, *fresh]
        if isinstance(other.stage, AskingStage) and other.stage.fan_out is not None:
            found[other.id] = other
    return list(found.values())


def _named(plan: Plan, engine: str) -> str:
    return str(plan.engines[engine].options.get("model", engine))
