"""rasterio is optional."""

import subprocess
import sys

import pytest

from openstl_ext.errors import UserError
from openstl_ext.rasters.raster_file import rasterio


def test_without_rasterio_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, the first map ends in a traceback."""
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(UserError, match=r"pip install 'openstl_ext\[geo\]'") as error:
        rasterio()
    assert "\n" not in str(error.value)


def test_nothing_is_imported_before_a_raster_is_opened() -> None:
    """If this fails, forecasting video needs GDAL."""
    parts = ("layer", "writer", "lonlat", "region", "block_split", "grid", "scene", "window")
    code = (
        f"import sys, importlib; [importlib.import_module('openstl_ext.rasters.' + p) "
        f"for p in {parts}]; sys.exit(bool({{'rasterio', 'torch'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
