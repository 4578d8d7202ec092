from __future__ import annotations

from typing import Any

import pytest

from distillery.train.resume import epoch_callback, innermost_sampler, replaying

pytest.importorskip("torch")
pytest.importorskip("trl")


def repeat_sampler() -> Any:
    from trl.trainer.utils import RepeatSampler

    return RepeatSampler(range(10), mini_repeat_count=2, batch_size=3, repeat_count=2, seed=7)


def test_an_unbroken_training_sees_the_rows_in_trls_own_order() -> None:
    theirs, ours = repeat_sampler(), replaying(repeat_sampler())
    for epoch in range(4):
        ours.set_epoch(epoch)
        assert list(ours) == list(theirs)
    assert len(ours) == len(theirs)


def test_a_training_that_begins_in_a_later_epoch_sees_that_epochs_order() -> None:
    theirs, ours = repeat_sampler(), replaying(repeat_sampler())
    orders = [list(theirs) for _ in range(4)]
    ours.set_epoch(3)
    assert list(ours) == orders[3]
    assert list(ours) == orders[3]
    assert len(set(map(tuple, orders))) > 1


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("resumed", [False, True])
def test_the_sampler_is_found_behind_every_wrapper_and_told_its_epoch(ranks: int, resumed: bool) -> None:
    from accelerate import skip_first_batches
    from accelerate.data_loader import BatchSamplerShard, DataLoaderShard
    from torch.utils.data import BatchSampler
    from transformers import TrainerControl, TrainerState, TrainingArguments

    ours = replaying(repeat_sampler())
    batches: Any = BatchSampler(ours, batch_size=6, drop_last=False)
    if ranks > 1:
        batches = BatchSamplerShard(batches, num_processes=ranks)
    loader = DataLoaderShard(list(range(10)), batch_sampler=batches)
    shown = skip_first_batches(loader, 1) if resumed else loader
    assert innermost_sampler(shown) is ours
    arguments = TrainingArguments(output_dir="nowhere", gradient_accumulation_steps=2, use_cpu=True)
    steps = -(-len(loader) // 2)
    state = TrainerState(global_step=2 * steps + 1)
    epoch_callback().on_epoch_begin(arguments, state, TrainerControl(), train_dataloader=loader)
    third = replaying(repeat_sampler())
    third.set_epoch(2)
    assert list(ours) == list(third)
