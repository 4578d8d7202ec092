"""What needs a CUDA device: GRPO at the size of the smallest student, with random weights and a real
shape."""

from __future__ import annotations

import polars as pl
import pytest

from distillery.miniature import sums


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_grpo_of_a_model_of_one_and_a_half_billion_parameters_fits_on_one_gpu(tmp_path, tokenizer, make_spec):
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from distillery.train.grpo import train

    config = Qwen2Config(
        vocab_size=151_936,
        hidden_size=1536,
        intermediate_size=8960,
        num_hidden_layers=28,
        num_attention_heads=12,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    start = tmp_path / "start"
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(start)
    tokenizer.save_pretrained(start)
    table = tmp_path / "problems.parquet"
    pl.DataFrame([problem.row() for problem in sums.problems(16, seed=0)]).write_parquet(table)
    options = {
        "max_steps": 2,
        "prompts_per_step": 2,
        "num_generations": 8,
        "max_completion_length": 1024,
        "beta": 0.0,
        "gradient_checkpointing": True,
        "logging_steps": 1,
    }
    torch.cuda.reset_peak_memory_stats()
    train(make_spec(tmp_path, "grpo", options, table=table, model=start))
    peak = torch.cuda.max_memory_allocated() / 2**30
    assert (tmp_path / "model" / "model.safetensors").exists()
    assert peak < 78, f"{peak:.1f} GiB"
