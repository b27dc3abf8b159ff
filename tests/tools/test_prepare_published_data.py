"""The commands that prepare published datasets, as a user types them."""

from pathlib import Path

import pytest

from openstl_ext.registry import DATASETS
from tests.tools.test_prepare_data import call

SETS = {"moving_mnist": "MovingMNIST", "taxibj": "TaxiBJ", "kth": "KTH"}


@pytest.mark.parametrize("tool", SETS)
def test_a_miniature_is_one_command_away(tool: str, tmp_path: Path) -> None:
    """If this fails, nothing can be tried offline, or made-up data hide among real ones."""
    root = tmp_path / "some data"
    for _ in range(2):
        assert "SYNTHETIC" in call(f"{tool}.py", "--root", root, "--miniature")
    dataset = DATASETS.get(SETS[tool])(root=str(root), split="test")
    assert dataset.metainfo.synthetic
    assert len(dataset) >= 20
    with pytest.raises(SystemExit, match=r"error: .*has a synthetic set; delete it, or choose"):
        call(f"{tool}.py", "--root", root)


@pytest.mark.parametrize("tool", SETS)
def test_a_miniature_is_never_written_among_real_data(tool: str, tmp_path: Path) -> None:
    """If this fails, trying things out destroys a set that took a night to fetch."""
    (tmp_path / "mine.npz").write_text("real")
    with pytest.raises(SystemExit, match=r"error: .*has files that are not marked"):
        call(f"{tool}.py", "--root", tmp_path, "--miniature")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.npz"}


@pytest.mark.parametrize("tool", SETS)
def test_a_source_without_the_files_is_one_sentence(
    tool: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, a wrong folder is a traceback, or a download that nobody asked for."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=r"error: --source .*empty: no "):
        call(f"{tool}.py", "--root", tmp_path / "data", "--source", tmp_path / "empty")


def test_the_other_form_of_kth_can_be_asked_for(tmp_path: Path) -> None:
    """If this fails, the form that published tables use cannot be tried offline."""
    call("kth.py", "--root", tmp_path, "--miniature", "--form", "jpeg")
    assert len(list(tmp_path.glob("boxing/person01_boxing_d1/image_*.jpg"))) == 70
