"""Files of BigEarthNet with known values, for the tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio

S2_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
S2 = "S2A_MSIL2A_20170613T101031_0_45"
S1 = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_0_45"


def write_bands(folder: Path, values: Mapping[str, np.ndarray]) -> Path:
    """Write a GeoTIFF a band into the folder of a patch."""
    folder.mkdir(parents=True)
    for band, array in values.items():
        height, width = array.shape
        form = {"driver": "GTiff", "count": 1, "crs": "EPSG:32633", "dtype": array.dtype.name}
        form["transform"] = rasterio.Affine(1200 / width, 0, 3e5, 0, -1200 / height, 5.4e6)
        path = folder / f"{folder.name}_{band}.tif"
        with rasterio.open(path, "w", height=height, width=width, **form) as raster:
            raster.write(array, 1)
    return folder


def write_pair(root: Path, labels: Sequence[str], *, s2: str = S2, s1: str = S1) -> None:
    """Write a pair of version 1 whose S2 band k has 1000 + 100 k, VV -11.25 and VH -18.5 dB."""
    bands = {name: np.full((6, 6), 1000 + 100 * k, np.uint16) for k, name in enumerate(S2_BANDS)}
    radar = {
        "VH": np.full((6, 6), -18.5, np.float32),
        "VV": np.full((6, 6), -11.25, np.float32),
    }
    for folder, name, values in (
        ("BigEarthNet-v1.0", s2, bands),
        ("BigEarthNet-S1-v1.0", s1, radar),
    ):
        patch = write_bands(root / folder / name, values)
        text = json.dumps({"labels": labels, "projection": "any"})
        (patch / f"{name}_labels_metadata.json").write_text(text)
