"""Draw what a masked autoencoder reconstructs, at the end of its training."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from openstl_ext.atomic_io import atomic_write
from openstl_ext.engine.randomness import EVALUATION, seed_everything
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import ConfigError
from openstl_ext.hooks.forecast_figure import spread
from openstl_ext.registry import DATASETS, HOOKS, METHODS
from openstl_ext.spectrum import Spectrum
from openstl_ext.value_types import Count
from openstl_ext.visualization.reconstruction import (
    Reconstruction,
    band_groups,
    reconstruction_panel,
)

FROM_INPUT = "mean and deviation of each hidden patch from the input"


@HOOKS.register_module()
class ReconstructionFigureHook(Hook):
    """Write a figure for each image of a sample: input, masked input and reconstruction.

    Each image is reconstructed from its own patches, without an exchange of tokens. Where targets
    are standardised patches, the net predicts neither mean nor deviation of a patch; those of the
    true patch are used, and the figure states it. If drawing fails, the run continues with a
    warning.

    Args:
        dataset: Config of the dataset of the samples, usually of the split ``val``.
        num_samples: Number of samples, spread evenly over the dataset.
        filename: File in the work directory; ``{image}`` is the number of the image in a sample,
            followed by that of the set where the sensors of samples differ.

    Raises:
        ConfigError: If the method is not ``MaskedAutoencoding``.
    """

    changes = "nothing"

    def __init__(
        self,
        *,
        dataset: dict[str, Any],
        num_samples: Count = 3,
        filename: str = "reconstruction_{image}.png",
    ) -> None:
        self.dataset, self.num_samples, self.filename = dataset, num_samples, filename

    def before_run(self, runner: Runner) -> None:
        """Check the method before the training, not after it."""
        if not isinstance(unwrap(runner.model), METHODS.get("MaskedAutoencoding")):
            raise ConfigError(
                "ReconstructionFigureHook is for MaskedAutoencoding; remove it from custom_hooks"
            )

    def after_train(self, runner: Runner) -> None:
        if not is_main_process():
            return
        try:
            self._draw(runner)
        except Exception as error:  # a failed figure must not lose the run
            runner.logger.warning(f"the figure was not drawn: {type(error).__name__}: {error}")

    def _draw(self, runner: Runner) -> None:
        dataset = DATASETS.build(copy.deepcopy(dict(self.dataset)))
        method: Any = copy.deepcopy(unwrap(runner.model)).eval()
        names = band_names(getattr(method.net.encoder, "spectrum", None))
        found: dict[int, dict[tuple[int, ...], list[Reconstruction]]] = {}
        for index in spread(len(dataset), self.num_samples):
            seed_everything(runner.seed, EVALUATION, index)
            inputs = {name: value[None] for name, value in dataset[index]["inputs"].items()}
            inputs = method.data_preprocessor({"inputs": inputs})["inputs"]
            for t in range(inputs["frames"].shape[1]):
                bands = tuple(b for b in inputs["bands"][0, t].tolist() if b >= 0)
                drawn = reconstructed(method, inputs, t, dataset.sample_id(index))
                found.setdefault(t, {}).setdefault(bands, []).append(drawn)
        for t, by_bands in found.items():
            for number, (bands, samples) in enumerate(by_bands.items()):
                groups = band_groups([names.get(band, f"band_{band}") for band in bands])
                title = f"{runner.cfg.get('identity')}: reconstruction from visible patches"
                note = FROM_INPUT if method.normalises_patches else ""
                page = reconstruction_panel(samples, groups, title=title, note=note)
                suffix = f"{t + 1}" if len(by_bands) == 1 else f"{t + 1}_{number + 1}"
                path = Path(runner.work_dir) / self.filename.replace("{image}", suffix)
                atomic_write(path, page.png())
                runner.visualizer.add_image(f"train/{path.stem}", page.pixels(), runner.iter)
                runner.logger.info(f"drew {len(samples)} reconstructions in {path}")


def band_names(spectrum: Spectrum | None) -> dict[int, str]:
    """Return the name of each usable band by its index; none without a spectrum."""
    bands = {} if spectrum is None else spectrum.bands
    return {band.index: name for name, band in bands.items() if band.index is not None}


@torch.no_grad()
def reconstructed(method: Any, inputs: dict[str, Tensor], t: int, name: str) -> Reconstruction:
    """Reconstruct one image of a sample from its visible patches."""
    side = method.net.patch_size
    frames, bands = inputs["frames"][:, t : t + 1], inputs["bands"][:, t : t + 1]
    rows, columns = (size // side for size in frames.shape[-2:])
    mask = method.mask(torch.rand(1, rows * columns, device=frames.device))
    values = method.net(frames, bands, mask).float()
    there = (bands[0, 0] >= 0).cpu()
    image = frames[0, 0].cpu()[there]
    shape = (rows, columns, frames.shape[2], side, side)
    patches = values.cpu().view(shape).permute(2, 0, 3, 1, 4)[there]  # (C, h, p, w, q)
    if method.normalises_patches:
        true = image.unflatten(2, (columns, side)).unflatten(1, (rows, side))
        over = (0, 2, 4)
        patches = patches * true.std(over, keepdim=True) + true.mean(over, keepdim=True)
    return Reconstruction(
        name,
        np.asarray(image),
        np.asarray(mask[0].cpu()),
        np.asarray(patches.flatten(3, 4).flatten(1, 2)),
    )
