"""The stages a pipeline can name: one of these, or `module:Name` in a file of the user's own.

Adding one here is a module and a line in STAGES.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from difflib import get_close_matches
from importlib import import_module

from distillery.errors import ConfigError
from distillery.installed import dotted
from distillery.stages.base import AnyStage, AskingStage, ShardStage, Sink, Source, TableStage, Trainer

_BASES = (Source, ShardStage, AskingStage, TableStage, Trainer, Sink)
_OFFERS = (
    "a stage is a frozen dataclass derived from one of "
    f"{', '.join(base.__name__ for base in _BASES)} (distillery.stages.base), with a `version`"
)

STAGES = {
    "ingest.file": "distillery.stages.ingest.file:IngestFile",
    "ingest.hub": "distillery.stages.ingest.hub:IngestHub",
    "ingest.reasoning_gym": "distillery.stages.ingest.reasoning_gym:IngestReasoningGym",
    "ingest.self_cognition": "distillery.stages.ingest.self_cognition:IngestSelfCognition",
    "ingest.miniature": "distillery.stages.ingest.miniature:IngestMiniature",
    "verify.gold": "distillery.stages.verify.gold:VerifyGold",
    "label.thinking": "distillery.stages.label_thinking:LabelThinking",
    "judge.thinking": "distillery.stages.judge.thinking:JudgeThinking",
    "generate.traces": "distillery.stages.generate.traces:GenerateTraces",
    "verify.answers": "distillery.stages.verify.answers:VerifyAnswers",
    "judge.answers": "distillery.stages.judge.answers:JudgeAnswers",
    "judge.pairs": "distillery.stages.judge.pairs:JudgePairs",
    "judge.best": "distillery.stages.judge.best:JudgeBest",
    "judge.rubric": "distillery.stages.judge.rubric:JudgeRubric",
    "judge.translation": "distillery.stages.judge.translation:JudgeTranslation",
    "judge.safety": "distillery.stages.judge.safety:JudgeSafety",
    "filter.quality": "distillery.stages.filter_quality:FilterQuality",
    "dedup.exact": "distillery.stages.dedup.exact:DedupExact",
    "dedup.minhash": "distillery.stages.dedup.minhash:DedupMinhash",
    "dedup.semantic": "distillery.stages.dedup.semantic:DedupSemantic",
    "decontaminate.ngrams": "distillery.stages.decontaminate.ngrams:DecontaminateNgrams",
    "decontaminate.semantic": "distillery.stages.decontaminate.semantic:DecontaminateSemantic",
    "select.traces": "distillery.stages.select_traces:SelectTraces",
    "mix.union": "distillery.stages.mix_union:MixUnion",
    "mix.quota": "distillery.stages.mix_quota:MixQuota",
    "score.judge": "distillery.stages.score.judge:ScoreJudge",
    "score.passk": "distillery.stages.score.passk:ScorePassK",
    "export.chat": "distillery.stages.export.chat:ExportChat",
    "export.rl": "distillery.stages.export.rl:ExportRl",
    "export.hub": "distillery.stages.export.hub:ExportHub",
    "export.signatures": "distillery.stages.export.signatures:ExportSignatures",
    "train.base": "distillery.stages.train.base:TrainBase",
    "train.sft": "distillery.stages.train.sft:TrainSft",
    "train.grpo": "distillery.stages.train.grpo:TrainGrpo",
}


def stage_class(use: str, *, where: str = "") -> type[AnyStage]:
    if ":" in use:
        return _own(use, where)
    if use not in STAGES:
        near = get_close_matches(use, STAGES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known stages: {', '.join(sorted(STAGES))}"
        raise ConfigError(f"{where + ': ' if where else ''}unknown stage {use!r}; {hint}")
    module, name = STAGES[use].split(":")
    return getattr(import_module(module), name)


def _own(use: str, where: str) -> type[AnyStage]:
    place = f"{where}: stage" if where else "stage"
    found = dotted.load(use, where=place, what=_OFFERS)
    if not (isinstance(found, type) and issubclass(found, _BASES) and is_dataclass(found)):
        raise ConfigError(f"{place} {use!r}: a {type(found).__name__} is no stage; {_OFFERS}")
    if lacks := sorted(getattr(found, "__abstractmethods__", ())):
        raise ConfigError(f"{place} {use!r}: lacks {', '.join(lacks)}; {_OFFERS}")
    if not dotted.is_frozen(found):
        raise ConfigError(f"{place} {use!r}: is not frozen: @dataclass(frozen=True); {_OFFERS}")
    if type(version := getattr(found, "version", None)) is not int:
        raise ConfigError(f"{place} {use!r}: its version is {version!r}, no whole number; {_OFFERS}")
    return found
