"""The command plot-spectrum."""

import json
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.spectrum import Band


def test_published_sensors_and_one_of_a_user_are_drawn(tmp_path: Path, capsys):
    """A user could not see which bands of a new sensor are interpolated."""
    file = tmp_path / "mine.json"
    numbers = {"low": 0, "high": 1, "mean": 0, "std": 1}
    file.write_text(
        json.dumps(
            {
                "about": "a sensor of two bands",
                "bands": [
                    {"name": "1", "band": "blue_1", **numbers},
                    {"name": "2", "band": "swir_a", **numbers},
                ],
                "spectrum": {"swir_a": {"min_nm": 1200, "max_nm": 1250}},
            }
        )
    )
    cli.call(["plot-spectrum", "--out", str(tmp_path / "all.png")])
    cli.call(["plot-spectrum", "sentinel1_grd", str(file), "--out", str(tmp_path / "two.png")])
    assert capsys.readouterr().out.split() == [str(tmp_path / f) for f in ("all.png", "two.png")]
    for name in ("all.png", "two.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_kind_of_a_projection():
    """Released weights would look as if they had a projection of each band."""
    band = Band(min_nm=400, max_nm=500)
    assert band.kind == "none"
    assert Band(min_nm=400, max_nm=500, index=0).kind == "learned"
    assert (
        Band(min_nm=400, max_nm=500, index=0, interpolated_from=("a", "b")).kind == "interpolated"
    )


@pytest.mark.parametrize("words", [("sentinel3",), ("rgb", "--out", "a.pdf")])
def test_a_mistake_is_one_sentence(words: tuple[str, ...], tmp_path: Path, monkeypatch):
    """A new user would get a traceback."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r"sentinel2|must end with \.png"):
        cli.call(["plot-spectrum", *words])
    assert not list(tmp_path.iterdir())
