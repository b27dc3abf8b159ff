"""ST-Mamba: encode each frame, fuse the frames over time as vectors, decode one map."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import DenseModel
from openstl_ext.layers.input_checks import check_frames
from openstl_ext.layers.mamba import MambaBlock
from openstl_ext.layers.memory_format import at_least_float32
from openstl_ext.layers.sequence_encoder import Norm, SequenceEncoder
from openstl_ext.layers.st_mamba import Fused, TimeFusion, vector_to_map
from openstl_ext.layers.unet import UNetDecoder
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count, Positive


@MODELS.register_module()
class STMamba(nn.Module):
    """Encode each frame, fuse the means of the deepest maps over time, decode with the last skips.

    The temporal module processes one vector per frame. With ``expand="linear"``, the layer from
    the fused vector to a map has most of the weights and fixes the size of the frames; the other
    values of ``expand`` allow any size. Number of parameters with 4 channels, 1 class and patches
    of 128:

    =========  =========================  =======================  ==========================
    temporal   ``expand="linear"``        ``"broadcast"``          ``"conv"``
    =========  =========================  =======================  ==========================
    mamba      78,269,697 (67,239,936)    11,292,417 (262,656)     11,554,561 (524,800)
    gru        151,560,449 (134,348,800)  17,736,449 (524,800)     17,998,593 (786,944)
    =========  =========================  =======================  ==========================

    In parentheses, the parameters of the layer from the vector to the map.

    Args:
        in_channels: Channels C of a frame.
        num_classes: Number K of logits per pixel; 1 for two classes.
        widths: Width of each level, finest first.
        temporal: Temporal module: ``mamba``, or ``gru`` for two bidirectional layers.
        fused: ``last`` output of the temporal module, or ``mean`` over time. The last output of
            the backward direction of a GRU depends on the last frame only.
        expand: Layer from the vector to a map: ``linear`` with weights for each pixel,
            ``broadcast`` with the same values at every pixel, or ``conv``, a 1x1 convolution of
            the vector and the deepest map of the last frame.
        patch_size: Height and width of the frames, in pixels, if ``expand`` is ``linear``.
        state_size: State size of each channel of Mamba.
        causal_kernel_size: Frames under the causal convolution of Mamba.
        inner_ratio: Ratio of the inner width of Mamba to that of a vector.
        scan_backend: Backend of the selective scan; None for the fastest available.
        norm_over: Frames over which the encoder's batch norms average in training: those of one
            time ``step``, as in upstream's loop, or those of the ``sequence``.
        recompute: Whether the encoder computes its activations again in the backward pass instead
            of storing them.

    Shape:
        - frames: (B, T, C, H, W), any T. H and W are the patch size if ``expand`` is ``linear``,
          otherwise at least 2 ** n with n + 1 levels.
        - returns: logits (B, K, H, W).

    Raises:
        ConfigError: If an argument has an unknown value.
        ShapeError: If the frames have another size than the weights, are too small, or have another
            number of channels.

    Source:
        xian1234/ST-Mamba@9dae127, models/st_mamba.py and models/st_bigru.py (SpatioTemporalFusion
        in their first version).

    Deviations:
        GRU and Mamba are two classes upstream, which have only the linear layer and only the last
        output, although the paper describes a mean over time.
    """

    interface = DenseModel
    flag_arguments = {"size": "patch_size"}

    def __init__(
        self,
        *,
        in_channels: Count,
        num_classes: Count = 1,
        widths: Sequence[Count] = (64, 128, 256, 512),
        temporal: Literal["mamba", "gru"] = "mamba",
        fused: Fused = "last",
        expand: Literal["linear", "broadcast", "conv"] = "linear",
        patch_size: Count = 128,
        state_size: Count = 16,
        causal_kernel_size: Count = 4,
        inner_ratio: Positive = 2,
        scan_backend: str | None = None,
        norm_over: Norm = "step",
        recompute: bool = False,
    ) -> None:
        super().__init__()
        width = widths[-1]
        self.in_channels = in_channels
        self.least_side = 2 ** (len(widths) - 1)
        self.patch_size = patch_size if expand == "linear" else None
        if expand == "linear" and patch_size < self.least_side:
            raise ConfigError(
                f"patch_size={patch_size} gives a deepest map of less than one pixel; with "
                f"{len(widths)} levels it must be at least {self.least_side}"
            )
        self.encoder = SequenceEncoder(
            in_channels, widths=widths, norm_over=norm_over, recompute=recompute
        )
        reader: nn.Module
        if temporal == "mamba":
            reader = MambaBlock(
                width,
                state_size=state_size,
                kernel_size=causal_kernel_size,
                expand=inner_ratio,
                scan_backend=scan_backend,
            )
        elif temporal == "gru":
            reader = nn.GRU(width, width, num_layers=2, batch_first=True, bidirectional=True)
        else:
            raise ConfigError(f"temporal must be mamba or gru, got {temporal!r}")
        self.fuse = TimeFusion(reader, fused=fused)
        self.expand = vector_to_map(
            expand,
            2 * width if temporal == "gru" else width,
            width,
            side=patch_size // self.least_side,
        )
        self.decoder = UNetDecoder(widths, num_classes=num_classes)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "widths": (4, 8), "patch_size": 16, "state_size": 4}

    def forward(self, frames: Tensor) -> Tensor:
        check_frames("STMamba", frames, channels=self.in_channels, least_side=self.least_side)
        self._check_size(*frames.shape[-2:])
        *finer, deepest = self.encoder(frames, finer="last")
        means = F.adaptive_avg_pool2d(at_least_float32(deepest).flatten(0, 1), 1)
        vectors = means.unflatten(0, deepest.shape[:2]).flatten(2)  # (B, T, D)
        deep = self.expand(self.fuse(vectors), deepest[:, -1])
        return self.decoder([*(level[:, -1] for level in finer), deep])

    def _check_size(self, height: int, width: int) -> None:
        """Check the size before the encoder runs, because the linear layer comes last."""
        if self.patch_size is not None and (height, width) != (self.patch_size, self.patch_size):
            raise ShapeError(
                f"STMamba was built for frames of {self.patch_size} x {self.patch_size} pixels, "
                f"which expand='linear' fixes; got {height} x {width}. Cut the frames to that "
                "size, set `patch_size` to their size, or train with expand='broadcast' or 'conv', "
                "which allow any size"
            )
