"""The benchmarks of `against: default`: where the hub has them. A change of this list is a new VERSION."""

from __future__ import annotations

from typing import Any

VERSION = 1

_LIVE = "hf://datasets/livecodebench/code_generation_lite/test{}.jsonl"
_CEVAL = (
    "accountant", "advanced_mathematics", "art_studies", "basic_medicine", "business_administration",
    "chinese_language_and_literature", "civil_servant", "clinical_medicine", "college_chemistry",
    "college_economics", "college_physics", "college_programming", "computer_architecture",
    "computer_network", "discrete_mathematics", "education_science", "electrical_engineer",
    "environmental_impact_assessment_engineer", "fire_engineer", "high_school_biology",
    "high_school_chemistry", "high_school_chinese", "high_school_geography", "high_school_history",
    "high_school_mathematics", "high_school_physics", "high_school_politics",
    "ideological_and_moral_cultivation", "law", "legal_professional", "logic", "mao_zedong_thought",
    "marxism", "metrology_engineer", "middle_school_biology", "middle_school_chemistry",
    "middle_school_geography", "middle_school_history", "middle_school_mathematics",
    "middle_school_physics", "middle_school_politics", "modern_chinese_history", "operating_system",
    "physician", "plant_protection", "probability_and_statistics", "professional_tour_guide",
    "sports_science", "tax_accountant", "teacher_qualification", "urban_and_rural_planner",
    "veterinary_medicine",
)  # fmt: skip
_OLYMPIAD = ("maths_en_COMP", "physics_en_COMP", "maths_zh_COMP", "maths_zh_CEE", "physics_zh_CEE")

DEFAULT: tuple[dict[str, Any], ...] = (
    {"name": "aime_2024", "hub": "HuggingFaceH4/aime_2024", "split": "train", "column": "problem"},
    {"name": "aime_2025", "hub": "math-ai/aime25", "column": "problem"},
    {"name": "math_500", "hub": "HuggingFaceH4/MATH-500", "column": "problem"},
    {"name": "gpqa_diamond", "hub": "Idavidrein/gpqa", "config": "gpqa_diamond", "split": "train", "column": "Question"},
    {"name": "gsm8k", "hub": "openai/gsm8k", "config": "main"},
    {  # 4.5 GB, for its tests stand in the same files
        "name": "livecodebench",
        "hub": "json",
        "data_files": tuple(_LIVE.format(part) for part in ("", 2, 3, 4, 5, 6)),
        "split": "train",
        "column": "question_content",
    },
    {"name": "humaneval", "hub": "openai/openai_humaneval", "column": "prompt"},
    {"name": "mbpp", "hub": "google-research-datasets/mbpp", "config": "full", "column": "text"},
    {"name": "mmlu", "hub": "cais/mmlu", "config": "all"},
    {"name": "mmlu_pro", "hub": "TIGER-Lab/MMLU-Pro"},
    *(
        {"name": "ceval", "hub": "ceval/ceval-exam", "config": subject, "split": split}
        for subject in _CEVAL
        for split in ("val", "test")
    ),
    *(
        {"name": "olympiadbench", "hub": "Hothan/OlympiadBench", "config": f"OE_TO_{part}", "split": "train"}
        for part in _OLYMPIAD
    ),
)  # fmt: skip
