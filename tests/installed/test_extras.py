import sys

import pytest

from distillery.errors import ConfigError
from distillery.installed.extras import require


def test_a_missing_extra_is_answered_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"^here: ray is not installed; pip install 'distillery\[ray\]'$"):
        require("ray", "ray", where="here")


def test_what_is_installed_is_not_spoken_of():
    require("polars", "any", where="here")
