"""Write features of images: a map of a raster, or a table of many images."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, atomic_write
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.features import FeatureExtractor
from openstl_ext.prediction.mapping import Fields
from openstl_ext.prediction.patch_scene import PatchScene
from openstl_ext.prediction.sensor_files import band_folders, image_files
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

BLOCK = 32
"""Side of a tile of a map; as many rows more are in memory, of all features."""
SHARES = "shares_of_variance"
"""Tag of a map of principal components: the share of each in the variance of all features."""
MAP, TABLES = (".tif", ".tiff"), (".npz", ".csv")
Basis = tuple[NDArray[np.float32], NDArray[np.float32]]


class Moments:
    """Sums over the features of all patches, from which their principal components follow.

    Args:
        size: Number D of features.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self.sum = np.zeros(size)
        self.products = np.zeros((size, size))

    def __call__(self, window: Window, fields: Fields) -> None:  # noqa: ARG002
        """Add finished rows of a map."""
        values = fields["features"].reshape(len(self.sum), -1).T.astype(np.float64)
        values = values[np.isfinite(values).all(axis=1)]
        self.count += len(values)
        self.sum += values.sum(axis=0)
        self.products += values.T @ values

    def components(self, number: int) -> tuple[Basis, NDArray[np.float64]]:
        """Return mean and first components (K, D), and the share of the variance of each.

        The largest element of a component is positive, so that a picture of it is reproducible.
        """
        mean = self.sum / self.count
        covariance = self.products / self.count - np.outer(mean, mean)
        variances, vectors = np.linalg.eigh(covariance)
        chosen = vectors[:, ::-1][:, :number].T
        largest = np.abs(chosen).argmax(axis=1, keepdims=True)
        chosen = chosen * np.sign(np.take_along_axis(chosen, largest, axis=1))
        shares = variances[::-1][:number] / max(variances.sum(), np.finfo(float).tiny)
        return (mean.astype(np.float32), chosen.astype(np.float32)), shares


def write_feature_map(
    extractor: FeatureExtractor,
    scene: PatchScene,
    out: Path,
    *,
    components: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    batch_size: int = 8,
) -> str:
    """Write a GeoTIFF with one pixel a patch, float32, NaN where a patch has no data.

    Args:
        extractor: The encoder.
        scene: From its method ``scene``.
        out: The file.
        components: Number of principal components of the features of this raster to write; all
            features by default. The net computes all features twice for them.
        tile: As in ``FeatureExtractor.features``.
        overlap: As in ``FeatureExtractor.features``.
        batch_size: As in ``FeatureExtractor.features``.

    Returns:
        A line that describes the file.

    Raises:
        ConfigError: If there are not as many components.
        DataError: As ``FeatureExtractor.features``.
    """
    size = extractor.net.out_channels
    basis, names = None, [f"feature {k}" for k in range(size)]
    tiles = {"tile": tile, "overlap": overlap, "batch_size": batch_size}
    if components is not None:
        if not 1 <= components <= size:
            raise ConfigError(f"--components is {components}; use 1 to {size}, the features")
        moments = Moments(size)
        extractor.map(scene, moments, **tiles)  # type: ignore[arg-type]
        basis, shares = moments.components(components)
        names = [f"component {k}, {share:.1%} of variance" for k, share in enumerate(shares, 1)]
    tags = {"sensor": scene.sensor.name, "pixels_per_patch": str(scene.patch_size)}
    if basis is not None:
        tags[SHARES] = " ".join(f"{share:.6g}" for share in shares)
    writer = RasterWriter(
        out,
        scene.grid,
        num_bands=len(names),
        dtype="float32",
        nodata=float("nan"),
        descriptions=names,
        tags=tags,
        block=BLOCK,
    )
    with writer:

        def write(window: Window, fields: Fields) -> None:
            for band, values in enumerate(fields["features"], start=1):
                writer.write(values, window, band)

        extractor.map(scene, write, step=BLOCK, basis=basis, **tiles)  # type: ignore[arg-type]
    grid = scene.grid
    return (
        f"written to {out}: {len(names)} {'features' if basis is None else 'components'} of "
        f"{grid.height} x {grid.width} patches of {scene.patch_size} pixels"
    )


def map_overview(path: Path, most: int) -> tuple[NDArray[np.float32], list[float] | None]:
    """Return every k-th pixel of a map, at most ``most`` rows and columns.

    Returns:
        The features or components, and of components the shares in the variance of all features.

    Shape:
        - returns: (h, w, D), NaN where there is no data.
    """
    with rasterio().open(path) as file:
        factor = max(1.0, max(file.shape) / most)
        shape = [max(1, round(side / factor)) for side in file.shape]
        values = np.moveaxis(file.read(out_shape=(file.count, *shape)), 0, -1)
        stored = file.tags().get(SHARES)
    return values, None if stored is None else [float(share) for share in stored.split()]


def images_in(sources: Sequence[Path], *, by_band: bool = False) -> dict[str, Path]:
    """Return the images of folders and files, by the names that a table has.

    Args:
        sources: Images, or folders of images.
        by_band: Whether an image is a folder with a file for each band.

    Raises:
        DataError: If there is no image.
    """
    found: dict[str, Path] = {}
    for source in sources:
        if source.is_dir():
            images = band_folders(source) if by_band else image_files(source)
            found |= {image_name(path, source): path for path in images}
        elif by_band:
            raise DataError(f"{source} is a file, but --band-folders takes folders; name a folder")
        else:
            found[source.as_posix()] = source
    if not found:
        raise DataError(f"{sources[0]}: has no GeoTIFF and no picture; name another folder")
    return found


def image_name(path: Path, source: Path) -> str:
    """Return the name of an image of a folder: its path there, or that of the folder itself."""
    return source.name if path == source else path.relative_to(source).as_posix()


def write_table(out: Path, names: Sequence[str], features: NDArray[np.float32]) -> str:
    """Write a feature of each image: ``name`` and ``features`` in ``.npz``, or lines of ``.csv``.

    Returns:
        A line that describes the file.
    """
    if out.suffix.lower() == ".csv":
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["name", *(f"feature_{k}" for k in range(features.shape[1]))])
        lines.writerows([name, *row.tolist()] for name, row in zip(names, features, strict=True))
        atomic_write(out, text.getvalue().encode())
    else:
        with atomic_file(out) as file:
            np.savez(file, name=np.array(names), features=features)
    return f"written to {out}: {features.shape[1]} features of {len(names)} images"
