"""rasterio is an optional dependency."""

import subprocess
import sys

import pytest

from openstl_ext.errors import UserError
from openstl_ext.rasters.opening import rasterio


def test_without_rasterio_the_message_gives_the_install_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Users would get a traceback."""
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(UserError, match="pip install rasterio") as error:
        rasterio()
    assert "\n" not in str(error.value)


def test_rasterio_is_imported_only_when_a_raster_is_opened() -> None:
    """Video forecasting would require GDAL."""
    parts = ("layer", "writer", "lonlat", "region", "block_split", "grid", "window")
    code = (
        f"import sys, importlib; [importlib.import_module('openstl_ext.rasters.' + p) "
        f"for p in {parts}]; sys.exit(bool({{'rasterio', 'torch'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
