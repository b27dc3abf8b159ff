"""The file ``DFC_preprocessed.pt`` of the CROMA benchmarks."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext.datasets.label_maps import num_held_out
from openstl_ext.errors import ConfigError, DataError

FILE = "DFC_preprocessed.pt"
NUM_BANDS = 14
PARTS = {"train": "train", "val": "train", "test": "validation"}
"""Published part from which each split is taken."""
STEP, SHARED = 80, 16
"""Offset between neighbouring windows of a patch, and the pixels that they share."""


class TensorFile:
    """Windows of one split, mapped into memory: only those that are read take memory.

    Args:
        path: The file.
        split: One of train, val, test.
        val_fraction: Share of the patches of the training part for validation.
        windows_per_patch: Number of consecutive windows that are cut from one patch.

    Raises:
        DataError: If the file is not such a dict of tensors.
        ConfigError: If the split is empty.
    """

    def __init__(
        self, path: Path, split: str, *, val_fraction: float, windows_per_patch: int
    ) -> None:
        self.path = path
        self.part = PARTS[split]
        self._tensors: tuple[Tensor, Tensor] | None = None
        count = len(self.tensors[0])
        self.window = windows_per_patch
        if self.part == "train" and count % windows_per_patch:
            raise DataError(
                f"{path}: train_images has {count} windows, which are no whole patches of "
                f"{windows_per_patch}; fetch the file again, or set windows_per_patch"
            )
        patches = count // windows_per_patch
        cut = count
        if self.part == "train":
            cut = (patches - num_held_out(patches, val_fraction)) * windows_per_patch
        ends = {"train": (0, cut), "val": (cut, count), "test": (0, count)}
        self.start, end = ends[split]
        self.length = end - self.start
        if not self.length:
            raise ConfigError(
                f"{path}: nothing is left for {split} with val_fraction={val_fraction:g}; use "
                "another share"
            )
        if 0 < cut < count:
            self._check_order(cut)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tensors": None}  # a copy would have all gigabytes

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        """Images (N, 14, h, w), uint8, and labels (N, h, w) of the part."""
        if self._tensors is None:
            content = _loaded(self.path)
            found = tuple(content.get(f"{self.part}_{kind}") for kind in ("images", "labels"))
            images, labels = found
            if not isinstance(images, Tensor) or not isinstance(labels, Tensor):
                raise DataError(
                    f"{self.path}: has {', '.join(map(str, content))}, expected the tensors "
                    f"{self.part}_images and {self.part}_labels; fetch it again"
                )
            expected = (len(images), *images.shape[2:])
            if images.ndim != 4 or images.shape[1] != NUM_BANDS or labels.shape != expected:
                raise DataError(
                    f"{self.path}: {self.part}_images has the shape {tuple(images.shape)} and "
                    f"{self.part}_labels {tuple(labels.shape)}, expected (N, {NUM_BANDS}, H, W) "
                    "and (N, H, W); fetch it again"
                )
            if images.dtype != torch.uint8:
                raise DataError(
                    f"{self.path}: {self.part}_images is of {images.dtype}, expected torch.uint8, "
                    "bytes from 0 to 255; fetch the published file"
                )
            self._tensors = images, labels
        return self._tensors

    def __len__(self) -> int:
        return self.length

    def read(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return image (14, h, w) and labels (h, w) of a window, as stored."""
        images, labels = self.tensors
        return images[self.start + index].numpy(), labels[self.start + index].numpy()

    def name(self, index: int) -> str:
        """Return published part, patch and window."""
        return f"{self.block(index)}-{(self.start + index) % self.window}"

    def block(self, index: int) -> str:
        """Return published part and patch."""
        return f"{self.part}-{(self.start + index) // self.window:05d}"

    def _check_order(self, cut: int) -> None:
        """Compare the pixels that two windows beside the cut share, if they are of one patch."""
        labels = self.tensors[1]
        if self.window != 9 or labels.shape[1] != STEP + SHARED:
            return
        for patch in (cut - 9, cut):
            first, second = (labels[patch + k].numpy() for k in (0, 1))
            if not (
                np.array_equal(first[:, STEP:], second[:, :SHARED])
                or np.array_equal(first[STEP:], second[:SHARED])
            ):
                raise DataError(
                    f"{self.path}: the labels {patch} and {patch + 1} of train_labels are not "
                    "neighbouring windows of one patch, so that val would overlap with train; "
                    "fetch the published file, or set val_fraction=0 and use no val"
                )


def _loaded(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch and pickle raise many types for a file of another kind
        first = str(error).partition("\n")[0]
        raise DataError(
            f"{path}: not a file of tensors that can be mapped into memory ({first}); fetch it "
            "again"
        ) from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds a {type(content).__name__}, expected a dict of tensors")
    return content
