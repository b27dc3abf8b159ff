"""Synthetic landscape over some years, in which sites appear and grow."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.lts.geotiff import LABEL as LABEL_RASTER
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.split import CutSettings, cut
from openstl_ext.datasets.lts.stack import LABEL, STACK
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.datasets.synthetic.settlements import Field, Scale, cover, smooth
from openstl_ext.progress_line import print_status, tracked
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

BANDS = ("blue", "green", "red", "nir")
YEARS = (*range(2008, 2012), *range(2013, 2019))
"""2012 is missing, as between two Landsat satellites."""

NODATA, SCALE, UNKNOWN = -9999, 1e-4, 255
PLANTS = np.array([0.04, 0.08, 0.05, 0.38])
SOIL = np.array([0.09, 0.13, 0.18, 0.27])
BARE = np.array([0.17, 0.20, 0.25, 0.24])
"""Reflectance of each band; sites and other bare ground have the same."""

CROPS = 0.95
"""Share of plants on a field that is not bare."""

NOISE = 0.006
"""Standard deviation of the error of a value, which a picture hardly shows."""

PATCHES = 0.16
"""Standard deviation of the share of plants within a year, in patches of some pixels: dry or wet
places, which change from year to year. One pixel of one year is not sufficient."""

UTM = (
    'PROJCS["WGS 84 / UTM zone 33N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,'
    '298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]],'
    'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
    'PARAMETER["central_meridian",15],PARAMETER["scale_factor",0.9996],'
    'PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],'
    'AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","32633"]]'
)
SIZE = 576
MINIATURE = CutSettings(patch_size=32, stride=16, block_size=72, buffer=4)
"""Blocks have four patches in val and test, and nine overlapping ones in training."""


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """Stored images and their label.

    Args:
        stored: Reflectance / ``SCALE``, int16 (years, bands, H, W), ``NODATA`` under clouds.
        label: 1 at sites of the last year, ``UNKNOWN`` in some areas, uint8 (H, W).
        years: Year of each image.
    """

    stored: NDArray[np.int16]
    label: NDArray[np.uint8]
    years: tuple[int, ...]

    @property
    def facts(self) -> SeriesFacts:
        """Metadata of the stored numbers."""
        return SeriesFacts(
            years=self.years,
            bands=BANDS,
            nodata=NODATA,
            scale=SCALE,
            unit="reflectance",
            crs=UTM,
            transform=(30.0, 0.0, 500_000.0, 0.0, -30.0, 5_200_000.0),
        )


def draw(*, size: int = SIZE, years: tuple[int, ...] = YEARS, seed: int = 0) -> Landscape:
    """Draw relief, vegetation, bare objects and clouds.

    A site appears, grows and stays. Fields are equally bare but change from year to year, rocks
    are bare in all years and shaped as sites, and tracks appear and stay but are thin. Therefore
    neither one year, one pixel nor shape identifies a site; clouds hide parts of it.

    Args:
        size: Rows and columns.
        years: Years of the images.
        seed: Seed of the landscape.
    """
    rng = np.random.default_rng(seed)
    plants = 0.5 + 0.22 * smooth(rng, size, 24) + 0.12 * smooth(rng, size, 5)
    relief = smooth(rng, size, 12)
    ground = cover(rng, Scale(size=size, num_years=len(years)))
    stored = np.empty((len(years), len(BANDS), size, size), np.int16)
    for step in tracked(range(len(years)), "drawing", "years"):
        weather = 0.08 * rng.normal() + 0.06 * smooth(rng, size, 40)
        patches = PATCHES * smooth(rng, size, 2.5)
        green = (1 - ground.crops) * (plants + weather) + ground.crops * CROPS + patches
        stored[step] = _image(rng, np.clip(green, 0, 1), ground.bare[step], relief)
        clouds = smooth(rng, size, 14) > rng.uniform(1.0, 1.9)
        stored[step][:, clouds] = NODATA
    label = ground.sites.astype(np.uint8)
    label[smooth(rng, size, 20) > 2.1] = UNKNOWN
    return Landscape(stored=stored, label=label, years=years)


def _image(rng: np.random.Generator, green: Field, bare: Field, relief: Field) -> NDArray[np.int16]:
    """Return stored values (C, H, W) from the share of plants, the bare share and the relief."""
    share, slopes = bare[..., None], 1 + 0.1 * relief[..., None]
    grown = green[..., None] * PLANTS + (1 - green[..., None]) * SOIL
    # bare ground differs from place to place too, and dry places of a year are brighter
    values = ((1 - share) * grown + share * BARE * (1.12 - 0.24 * green[..., None])) * slopes
    values += rng.normal(0, NOISE, values.shape)
    return np.rint(np.moveaxis(np.clip(values, 0.001, 1.2) / SCALE, -1, 0)).astype(np.int16)


def write(root: Path, *, size: int = SIZE, seed: int = 0) -> None:
    """Write a landscape in all formats: a stack, and the folders ``patches`` and ``geotiff``.

    The third needs rasterio and is omitted without it.

    Args:
        root: Folder to write to.
        size: Rows and columns of the landscape.
        seed: Seed of the landscape.
    """
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "LTS")
    landscape = draw(size=size, seed=seed)
    write_stack(root, landscape)
    cut(root, root, MINIATURE)
    cut(root, root / "patches", replace(MINIATURE, stride=None), form="patches")
    try:
        rasterio()
    except Exception as error:
        print_status(f"  no {root / 'geotiff'}: {error}")
        return
    write_rasters(root / "geotiff", landscape)
    cut(root / "geotiff", root / "geotiff", MINIATURE)


def write_toy(root: Path) -> None:
    """Write four years of a small landscape as a stack, patches of 16 pixels."""
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "LTS")
    write_stack(root, draw(size=128, years=YEARS[-4:]))
    cut(root, root, CutSettings(patch_size=16, block_size=32, buffer=0))


def write_stack(root: Path, landscape: Landscape) -> None:
    """Write the arrays of images and labels, and their metadata."""
    root.mkdir(parents=True, exist_ok=True)
    for name, array in ((STACK, landscape.stored), (LABEL, landscape.label)):
        with atomic_file(root / name) as file:
            np.save(file, array)
    landscape.facts.write(root / FACTS)


def write_rasters(root: Path, landscape: Landscape, *, one_file: bool = False) -> None:
    """Write GeoTIFFs: a raster per year, or one with all years, and the label.

    Args:
        root: Folder to write to.
        landscape: The landscape.
        one_file: Whether to write all years to one raster.
    """
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "LTS")
    facts, (height, width) = landscape.facts, landscape.label.shape
    assert facts.transform is not None
    grid = Grid(height=height, width=width, crs=facts.crs, transform=facts.transform)
    window, stored = Window(0, 0, height, width), landscape.stored
    if one_file:
        names = [f"{year}_{band}" for year in facts.years for band in BANDS]
        rasters = {"landscape": (names, stored.reshape(-1, height, width))}
    else:
        years = zip(facts.years, stored, strict=True)
        rasters = {f"landscape_{year}": (list(BANDS), images) for year, images in years}
    for name, (descriptions, images) in rasters.items():
        with RasterWriter(
            root / f"{name}.tif",
            grid,
            num_bands=len(images),
            dtype="int16",
            nodata=NODATA,
            descriptions=descriptions,
        ) as writer:
            for band, image in enumerate(images, start=1):
                writer.write(image, window, band)
    with RasterWriter(root / LABEL_RASTER, grid, dtype="uint8", nodata=UNKNOWN) as writer:
        writer.write(landscape.label, window)
    facts.write(root / FACTS)
