"""Recipes for imported data: a shipped net and schedule, with the shape of the data.

``--recipe simvp_gsta --data data/mine`` is the config ``own_data/simvp_gsta`` in which the folder,
the lengths, the shape of the net, the normalisation and the metrics are those of
``data/mine/frames.json``. The config of the run has all of them as values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from openstl_ext.config.names import config_names, find_config
from openstl_ext.errors import ConfigError, nearest
from openstl_ext.frame_record import IMPORT, SPLITS, FramesRecord, read_record

FOLDER = "own_data/"
"""Folder of the recipes below ``configs``."""
SSIM_WINDOW = 11
"""Smallest side of a frame for SSIM, in pixels."""
MULTIPLES: dict[str, Callable[[dict[str, Any]], int]] = {
    "SimVP": lambda net: 2 ** (int(net.get("num_spatial_blocks", 4)) // 2),
    "ConvLSTM": lambda net: int(net.get("patch_size", 4)),
    "VMRNNB": lambda net: int(net.get("patch_size", 4)),
    "VMRNND": lambda net: int(net.get("patch_size", 2)) * 2 ** len(net.get("depths_down", (2, 6))),
}
"""Number of which height and width must be multiples, from the arguments of a net."""
FROM_0_TO_1 = ("VMRNNB", "VMRNND")
"""Nets whose output passes a sigmoid."""


@dataclass(frozen=True)
class Recipe:
    """A shipped recipe on imported data, which ``config.load`` takes in place of a config.

    Args:
        name: Name of the recipe, such as ``simvp_gsta``.
        data: Folder of the import.
    """

    name: str
    data: Path

    def __str__(self) -> str:
        return f"--recipe {self.name} --data {self.data}"

    @property
    def path(self) -> Path:
        """File of the shipped config.

        Raises:
            ConfigError: If there is no such recipe; it proposes the nearest.
        """
        if (name := f"{FOLDER}{self.name}") not in (known := config_names()):
            ours = [k.removeprefix(FOLDER) for k in known if k.startswith(FOLDER)]
            raise ConfigError(f"there is no recipe {self.name!r}; {nearest(self.name, ours)}")
        return find_config(name)

    @cached_property
    def record(self) -> FramesRecord:
        """Description of the data.

        Raises:
            DatasetNotFoundError: If the folder has no import.
        """
        return read_record(self.data.expanduser())

    @property
    def identity(self) -> str:
        """Name of the run: that of the data, and the recipe."""
        return f"{self.record.name}/{self.name}"

    def fill(self, values: dict[str, Any]) -> None:
        """Set what follows from the data in the values of a config, in place."""
        record, net = self.record, values["model"]["net"]
        inputs, targets = record.window
        for split in SPLITS:
            values[f"{split}_dataloader"]["dataset"] = {
                "type": "ImportedFrames",
                "root": str(self.data),
                "split": split,
                "num_inputs": inputs,
                "num_targets": targets,
                "digest": record.digest,
            }
        channels = len(record.channels)
        shapes = {"in_shape": [inputs, channels, *record.size], "in_channels": channels}
        net.update({name: value for name, value in shapes.items() if name in net})
        if (normalisation := record.normalisation) is not None:
            mean, std = normalisation
            values["model"]["data_preprocessor"] = {
                "type": "SequencePreprocessor",
                "mean": mean,
                "std": std,
            }
        self._set_metrics(values)

    def check(self, values: dict[str, Any]) -> None:
        """Compare the net with the data, after the overrides.

        Raises:
            ConfigError: If height or width is no multiple of what the net needs, or its output
                cannot have the range of the data; the message has the remedy.
        """
        net = values["model"]["net"]
        kind, (height, width) = str(net.get("type")), self.record.size
        multiple = MULTIPLES.get(kind, lambda _: 1)(net)
        fitting = [side // multiple * multiple for side in (height, width)]
        if fitting != [height, width]:
            remedy = f"import again with --crop {fitting[0]}x{fitting[1]}"
            if not min(fitting):
                remedy = "import larger frames"
            raise ConfigError(
                f"{self.data} has frames of {height} x {width} pixels (height x width), but recipe "
                f"{self.name} needs multiples of {multiple}; {remedy}"
            )
        if kind in FROM_0_TO_1 and not self._is_from_0_to_1:
            raise ConfigError(
                f"recipe {self.name} predicts values from 0 to 1, but {self.data} has the scale "
                f"{self.record.scaling!r}; import again with --scale minmax: {IMPORT} ..."
            )

    @property
    def _is_from_0_to_1(self) -> bool:
        if self.record.scaling == "none":
            return all(c.min >= 0 and c.max <= 1 for c in self.record.channels)
        return self.record.scaling in ("number", "minmax")

    def _set_metrics(self, values: dict[str, Any]) -> None:
        """Add the metrics that need the range of the data, or name the channel that is selected."""
        channels = self.record.channels
        if len({channel.unit for channel in channels}) > 1:  # no score of all of them
            first = channels[0]
            label = first.name if first.level is None else f"{first.name}{first.level:g}"
            values["default_hooks"]["checkpoint"]["save_best"] = f"mse[{label}]"
            return
        if self.record.scaling == "number":
            span, more = 1.0, {"clip": [0, 1]}
        else:
            span, more = max(c.max for c in channels) - min(c.min for c in channels), {}
        if span <= 0:
            return
        values["test_evaluator"].append({"type": "PSNR", "data_range": span, **more})
        if min(self.record.size) >= SSIM_WINDOW:
            values["test_evaluator"].append({"type": "SSIM", "data_range": span, **more})
