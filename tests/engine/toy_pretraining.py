"""Small masked autoencoder with its method and data; imported as a plugin."""

from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.interfaces import TOY_SHAPE, EncoderModel, MaskedAutoencoder
from openstl_ext.methods.base import PretrainingMethod, moving_waves
from openstl_ext.registry import DATASETS, METHODS, MODELS
from openstl_ext.structures import Inputs, Item, Metainfo, Targets

PATCHES = "b t c (h p) (w q) -> b (h w) (t c p q)"


@DATASETS.register_module()
class UnlabelledWaves(SequenceDataset):
    """Moving waves without targets."""

    metainfo = Metainfo(name="unlabelled_waves", channels=("height",))

    def __init__(self, *, root: str = "data/waves", split: str) -> None:
        self.split = self.check_split(split)
        self.frames = torch.load(Path(root) / f"{split}.pt", weights_only=True)

    @classmethod
    def make_toy(cls, root: Path) -> None:
        for split, size in (("train", 6), ("val", 2)):
            torch.save(moving_waves(size, TOY_SHAPE[0]), root / f"{split}.pt")

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Item:
        return {"inputs": {"frames": self.frames[index]}, "data_samples": {}}


class TinyEncoder(nn.Module):
    """Mean embedding of all patches."""

    interface = EncoderModel

    def __init__(self, values: int, width: int, patch_size: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.embed = nn.Linear(values, width)

    def tokens(self, frames: Tensor) -> Tensor:
        return self.embed(rearrange(frames, PATCHES, p=self.patch_size, q=self.patch_size))

    def forward(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        return self.tokens(frames).mean(dim=1)


@MODELS.register_module()
class TinyAutoencoder(nn.Module):
    """Reconstruct every patch from itself and the mean of all patches that are not hidden."""

    interface = MaskedAutoencoder

    def __init__(self, *, frames: int, channels: int, patch_size: int = 4, width: int = 16) -> None:
        super().__init__()
        values = frames * channels * patch_size**2
        self.patch_size = patch_size
        self.encoder = TinyEncoder(values, width, patch_size)
        self.hidden = nn.Parameter(torch.zeros(width))
        self.decode = nn.Linear(2 * width, values)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        return {"frames": TOY_SHAPE[0], "channels": TOY_SHAPE[1]}

    def forward(self, frames: Tensor, bands: Tensor | None, mask: Tensor) -> Tensor:
        hidden = mask.unsqueeze(-1)
        tokens = torch.where(hidden, self.hidden, self.encoder.tokens(frames))
        seen = torch.where(hidden, 0.0, tokens).sum(dim=1, keepdim=True)
        context = seen / (~hidden).sum(dim=1, keepdim=True).clamp(min=1)
        return self.decode(torch.cat([tokens, context.expand_as(tokens)], dim=-1))


@METHODS.register_module()
class TinyMasking(PretrainingMethod):
    """Train a net to reconstruct hidden patches."""

    interface = MaskedAutoencoder

    def __init__(
        self,
        *,
        net: dict[str, Any],
        mask_ratio: float = 0.75,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.net = MODELS.build(net)
        self.mask_ratio = mask_ratio

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        frames, size = inputs["frames"], self.net.patch_size
        patches = rearrange(frames, PATCHES, p=size, q=size)
        order = torch.rand(patches.shape[:2], device=frames.device).argsort(dim=1).argsort(dim=1)
        mask = order < round(self.mask_ratio * patches.shape[1])
        error = (self.net(frames, inputs.get("bands"), mask) - patches).square().mean(dim=-1)
        return {"loss_hidden": error[mask].mean(), "visible_error": error[~mask].mean().detach()}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        return {"net": net}
