"""What all tests share. Nothing here seeds anything: seeds are arguments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
settings.register_profile("untimed", deadline=None)  # a slow machine is no fault of the code
settings.load_profile("untimed")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real public data sets; a test that needs it is skipped where there is none."""
    folder = Path(os.environ.get("DISTILLERY_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set DISTILLERY_TEST_DATA")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a GPU its tests are deselected, also when nobody wrote `-m "not gpu"`; `-m gpu` insists."""
    needy = [item for item in items if item.get_closest_marker("gpu")]
    if not needy or "gpu" in config.option.markexpr:
        return
    import torch

    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=needy)
        items[:] = [item for item in items if item not in needy]
