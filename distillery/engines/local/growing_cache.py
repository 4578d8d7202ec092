"""A key-value cache with room to grow.

transformers' own copies all keys and values at every token, which takes half of a small model's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import Cache, PretrainedConfig

_ROOM = 64  # tokens allocated ahead


def roomy_cache(config: PretrainedConfig) -> Cache:
    """The cache that the model would make, its full-attention layers replaced."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    class RoomyLayer(DynamicLayer):  # here, because its base must not be imported with this module
        room: tuple[torch.Tensor, torch.Tensor] | None = None  # `keys` and `values` are views of it

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            begin = self.get_seq_length()
            end = begin + key_states.shape[-2]
            if self.room is None or self.room[0].shape[-2] < end:
                self.room = (self._grown(self.keys, key_states), self._grown(self.values, value_states))
            for buffer, states in zip(self.room, (key_states, value_states), strict=True):
                buffer[..., begin:end, :] = states
            self.keys, self.values = (buffer[..., :end, :] for buffer in self.room)
            return self.keys, self.values

        def _grown(self, old: torch.Tensor | None, states: torch.Tensor) -> torch.Tensor:
            begin = self.get_seq_length()
            *outer, added, width = states.shape
            new = states.new_empty(*outer, begin + added + _ROOM, width)
            if old is not None and begin:
                new[..., :begin, :] = old
            return new

        def batch_select_indices(self, indices: torch.Tensor) -> None:
            super().batch_select_indices(indices)
            self.room = None

    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
