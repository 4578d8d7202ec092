"""The Hugging Face hub: one split of a data set, or of a folder in its form, and what its client raises."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from distillery.errors import ConfigError

_ANSWERS_S = 5.0


@contextlib.contextmanager
def offline_where_no_hub_answers() -> Generator[None]:
    """Inside, a hub that does not answer costs one short wait, not the client's retries for each data set."""
    from datasets import config
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, config.HF_HUB_OFFLINE
    if not before[0] and not _answers(constants.ENDPOINT):
        constants.HF_HUB_OFFLINE = config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, config.HF_HUB_OFFLINE = before


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=_ANSWERS_S):
            return True
    except HTTPError:
        return True
    except (URLError, OSError):
        return False


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
    # the transport's errors have no base that can be named here, see `is_transport`; all else is a bug
    except Exception as error:
        if not isinstance(error, (ValueError, DatasetsError)) and not is_transport(error):
            raise
        raise ConfigError(f"{where}: {name} cannot be loaded: {error}") from None


def features(
    name: str,
    *,
    config: str | None = None,
    revision: str | None = None,
    data_files: str | list[str] | None = None,
) -> Any:
    """The Arrow schema that the data set's own card tells; None where it tells none, or cannot be asked."""
    import datasets
    from datasets.exceptions import DatasetsError

    with offline_where_no_hub_answers():
        try:
            builder = datasets.load_dataset_builder(name, config, revision=revision, data_files=data_files)
        except Exception as error:  # as in `load_split`
            if not isinstance(error, (ValueError, DatasetsError)) and not is_transport(error):
                raise
            return None
    return None if builder.info.features is None else builder.info.features.arrow_schema


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def is_transport(error: BaseException) -> bool:
    """Told by the module's name: the client's transport changes its package with the client's version."""
    return any(
        isinstance(link, OSError) or type(link).__module__.startswith("httpx") for link in chain(error)
    )
