from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from distillery.errors import ConfigError
from distillery.train.examples import sft_examples
from distillery.train.lint.check import Check, LintReport, lint, render

TRACE = "<think>\nadd them\n</think>\nIt is 4."
GOOD = {"question": "What is 2 + 2?", "text": TRACE}

# The parts of the published templates that bite, as they stand in their tokenizer_config.json.
QWEN = (
    "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
    "<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}{%- if message.role != 'system' %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
LLAMA = (
    "{{- bos_token }}{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}"
    "{{- 'Cutting Knowledge Date: December 2023\\nToday Date: 26 Jul 2024\\n\\n' }}{{- '<|eot_id|>' }}"
    "{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'"
    " + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
R1_DISTILL = (
    "{{bos_token}}{%- for message in messages %}"
    "{%- if message['role'] == 'user' %}{{'<｜User｜>' + message['content']}}{%- endif %}"
    "{%- if message['role'] == 'assistant' %}{% set content = message['content'] %}"
    "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
    "{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor %}"
    "{% if add_generation_prompt %}{{'<｜Assistant｜><think>\\n'}}{% endif %}"
)
PLAIN = (
    "{%- for m in messages -%}{%- if m['role'] == 'assistant' -%}"
    "<|im_start|>assistant\n{% generation %}{{ m['content'] }}<|im_end|>{% endgeneration %}"
    "{%- else -%}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_start|>assistant\n{% endif -%}"
)
MARKS = {
    "qwen": ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    "llama": ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|pad|>"),
    "r1": ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<|pad|>"),
}
TOKENS = {
    "qwen": {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
    "llama": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "<|pad|>"},
    "r1": {
        "bos_token": "<｜begin▁of▁sentence｜>",
        "eos_token": "<｜end▁of▁sentence｜>",
        "pad_token": "<|pad|>",
    },
}


def student(
    folder: Path,
    template: str | None,
    *,
    family: str = "qwen",
    vocabulary: int = 400,
    **tokens: str | None,
) -> str:
    """A model folder without weights: a byte tokenizer with the family's marks, and a config."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS[family]])
    inner.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in ("<think>", "</think>")])
    names = {**TOKENS[family], **tokens}
    if family == "llama":  # as Llama's own does, on top of the template's
        bos = inner.token_to_id("<|begin_of_text|>")
        inner.post_processor = processors.TemplateProcessing(
            single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", bos)]
        )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, clean_up_tokenization_spaces=False, **names)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": vocabulary}
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def save(folder: Path, *rows: dict[str, Any]) -> Path:
    pl.DataFrame(rows).write_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def check(
    folder: Path, template: str, *rows: dict[str, Any], family: str = "qwen", **options: Any
) -> LintReport:
    tokens = {name: options.pop(name) for name in ("eos_token", "pad_token") if name in options}
    vocabulary = options.pop("vocabulary", 400)
    model = student(folder / "model", template, family=family, vocabulary=vocabulary, **tokens)
    return lint(model, save(folder, *(rows or (GOOD,))), **options)


def names(report: LintReport) -> set[str]:
    return {finding.check for finding in report.findings}


def test_a_template_that_keeps_everything_passes(tmp_path: Path):
    report = check(tmp_path, PLAIN)
    assert report.findings == ()
    assert report.ok


def test_what_passes_is_what_train_sft_takes(tmp_path: Path):
    from transformers import AutoTokenizer

    assert check(tmp_path, PLAIN).ok
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    table = pl.read_parquet(tmp_path / "rows.parquet")
    assert len(sft_examples(table, tokenizer, max_length=1000).kept) == 1


def test_qwens_own_template_adds_a_system_prompt_and_marks_nothing(tmp_path: Path):
    report = check(tmp_path, QWEN)
    assert names(report) == {Check.INJECTED_SYSTEM, Check.NOTHING_TRAINED}
    assert "You are Qwen" in next(f.message for f in report.findings if f.check is Check.INJECTED_SYSTEM)
    assert not report.ok


def test_a_system_prompt_of_the_rows_own_is_not_injected(tmp_path: Path):
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2"}]
    report = check(tmp_path, QWEN, {"messages": [*talk, {"role": "assistant", "content": TRACE}]})
    assert Check.INJECTED_SYSTEM not in names(report)


def test_llamas_own_template_adds_a_date_and_a_second_bos_as_text(tmp_path: Path):
    report = check(tmp_path, LLAMA, family="llama")
    assert names(report) == {Check.INJECTED_SYSTEM, Check.NOTHING_TRAINED, Check.DOUBLE_BOS_AS_TEXT}
    assert "Cutting Knowledge Date" in next(
        f.message for f in report.findings if f.check is Check.INJECTED_SYSTEM
    )


def test_a_second_bos_in_the_trained_tokens_is_found(tmp_path: Path):
    template = "{{ bos_token }}{{ bos_token }}" + PLAIN.replace("<|im_end|>", "<|eot_id|>")
    report = check(tmp_path, template, family="llama")
    assert Check.DOUBLE_BOS in names(report)
    assert not report.ok


def test_rows_that_were_rendered_before_are_found(tmp_path: Path):
    row = {"question": "<|begin_of_text|>What is 2 + 2?", "text": TRACE}
    template = "{{ bos_token }}" + PLAIN.replace("<|im_end|>", "<|eot_id|>")
    assert Check.DOUBLE_BOS in names(check(tmp_path, template, row, family="llama"))


def test_the_distilled_models_own_template_loses_the_thought(tmp_path: Path):
    report = check(tmp_path, R1_DISTILL, family="r1")
    assert {Check.LOST_THOUGHT, Check.NOTHING_TRAINED} <= names(report)


def test_a_lost_thought_is_found_although_the_answer_is_trained_on(tmp_path: Path):
    template = R1_DISTILL.replace(
        "{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}",
        "<｜Assistant｜>{% generation %}{{ content }}<｜end▁of▁sentence｜>{% endgeneration %}",
    )
    assert names(check(tmp_path, template, family="r1")) == {Check.LOST_THOUGHT, Check.OTHER_PROMPT}


def test_an_empty_thought_is_not_lost(tmp_path: Path):
    assert check(tmp_path, PLAIN, {"question": "Hi", "text": "<think>\n\n</think>\nHello!"}).ok


def test_an_answer_that_the_template_changes_is_found(tmp_path: Path):
    template = PLAIN.replace("m['content'] }}<|im_end|>{% end", "m['content'] | upper }}<|im_end|>{% end")
    row = {"question": "Hi", "text": "<think>\n\n</think>\nHello!"}
    assert Check.CHANGED_TEXT in names(check(tmp_path, template, row))


def test_a_mask_over_everything_is_found(tmp_path: Path):
    template = (
        "{% generation %}{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}{% endgeneration %}"
    )
    assert Check.ALL_TRAINED in names(check(tmp_path, template))


def test_an_end_outside_the_mask_is_found(tmp_path: Path):
    template = PLAIN.replace("<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>")
    assert names(check(tmp_path, template)) == {Check.END_NOT_TRAINED}


def test_a_base_models_end_token_is_not_the_chats(tmp_path: Path):
    report = check(tmp_path, PLAIN, eos_token="<|endoftext|>", pad_token="<|im_start|>")
    assert names(report) == {Check.END_NOT_TRAINED}


def test_the_right_end_token_can_be_named(tmp_path: Path):
    model = student(tmp_path / "model", PLAIN, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    assert lint(model, save(tmp_path, GOOD), eos_token="<|im_end|>", pad_token="<|endoftext|>").ok


@pytest.mark.parametrize("pad", ["<|im_end|>", None])
def test_a_pad_that_is_the_end_is_found(tmp_path: Path, pad: str | None):
    assert names(check(tmp_path, PLAIN, pad_token=pad)) == {Check.PAD_IS_END}


def test_tags_that_decoding_would_leave_out_are_found(tmp_path: Path):
    model = student(tmp_path / "model", PLAIN, additional_special_tokens=["<think>", "</think>"])
    assert Check.SPECIAL_TAGS in names(lint(model, save(tmp_path, GOOD)))


def test_a_tokenizer_larger_than_the_model_is_found(tmp_path: Path):
    assert names(check(tmp_path, PLAIN, vocabulary=100)) == {Check.VOCABULARY}


def test_too_many_long_rows_are_found(tmp_path: Path):
    rows = [GOOD] * 98 + [{"question": "long", "text": TRACE + "x" * 500}] * 2
    report = check(tmp_path, PLAIN, *rows, max_length=200)
    assert names(report) == {Check.TRUNCATED}
    assert report.findings[0].count == 2


def test_one_long_row_of_a_hundred_is_allowed(tmp_path: Path):
    rows = [GOOD] * 99 + [{"question": "long", "text": TRACE + "x" * 500}]
    assert check(tmp_path, PLAIN, *rows, max_length=200).ok


def test_a_prompt_in_serving_that_differs_from_training_is_a_warning(tmp_path: Path):
    template = PLAIN.replace(
        "<|im_start|>assistant\n{% endif -%}", "<|im_start|>assistant\n<reason>{% endif -%}"
    )
    report = check(tmp_path, template)
    assert names(report) == {Check.OTHER_PROMPT}
    assert report.ok


def test_a_row_without_an_answer_is_found(tmp_path: Path):
    report = check(tmp_path, PLAIN, {"messages": [{"role": "user", "content": "2+2"}]})
    assert names(report) == {Check.NO_ANSWER}


def test_an_empty_answer_is_found(tmp_path: Path):
    assert names(check(tmp_path, PLAIN, {"question": "Hi", "text": " "})) == {Check.NO_ANSWER}


def test_the_rows_with_a_problem_are_named(tmp_path: Path):
    asked = {"role": "user", "content": "2+2"}
    good, bad = {"messages": [asked, {"role": "assistant", "content": TRACE}]}, {"messages": [asked]}
    (finding,) = check(tmp_path, PLAIN, good, bad, good, bad).findings
    assert (finding.check, finding.count, finding.rows) == (Check.NO_ANSWER, 2, (1, 3))


@pytest.mark.parametrize(
    ("template", "family"),
    [("qwen2-think.jinja", "qwen"), ("llama3-think.jinja", "llama"), ("plain.jinja", "plain")],
)
def test_our_own_templates_pass(tmp_path: Path, template: str, family: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(MARKS, "plain", ("<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"))
    monkeypatch.setitem(TOKENS, "plain", {"eos_token": "<|end|>", "pad_token": "<|pad|>"})
    report = check(tmp_path, QWEN, family=family, chat_template=template)
    assert report.ok, report.findings


def test_only_a_spread_of_many_rows_is_checked(tmp_path: Path):
    report = check(tmp_path, PLAIN, *([GOOD] * 50), limit=10)
    assert (report.rows, report.checked) == (50, 10)
    assert [shown.row for shown in report.shown] == list(range(0, 50, 5))


def test_a_model_without_a_chat_template_is_one_line(tmp_path: Path):
    model = student(tmp_path / "model", None)
    with pytest.raises(ConfigError, match=r"has no chat template.*qwen2-think\.jinja.*--chat-template"):
        lint(model, save(tmp_path, GOOD))


def test_a_folder_that_is_no_model_is_one_line(tmp_path: Path):
    with pytest.raises(ConfigError, match="no tokenizer can be read there"):
        lint(str(tmp_path), save(tmp_path, GOOD))


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet", "csv"])
def test_rows_come_from_any_file_of_rows(tmp_path: Path, ending: str):
    model = student(tmp_path / "model", PLAIN)
    file = tmp_path / f"rows.{ending}"
    line = json.dumps(GOOD) + "\n"
    if ending == "parquet":
        save(tmp_path, GOOD)
    elif ending == "csv":
        pl.DataFrame([GOOD]).write_csv(file)
    else:
        file.write_bytes(gzip.compress(line.encode()) if ending.endswith("gz") else line.encode())
    assert lint(model, file).ok


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.txt", "a,b", "its ending says no format"),
        ("rows.jsonl", '{"prompt": "x"}\n', "it must have messages"),
        ("rows.csv", "prompt\nx\n", r"rows\.csv:2: has prompt; it must have messages"),
        ("rows.jsonl", "{", r"rows\.jsonl:1: not JSON"),
        ("rows.jsonl", '{"messages": "Hi"}\n', r"rows\.jsonl:1: no conversation"),
        ("rows.jsonl", '{"question": "Hi", "text": 4}\n', r"rows\.jsonl:1: says 4"),
        ("rows.jsonl.gz", "plain", "not readable"),
    ],
)
def test_a_file_that_is_no_training_data_is_one_line(tmp_path: Path, name: str, content: str, says: str):
    model = student(tmp_path / "model", PLAIN)
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=says):
        lint(model, tmp_path / name)


def test_a_missing_or_empty_file_is_one_line(tmp_path: Path):
    model = student(tmp_path / "model", PLAIN)
    with pytest.raises(ConfigError, match="no file at"):
        lint(model, tmp_path / "nowhere.parquet")
    pl.DataFrame([GOOD]).clear().write_parquet(tmp_path / "none.parquet")
    with pytest.raises(ConfigError, match="no rows"):
        lint(model, tmp_path / "none.parquet")


def printed(report: LintReport, *, rows: int = 1, **options: Any) -> str:
    out = io.StringIO()
    render(report, Console(file=out, width=200, **options), rows=rows)
    return out.getvalue()


def test_what_is_trained_on_is_bracketed_where_there_are_no_colors(tmp_path: Path):
    text = printed(check(tmp_path, PLAIN))
    assert "⟦<think>⏎\nadd them⏎\n</think>⏎\nIt is 4.<|im_end|>⟧" in text
    assert "What is 2 + 2?<|im_end|><|im_start|>assistant⏎" in text
    assert text.rstrip().endswith("ok")


def test_what_is_trained_on_is_colored_on_a_terminal(tmp_path: Path):
    text = printed(check(tmp_path, PLAIN), force_terminal=True, color_system="256")
    assert "⟦" not in text
    assert "\x1b[30;48;5;40m<think>" in text


def test_a_failure_is_named_with_its_rows(tmp_path: Path):
    text = printed(check(tmp_path, QWEN), rows=0)
    assert "FAIL nothing_trained: no token is trained on" in text
    assert "[1 rows: 0]" in text
    assert "not fit to train on" in text


def test_a_long_row_is_shown_by_its_ends(tmp_path: Path):
    report = check(tmp_path, PLAIN, {"question": "q", "text": f"<think>\n{'x' * 900}\n</think>\nend"})
    for options in ({}, {"force_terminal": True, "color_system": "256"}):
        text = printed(report, **options)
        assert "tokens …" in text
        assert text.count("x") < 400
