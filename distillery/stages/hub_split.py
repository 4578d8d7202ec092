"""One split of a data set on the Hugging Face hub, or of a folder in its form."""

from __future__ import annotations

from typing import Any

from distillery.errors import ConfigError


def load_split(
    name: str,
    *,
    where: str,
    config: str | None = None,
    split: str = "train",
    revision: str | None = None,
    data_files: str | list[str] | None = None,
    streaming: bool = False,
) -> Any:
    """An iterable of rows as dicts; what cannot be had is a ConfigError that starts with `where`."""
    import datasets
    from datasets.exceptions import DatasetsError

    try:
        return datasets.load_dataset(
            name, config, split=split, revision=revision, data_files=data_files, streaming=streaming
        )
    except (OSError, ValueError, DatasetsError) as error:
        raise ConfigError(f"{where}: {name} cannot be loaded: {error}") from None
