"""Interfaces of nets: what a method can call.

They are Protocols, so that a third-party module fits without inheriting. Every module has
``__call__``, so ``isinstance`` cannot distinguish them: a net and a method each declare
``interface = FrameModel``, and the contract tests run every pair that fits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.structures import Targets

TOY_SHAPE = (4, 1, 16, 16)
"""Shape (T, C, H, W) of the frames that the toy instance of every model accepts."""


class FrameModel(Protocol):
    """Net that maps all past frames to a block of future frames."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Map (B, T, C, H, W) to (B, T', C, H, W)."""


class FittedFrameModel(FrameModel, Protocol):
    """FrameModel with a closed-form fit to training targets, such as the mean frame."""

    def fit(self, samples: Iterable[Targets]) -> None:
        """Fit to the targets of single samples, each without a batch axis."""


class TimedFrameModel(FittedFrameModel, Protocol):
    """FittedFrameModel of times; its training targets have ``times``, (T',) of each sample."""

    def __call__(self, frames: Tensor, times: Tensor | None = None) -> Tensor:
        """Map (B, T, C, H, W) and the times of the target frames (B, T') to (B, T', C, H, W)."""


class RecurrentModel(Protocol):
    """Net that maps one frame to the next; its state is opaque to the method."""

    def __call__(self, frame: Tensor, state: Any | None) -> tuple[Tensor, Any]:
        """Map (B, C, H, W) and a state, None at the start, to the next frame and state."""


class RegularizedRecurrentModel(RecurrentModel, Protocol):
    """Recurrent net with loss terms of its own, such as PredRNNv2's decoupling term."""

    def auxiliary_losses(self, state: Any) -> dict[str, Tensor]:
        """Return scalar terms of one step by name, without weights."""


class DenseModel(Protocol):
    """Net that maps all frames to a logit of each class at each pixel."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Map (B, T, C, H, W) to (B, K, H, W); K is 1 for two classes."""


