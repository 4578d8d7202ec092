import pytest

from distillery.engines.from_gguf import convert
from distillery.errors import ConfigError


def test_a_missing_file_is_named(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ConfigError, match=r"none\.gguf"):
        convert(tmp_path / "none.gguf", tmp_path / "out")
