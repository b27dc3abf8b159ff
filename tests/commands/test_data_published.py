"""The command data: published datasets."""

from pathlib import Path

import pytest

from openstl_ext.registry import DATASETS
from tests.commands.test_data import call

SETS = {"moving-mnist": "MovingMNIST", "taxibj": "TaxiBJ", "kth": "KTH"}


@pytest.mark.parametrize("name", SETS)
def test_a_miniature_is_one_command_away(name: str, tmp_path: Path) -> None:
    """Nothing could be tried offline, or synthetic data would pass for real ones."""
    root = tmp_path / "some data"
    for _ in range(2):
        assert "SYNTHETIC" in call(name, "--root", root, "--miniature")
    dataset = DATASETS.get(SETS[name])(root=str(root), split="test")
    assert dataset.metainfo.synthetic
    assert len(dataset) >= 20
    with pytest.raises(SystemExit, match=r"error: .*has a synthetic set; delete it, or choose"):
        call(name, "--root", root)


@pytest.mark.parametrize("name", SETS)
def test_a_miniature_is_never_written_among_real_data(name: str, tmp_path: Path) -> None:
    """A trial would overwrite a set that took hours to download."""
    (tmp_path / "mine.npz").write_text("real")
    with pytest.raises(SystemExit, match=r"error: .*has files that are not marked"):
        call(name, "--root", tmp_path, "--miniature")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.npz"}


@pytest.mark.parametrize("name", SETS)
def test_a_source_without_the_files_is_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong folder would print a traceback, or start a download."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=r"error: --source .*empty: no "):
        call(name, "--root", tmp_path / "data", "--source", tmp_path / "empty")


@pytest.mark.slow
def test_the_other_form_of_kth_can_be_requested(tmp_path: Path) -> None:
    """The form that published tables use could not be tried offline."""
    call("kth", "--root", tmp_path, "--miniature", "--form", "jpeg")
    assert len(list(tmp_path.glob("boxing/person01_boxing_d1/image_*.jpg"))) == 70
