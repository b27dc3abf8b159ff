"""Command that writes synthetic scenes of several sensors."""

from pathlib import Path

import pytest

from openstl_ext.datasets.sensor_pairs.dataset import SensorPairs
from openstl_ext.datasets.sensors.images import read_image
from openstl_ext.datasets.sensors.sensor import Sensor
from tests.commands.test_data import call

SMALL = ("--num_pairs", 2, "--num_scenes", 2, "--side", 160)


def test_pairs_and_scenes_can_be_read(tmp_path: Path) -> None:
    """The demonstration would have no data."""
    pytest.importorskip("rasterio")
    root = tmp_path / "land"
    assert "SYNTHETIC" in call("sensor-scenes", "--root", root, *SMALL)
    pairs = [
        {"name": "optical", "root": "optical", "sensors": ("rgb", "sentinel2_l2a")},
        {"name": "radar", "root": "radar", "sensors": ("sentinel2_l2a", "sentinel1_grd")},
    ]
    dataset = SensorPairs(root=str(root), split="train", pairs=pairs, image_size=16)
    assert len(dataset) == 4
    assert dataset[0]["inputs"]["frames"].shape == (2, 12, 16, 16)
    for name in ("sentinel2_l2a", "sentinel1_grd", str(root / "pelican.json")):
        folder = root / "scenes" / Path(name).stem
        paths = (folder / "train.txt").read_text().split()
        assert len(paths) == 2
        sensor = Sensor.read(name)
        image = read_image(folder / paths[0], sensor)
        assert sensor.normalise(image, name).std() > 0.1


def test_real_files_are_not_mixed_with_synthetic_ones(tmp_path: Path) -> None:
    """Scores on a mixture would be shown as scores on observations."""
    (tmp_path / "mine.tif").touch()
    with pytest.raises(SystemExit, match="not marked as synthetic; choose another --root"):
        call("sensor-scenes", "--root", tmp_path, *SMALL)
    with pytest.raises(SystemExit, match="'0' is not a number of at least 1"):
        call("sensor-scenes", "--root", tmp_path / "new", "--num_pairs", 0)
