"""Patches of images of several sensors, those of each sensor apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.spectrum import ABSENT


@dataclass(frozen=True)
class SensorPatches:
    """Chosen patches whose images have the same bands, M of them.

    Args:
        channels: Channels of the images that have a band.
        bands: Band of each of these channels.
        sample: Sample of each patch, (M,).
        image: Image of the sample to which it belongs, (M,).
        patch: Number of the patch in row-major order, (M,).
        position: Number of each among all patches (B, T, N), (M,).
        order: Number of each among the chosen ones (B, T, K), (M,).
    """

    channels: list[int]
    bands: list[int]
    sample: Tensor
    image: Tensor
    patch: Tensor
    position: Tensor
    order: Tensor

    def values(self, frames: Tensor, patch_size: int) -> Tensor:
        """Return the values of the patches in the order channel, row, column.

        Shape:
            - frames: (B, T', C, H, W); returns: (M, channels * p * p).
        """
        sides = (-1, patch_size)
        cut = frames.unflatten(4, sides).unflatten(3, sides)
        channel = torch.tensor(self.channels, device=frames.device)
        sample, image, patch = (part[:, None] for part in (self.sample, self.image, self.patch))
        row, column = patch // cut.shape[5], patch % cut.shape[5]
        return cut[sample, image, channel, row, :, column].flatten(1)


def by_sensor(bands: Tensor, source: Tensor, chosen: Tensor) -> Iterator[SensorPatches]:
    """Group the chosen patches of all streams by the bands of their images.

    Args:
        bands: Bands of each image, -1 for an absent one.
        source: Image that each stream shows at each patch.
        chosen: Numbers of the chosen patches of a sample, the same for its streams.

    Shape:
        - bands: (B, T', C); source: (B, T, N), numbers below T'; chosen: (B, K).
    """
    sensors, sensor_of = bands.flatten(0, 1).unique(dim=0, return_inverse=True)
    _, streams, length = source.shape
    image = source.gather(2, chosen[:, None].expand(-1, streams, -1))
    sensor = sensor_of.view(len(source), -1).gather(1, image.flatten(1)).view_as(image)
    for index, row in enumerate(sensors.tolist()):
        sample, stream, rank = (sensor == index).nonzero(as_tuple=True)
        if not len(sample):
            continue
        patch = chosen[sample, rank]
        yield SensorPatches(
            channels=[c for c, band in enumerate(row) if band != ABSENT],
            bands=[band for band in row if band != ABSENT],
            sample=sample,
            image=image[sample, stream, rank],
            patch=patch,
            position=(sample * streams + stream) * length + patch,
            order=(sample * streams + stream) * chosen.shape[1] + rank,
        )


def places(chosen: Tensor) -> Tensor:
    """Return the numbers of the chosen patches, in ascending order.

    Shape:
        - chosen: (B, N), True = chosen; returns: (B, K).

    Raises:
        ShapeError: If samples have different numbers of chosen patches.
    """
    counts = chosen.sum(dim=1)
    if bool((counts != counts[0]).any()):
        raise ShapeError("mask: all samples of a batch need the same number of hidden patches")
    return (~chosen).int().argsort(dim=1, stable=True)[:, : int(counts[0])]


def own_images(frames: Tensor, length: int) -> Tensor:
    """Return the source (B, T, N) of streams that exchange no tokens: each shows its own image.

    Shape:
        - frames: (B, T, ...); ``length`` is the number N of patches.
    """
    own = torch.arange(frames.shape[1], device=frames.device).view(1, -1, 1)
    return own.expand(len(frames), -1, length)
