"""Boiling: a synthetic simulation for first trials."""

import shlex
from pathlib import Path
from typing import Any, final

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.boiling.prepare import RECORD
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.formats.folder_split import holds_samples
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.errors import DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize

MAKE = (
    "openstl-ext data boiling --num_frames {frames} --image_size {size} --data_path {root} "
    "&& openstl-ext data split --data_path {root}"
)


@final
@DATASETS.register_module()
class Boiling(SequenceDataset):
    """Simulated heat that spreads over a map, rises, and restarts from 0 where it boils.

    Files:
        As in ``FrameFolders``, made by ``openstl-ext data boiling`` and
        ``openstl-ext data split``, or by simvp_minimal.

    Channels and units:
        Temperature as a share of the boiling point (212 F), 0 to 1.

    Splits:
        Those of the loader file; each sample is an independent simulation.

    Licence:
        Synthetic; none is needed.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        num_inputs: Number of input frames.
        num_targets: Number of target frames.
        loaders: Name of the loader file, as in ``FrameFolders``.
        packed: Read the packed form if there is one that agrees with the folders.
        image_size: Side of the maps; maps of another size are refused.
        prepare_size: Side of the maps that the command makes in the message about missing data,
            without ``image_size``.

    Raises:
        DatasetNotFoundError: If the folder does not exist; the message gives the commands that
            make it.

    Source:
        CCU-LANL-AIML/simvp_minimal@be7db3d.
    """

    card = Card(
        marks=((RECORD,), ("*_boiling_*/0.np[yz]",)),
        note="Nothing is published: the simulation writes any number of samples.",
    )
    metainfo = Metainfo(
        name="boiling", channels=(Channel("temperature", "share of 212 F"),), synthetic=True
    )

    def __init__(
        self,
        *,
        root: str = "data/boiling",
        split: str,
        num_inputs: Count = 10,
        num_targets: Count = 10,
        loaders: str | None = None,
        packed: bool = True,
        image_size: ImageSize | None = None,
        prepare_size: ImageSize = 64,
    ) -> None:
        if not holds_samples(Path(root)):
            raise DatasetNotFoundError(
                root,
                prepare=MAKE.format(
                    root=shlex.quote(root),
                    size=image_size or prepare_size,
                    frames=num_inputs + num_targets,
                ),
            )
        self.frames = FrameFolders(
            root=root,
            split=split,
            num_inputs=num_inputs,
            num_targets=num_targets,
            loaders=loaders,
            packed=packed,
            image_size=image_size,
            channels=self.metainfo.labels,
        )

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write eight small simulations."""
        FrameFolders.make_toy(root)

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return the frames of the shortest sample, half of them inputs."""
        return FrameFolders.arguments_for(root)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Item:
        return self.frames[index]

    def sample_id(self, index: int) -> str:
        """Return the name of the sample's folder."""
        return self.frames.sample_id(index)

    def block_id(self, index: int) -> str:
        """Return the folder: samples of one folder are parts of one simulation."""
        return self.frames.block_id(index)

    def frame_ids(self, index: int) -> list[str]:
        """Return folder and number of each frame."""
        return self.frames.frame_ids(index)
