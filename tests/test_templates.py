"""The chat templates, rendered and masked as a trainer does it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "prompts" / "templates"
TALK = [
    {"role": "user", "content": "1+1"},
    {"role": "assistant", "content": "<think>\nsum\n</think>\n2"},
    {"role": "user", "content": "+1"},
    {"role": "assistant", "content": "<think>\n\n</think>\n3"},
]


@pytest.fixture(scope="module")
def tokenizer():
    """One token a character, so that a mask of tokens is a mask of text."""
    pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {chr(code): number for number, code in enumerate([10, *range(32, 127)])}
    core = Tokenizer(models.WordLevel({**letters, "[BOS]": 200, "[EOS]": 201}, unk_token="?"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="[BOS]", eos_token="[EOS]")


def render(tokenizer, name, talk, **options):
    template = (ROOT / f"{name}.jinja").read_text()
    return tokenizer.apply_chat_template(talk, chat_template=template, tokenize=False, **options)


def trained(tokenizer, name, talk):
    """What of the conversation a loss is taken on, one string a run."""
    template = (ROOT / f"{name}.jinja").read_text()
    out = tokenizer.apply_chat_template(
        talk, chat_template=template, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    runs, last = [], 0
    for token, mask in zip(out["input_ids"], out["assistant_masks"], strict=True):
        if mask and not last:
            runs.append([])
        if mask:
            runs[-1].append(token)
        last = mask
    return [tokenizer.decode(run) for run in runs]


def test_qwen2_keeps_the_thought_and_adds_no_system_prompt(tokenizer):
    assert render(tokenizer, "qwen2-think", TALK[:2]) == (
        "<|im_start|>user\n1+1<|im_end|>\n<|im_start|>assistant\n<think>\nsum\n</think>\n2<|im_end|>\n"
    )


def test_qwen2_opens_the_thought_for_the_model(tokenizer):
    assert render(tokenizer, "qwen2-think", TALK[:1], add_generation_prompt=True).endswith(
        "<|im_start|>assistant\n<think>\n"
    )


def test_llama3_has_one_bos_and_keeps_the_thought(tokenizer):
    assert render(tokenizer, "llama3-think", TALK[:2]) == (
        "[BOS]<|start_header_id|>user<|end_header_id|>\n\n1+1<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n<think>\nsum\n</think>\n2<|eot_id|>"
    )


def test_llama3_opens_the_thought_for_the_model(tokenizer):
    assert render(tokenizer, "llama3-think", TALK[:1], add_generation_prompt=True).endswith(
        "<|start_header_id|>assistant<|end_header_id|>\n\n<think>\n"
    )


def test_r1_zero_is_the_papers_template(tokenizer):
    assert render(tokenizer, "r1-zero", TALK[:1], add_generation_prompt=True) == (
        "[BOS]A conversation between User and Assistant. The user asks a question, and the Assistant solves it. "
        "The assistant first thinks about the reasoning process in the mind and then provides the user with the "
        "answer. The reasoning process and answer are enclosed within <think> </think> and <answer> </answer> "
        "tags, respectively, i.e., <think> reasoning process here </think> <answer> answer here </answer>. "
        "User: 1+1. Assistant:"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen2-think", ["<think>\nsum\n</think>\n2<|im_end|>", "<think>\n\n</think>\n3<|im_end|>"]),
        ("llama3-think", ["<think>\nsum\n</think>\n2<|eot_id|>", "<think>\n\n</think>\n3<|eot_id|>"]),
        ("r1-zero", [" <think>\nsum\n</think>\n2[EOS]", " <think>\n\n</think>\n3[EOS]"]),
    ],
)
def test_a_loss_is_taken_on_the_assistants_turns_and_their_ends(tokenizer, name, expected):
    assert trained(tokenizer, name, TALK) == expected


@pytest.mark.parametrize("name", ["qwen2-think", "llama3-think"])
def test_what_is_trained_on_continues_what_is_asked(tokenizer, name):
    asked = render(tokenizer, name, TALK[:1], add_generation_prompt=True)
    assert render(tokenizer, name, TALK[:2]).startswith(asked)