class SpectralDenseModel(DenseModel, Protocol):
    """DenseModel of images whose channels are spectral bands."""

    def __call__(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        """Map (B, T, C, H, W) and the bands (B, T, C) to (B, K, H, W)."""


class EncoderModel(Protocol):
    """Net that maps all frames to one feature vector per sample.

    Attributes:
        out_channels: Number of features of one image.
    """

    out_channels: int

    def __call__(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        """Map (B, T, C, H, W) and the spectral bands (B, T, C), if any, to (B, D).

        D is ``out_channels``, or T times as many where each image has features of its own.
        """


class TokenEncoder(EncoderModel, Protocol):
    """EncoderModel of spectral bands that also has a feature for each patch of an image.

    Attributes:
        image_size: Height and width of the images of the pre-training, in pixels.
        patch_size: Side p of a patch, in pixels.
        spectrum: Bands that the net can embed, a ``Spectrum``.
    """

    image_size: int
    patch_size: int
    spectrum: Any

    def patch_features(self, image: Tensor, bands: Tensor) -> Tensor:
        """Map one image a sample (B, C, H, W) and bands (B, C) to (B, D, H / p, W / p)."""


class MaskedAutoencoder(Protocol):
    """Net that reconstructs all patches from those that are not hidden.

    Attributes:
        patch_size: Side p of a patch, in pixels.
        encoder: Part that is kept after pre-training.
    """

    patch_size: int
    encoder: EncoderModel

    def __call__(self, frames: Tensor, bands: Tensor | None, mask: Tensor) -> Tensor:
        """Map (B, T, C, H, W), bands and a mask (B, N), True = hidden, to (B, N, T*C*p*p).

        Patches are in row-major order; the values of a patch have the order T, C, row, column.
        """


class MixingAutoencoder(MaskedAutoencoder, Protocol):
    """Masked autoencoder of several images of a place, which can exchange tokens between them."""

    def __call__(
        self, frames: Tensor, bands: Tensor | None, mask: Tensor, source: Tensor | None = None
    ) -> Tensor:
        """Do the same where stream t takes the token of image ``source[b, t, n]`` at patch n.

        ``source`` is (B, T, N); the values of stream t at patch n are then those of that image.
        """

    def decode(
        self,
        frames: Tensor,
        bands: Tensor | None,
        mask: Tensor,
        source: Tensor,
        wanted: Tensor,
    ) -> Tensor:
        """Return the tokens of some patches before the last layer, (B, T, K, D).

        ``wanted`` is (B, K), the numbers of the patches of a sample, the same for its streams.
        """

    def band_values(self, tokens: Tensor, bands: Sequence[int]) -> Tensor:
        """Map M of these tokens (M, D) to the values of some bands, (M, bands * p * p)."""


@runtime_checkable
class ResizableModule(Protocol):
    """Part of a net with weights whose shape depends on the size of the frames."""

    def resized_weights(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return weights of the same part for other frames, in the shapes of this one."""


class ConditionalDenoiser(Protocol):
    """Net of generative forecasting: what to change in noisy future frames, given the past.

    Attributes:
        num_targets: Number T' of future frames that it generates at once.
    """

    num_targets: int

    def __call__(self, noisy: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """Map (B, T', C, H, W), (B,) and the past (B, T, D, H, W) to (B, T', C, H, W).

        The time is any real number that states how noisy the frames are; the output is a velocity
        or preconditioned frames, as the method needs. The D channels of the past are those of the
        frames, then covariates.
        """


class HorizonForecast(NamedTuple):
    """Forecast of K horizons, with Q quantiles if the net predicts any.

    Fields:
        forecast: One value per pixel and horizon (B, K, H, W).
        quantiles: Quantiles in ascending order of their levels (B, Q, K, H, W), or None.
    """

    forecast: Tensor
    quantiles: Tensor | None = None


class CovariateModel(Protocol):
    """Past frames of one variable and what surrounds them in, one or more horizons out."""

    def __call__(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,
    ) -> HorizonForecast:
        """(B, T, 1, H, W), (B, T, C, H, W), (B, C', H, W), (B, 2, H, W) -> K horizons."""


class Postprocessor(Protocol):
    """Change of the fields of a forecast, such as a calibration, before anything receives them."""

    def __call__(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the changed fields; data units, with or without a batch axis."""


def provides(net: Any, interface: type) -> bool:
    """Return whether a net, or its class, declares an interface or one that extends it."""
    declared = getattr(net, "interface", None)
    return isinstance(declared, type) and interface in declared.__mro__


def declared_interface(part: type) -> type:
    """Return the interface that the class of a net or of a method declares.

    Raises:
        ConfigError: If it declares none.
    """
    declared = getattr(part, "interface", None)
    if isinstance(declared, type):
        return declared
    former = "; its attribute port is now called interface" if hasattr(part, "port") else ""
    raise ConfigError(
        f"{part.__name__} declares no interface{former}; add a class attribute of "
        "openstl_ext.interfaces, as in interface = FrameModel"
    )


def check_net(method: Any) -> None:
    """Compare the interface of a method's net with the one that the method needs.

    Raises:
        ConfigError: If the net declares no interface or another one.
    """
    if (net := getattr(method, "net", None)) is None:
        return
    check_interface(method, net, declared_interface(type(method)))


def check_interface(user: Any, net: Any, needed: type) -> None:
    """Check the interface of a net that a method, or another net, uses.

    Raises:
        ConfigError: If the net declares no interface or another one.
    """
    declared = declared_interface(type(net))
    if not provides(net, needed):
        raise ConfigError(
            f"{type(user).__name__} needs a net with interface {needed.__name__}, but "
            f"{type(net).__name__} declares {declared.__name__}; use another net or method"
        )


def check_channels(net: Any, frames: Tensor) -> None:
    """Compare the channels of a batch with those that a net was built for.

    A net states them in ``in_channels``, or in ``in_shape`` (T, C, H, W); without, nothing is
    compared.

    Shape:
        - frames: (B, T, C, H, W).

    Raises:
        ShapeError: If they differ.
    """
    in_shape = getattr(net, "in_shape", None)
    expected = in_shape[1] if in_shape else getattr(net, "in_channels", None)
    if not isinstance(expected, int) or frames.ndim < 3 or frames.shape[-3] == expected:
        return
    name = "in_shape[1]" if in_shape else "in_channels"
    given, width = frames.shape[-3], frames.shape[-1]
    hint = f"set model.net.{name}={given}, or use data of {expected} channels"
    if width == expected:
        hint = "the axes look like height x width x channel; use channel x height x width"
    raise ShapeError(
        f"{type(net).__name__} was built for {name}={expected}, but the frames have {given} "
        f"channels, (T, C, H, W) = {tuple(frames.shape[1:])}; {hint}"
    )
