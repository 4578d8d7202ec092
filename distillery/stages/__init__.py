"""The stages a pipeline can name. Adding one is a module and a line here."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from distillery.errors import ConfigError
from distillery.stages.base import AnyStage

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
    if use not in STAGES:
        near = get_close_matches(use, STAGES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known stages: {', '.join(sorted(STAGES))}"
        raise ConfigError(f"{where + ': ' if where else ''}unknown stage {use!r}; {hint}")
    module, name = STAGES[use].split(":")
    return getattr(import_module(module), name)
