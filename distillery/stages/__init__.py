"""The stages a pipeline can name. Adding one is a module and a line here."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

from distillery.errors import ConfigError

STAGES = {
    "ingest.file": "distillery.stages.ingest_file:IngestFile",
    "ingest.hub": "distillery.stages.ingest_hub:IngestHub",
    "ingest.reasoning_gym": "distillery.stages.ingest_reasoning_gym:IngestReasoningGym",
    "ingest.self_cognition": "distillery.stages.ingest_self_cognition:IngestSelfCognition",
    "ingest.miniature": "distillery.stages.ingest_miniature:IngestMiniature",
    "verify.gold": "distillery.stages.verify_gold:VerifyGold",
    "label.thinking": "distillery.stages.label_thinking:LabelThinking",
    "judge.thinking": "distillery.stages.judge_thinking:JudgeThinking",
    "generate.traces": "distillery.stages.generate_traces:GenerateTraces",
    "verify.answers": "distillery.stages.verify_answers:VerifyAnswers",
    "judge.answers": "distillery.stages.judge_answers:JudgeAnswers",
    "judge.pairs": "distillery.stages.judge_pairs:JudgePairs",
    "judge.best": "distillery.stages.judge_best:JudgeBest",
    "judge.rubric": "distillery.stages.judge_rubric:JudgeRubric",
    "judge.translation": "distillery.stages.judge_translation:JudgeTranslation",
    "judge.safety": "distillery.stages.judge_safety:JudgeSafety",
    "filter.quality": "distillery.stages.filter_quality:FilterQuality",
    "dedup.exact": "distillery.stages.dedup_exact:DedupExact",
    "dedup.minhash": "distillery.stages.dedup_minhash:DedupMinhash",
    "dedup.semantic": "distillery.stages.dedup_semantic:DedupSemantic",
    "decontaminate.ngrams": "distillery.stages.decontaminate_ngrams:DecontaminateNgrams",
    "decontaminate.semantic": "distillery.stages.decontaminate_semantic:DecontaminateSemantic",
    "select.traces": "distillery.stages.select_traces:SelectTraces",
    "mix.quota": "distillery.stages.mix_quota:MixQuota",
    "score.judge": "distillery.stages.score_judge:ScoreJudge",
    "score.passk": "distillery.stages.score_passk:ScorePassK",
    "export.chat": "distillery.stages.export_chat:ExportChat",
    "export.rl": "distillery.stages.export_rl:ExportRl",
    "export.hub": "distillery.stages.export_hub:ExportHub",
    "export.signatures": "distillery.stages.export_signatures:ExportSignatures",
    "train.base": "distillery.stages.train_base:TrainBase",
    "train.sft": "distillery.stages.train_sft:TrainSft",
    "train.grpo": "distillery.stages.train_grpo:TrainGrpo",
}


def stage_class(use: str, *, where: str = "") -> type[Any]:
    if use not in STAGES:
        near = get_close_matches(use, STAGES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known stages: {', '.join(sorted(STAGES))}"
        raise ConfigError(f"{where + ': ' if where else ''}unknown stage {use!r}; {hint}")
    module, name = STAGES[use].split(":")
    return getattr(import_module(module), name)
