"""Folder of rasters with known numbers."""

import shutil
from pathlib import Path

import pytest

from tests.datasets.human_modification.rasters_folder import write_folder


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the folder once; no test changes it."""
    path = tmp_path_factory.mktemp("written")
    write_folder(path)
    return path


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    """Copy the folder, so that a test may change it."""
    return Path(shutil.copytree(written, tmp_path / "root"))
