"""Features of images of a sensor: of each patch of a raster, or of entire images."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from openstl_ext.datasets.sensors.band_folder import read_band_folder
from openstl_ext.datasets.sensors.images import as_inputs, read_image, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.mapping import Fields, FieldSink, map_scene
from openstl_ext.prediction.patch_scene import PatchScene
from openstl_ext.prediction.predictor import usable
from openstl_ext.prediction.sensor_files import UnitCheck, sensor_of_file
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.window import Window


class FeatureExtractor:
    """Apply the encoder of a pre-training, or of another task, to images in units of their files.

    Args:
        net: A TokenEncoder.
        device: Where it computes, such as ``cpu`` or ``cuda:1``; None takes a GPU if there is one.
        amp: Whether to compute in bfloat16 where that is safe.

    Raises:
        ConfigError: If the device does not exist.
    """

    def __init__(self, net: nn.Module, *, device: str | None = None, amp: bool = False) -> None:
        self.device = usable(device)
        self.amp = amp
        self.net: Any = net.to(self.device).eval()

    def features(
        self,
        raster: Path | str,
        sensor: str | Path,
        *,
        bands: Sequence[str] | None = None,
        tile: int | None = None,
        overlap: int | None = None,
        batch_size: int = 8,
    ) -> NDArray[np.float32]:
        """Compute the features of all patches of a raster, tile by tile.

        Args:
            raster: A GeoTIFF, or an RGB picture.
            sensor: Name of a table, such as ``sentinel2_l2a``, or a JSON file of a sensor.
            bands: Names of all bands of the raster in its order, if it does not have those of the
                sensor. A raster whose bands have descriptions needs them only where these are
                other names.
            tile: Side of a tile in pixels; by default that of the images of the pre-training, or
                the shorter side of the raster if that is smaller.
            overlap: Pixels that neighbours share; by default a quarter of a tile.
            batch_size: Number of tiles that the net receives together.

        Shape:
            - returns: (D, rows, columns), one pixel a patch, NaN where a patch has no data. A patch
              at the edge may extend beyond the raster.

        Raises:
            ConfigError: If a tile or an overlap is no multiple of the patch.
            DataError: If the raster cannot be read, or has other bands or units than the sensor.
        """
        scene = self.scene(raster, sensor, bands)
        grid = scene.grid
        found = np.empty((self.net.out_channels, grid.height, grid.width), np.float32)

        def keep(window: Window, fields: Fields) -> None:
            rows, columns = window.slices
            found[:, rows, columns] = fields["features"]

        self.map(scene, keep, tile=tile, overlap=overlap, batch_size=batch_size)
        return found

    def embeddings(
        self,
        images: Iterable[Path | str],
        sensor: str | Path,
        *,
        bands: Sequence[str] | None = None,
        batch_size: int = 32,
    ) -> NDArray[np.float32]:
        """Compute one feature of each image, which is resampled to the size of the pre-training.

        Args:
            images: GeoTIFFs or RGB pictures of any sizes, or folders with a GeoTIFF for each band
                (``<folder>_B01.tif`` ... as in BigEarthNet).
            sensor: As in ``features``.
            bands: As in ``features``.
            batch_size: Number of images that the net receives together.

        Shape:
            - returns: (N, D).

        Raises:
            DataError: If an image cannot be read, has no data, or has other bands or units.
        """
        read = partial(self._image, sensor=self.sensor(sensor), bands=bands)
        found = [np.empty((0, self.net.out_channels), np.float32)]
        paths = [Path(path) for path in images]
        for first in tracked(range(0, len(paths), batch_size), "embedding", "batches"):
            inputs = as_inputs([read(path) for path in paths[first : first + batch_size]])
            with torch.inference_mode(), self._precision():
                frames, indices = (
                    inputs[k].unsqueeze(1).to(self.device) for k in ("frames", "bands")
                )
                found.append(self.net(frames, indices).float().cpu().numpy())
        return np.concatenate(found)

    def sensor(self, name: str | Path) -> Sensor:
        """Read a sensor whose bands the net can embed.

        Raises:
            ConfigError: If it has ranges of its own that the net was not built with.
            DataError: If there is no such sensor.
        """
        sensor = Sensor.read(name, self.net.spectrum)
        new = [band.band for band in sensor.bands if band.band not in self.net.spectrum.bands]
        if new:
            raise ConfigError(
                f"{name} has bands of its own, such as {new[0]!r}, for which the encoder was "
                f'loaded without a projection; use load_encoder(weights, sensors=["{name}"])'
            )
        return sensor

    def scene(
        self, raster: Path | str, sensor: str | Path, bands: Sequence[str] | None = None
    ) -> PatchScene:
        """Open a raster whose pixels are patches."""
        path, chosen = Path(raster), self.sensor(sensor)
        chosen = sensor_of_file(path, chosen, bands)
        return PatchScene(path, chosen, patch_size=self.net.patch_size)

    def map(
        self,
        scene: PatchScene,
        sink: FieldSink,
        *,
        tile: int | None = None,
        overlap: int | None = None,
        batch_size: int = 8,
        step: int = 1,
        basis: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    ) -> None:
        """Pass the field ``features`` (D, rows, columns) of a scene to a sink, row by row.

        Args:
            scene: From ``scene``.
            sink: See ``map_scene``.
            tile: As in ``features``.
            overlap: As in ``features``.
            batch_size: As in ``features``.
            step: The number of emitted rows is a multiple of this.
            basis: Mean (D,) and components (K, D) to which features are projected, if any.
        """
        tiling = self._tiling(scene, tile, overlap)
        units = UnitCheck(scene.sensor, str(scene.path))

        def answer(inputs: Mapping[str, NDArray[Any]]) -> Fields:
            images = np.stack([units.normalised(image) for image in scene.images(inputs["frames"])])
            found = self._patch_features(images, scene.sensor)
            if basis is not None:  # before blending, which is linear, so fewer values are in memory
                mean, components = basis
                centred = found - mean[:, None, None]
                found = np.einsum("kd,bdhw->bkhw", components, centred, optimize=True)
            return {"features": found}

        try:
            map_scene(answer, scene, sink, tiling=tiling, batch_size=batch_size, step=step)
        except DataError as error:  # of a part of the raster, or of all of it without data
            named = str(scene.path) in str(error)
            raise DataError(str(error) if named else f"{scene.path}: {error}") from error
        units.check()

    def _patch_features(self, images: NDArray[np.float32], sensor: Sensor) -> NDArray[np.float32]:
        indices = torch.tensor(sensor.indices, device=self.device).expand(len(images), -1)
        try:
            with torch.inference_mode(), self._precision():
                found = self.net.patch_features(torch.from_numpy(images).to(self.device), indices)
        except torch.cuda.OutOfMemoryError:
            raise ConfigError(
                f"a batch of {len(images)} tiles does not fit into {self.device}; lower "
                "--batch-size"
            ) from None
        return found.float().cpu().numpy()

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.amp else nullcontext()

    def _tiling(self, scene: PatchScene, tile: int | None, overlap: int | None) -> Tiling:
        """Return tiles in units of patches."""
        patch, grid = self.net.patch_size, scene.grid
        if tile is None:
            tile = min(self.net.image_size, patch * min(grid.height, grid.width))
        if overlap is None:
            overlap = tile // 4 // patch * patch
        for name, value in (("tile", tile), ("overlap", overlap)):
            if value % patch:
                raise ConfigError(
                    f"--{name} is {value} pixels, no multiple of the patch of {patch}; use "
                    f"{round(value / patch) * patch or patch}"
                )
        return Tiling(
            height=grid.height, width=grid.width, size=tile // patch, overlap=overlap // patch
        )

    def _image(
        self, path: Path, *, sensor: Sensor, bands: Sequence[str] | None
    ) -> tuple[NDArray[np.float32], Sequence[int]]:
        sensor = sensor_of_file(path, sensor, bands)
        values = read_band_folder(path, sensor) if path.is_dir() else read_image(path, sensor)
        if not np.isfinite(values).any():
            raise DataError(f"{path}: has no data; remove it")
        units = UnitCheck(sensor, str(path))
        image = units.normalised(values)
        units.check()
        image = resized(image, self.net.image_size)
        return image, sensor.indices
