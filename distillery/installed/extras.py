"""What a user of data alone need not install."""

from __future__ import annotations

from importlib.util import find_spec

from distillery.errors import ConfigError


def require(package: str, extra: str, *, where: str) -> None:
    if find_spec(package) is None:
        raise ConfigError(f"{where}: {package} is not installed; pip install 'distillery[{extra}]'")
