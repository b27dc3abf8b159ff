"""The forecaster of Human Modification: where a pixel is, and one pass back instead of two."""

import math

import numpy as np
import torch
from numpy.polynomial import Legendre, Polynomial
from torch import Tensor

from benchmarks.harness import Row, compare
from openstl_ext.interfaces import Quantiles
from openstl_ext.layers.location_encoding import LocationEncoding, spherical_harmonics
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM

DEGREES = 10


def rows() -> list[Row]:
    torch.manual_seed(0)
    lonlat = torch.rand(8, 2, 128, 128) * 60  # a published batch of chips
    return [harmonics_row(lonlat), encoding_row(lonlat), isolation_row()]


def harmonics_row(lonlat: Tensor) -> Row:
    """100 harmonics of each pixel."""
    taken = compare(
        lambda: one_by_one(lonlat), lambda: spherical_harmonics(lonlat, DEGREES), rounds=3
    )
    return Row("spherical harmonics, 8 x 128 x 128", "a formula each, float32", *taken, goal=3.5)


def encoding_row(lonlat: Tensor) -> Row:
    """8 features of each pixel, forward and backward."""
    encoding = LocationEncoding(8, degrees=DEGREES)

    def plain() -> None:
        first, second, last = encoding.net.layers
        x = one_by_one(lonlat)
        last(torch.sin(second(torch.sin(30 * first(x))))).square().mean().backward()

    taken = compare(plain, lambda: encoding(lonlat).square().mean().backward(), rounds=3)
    baseline = "a formula each, pixels as rows"
    return Row("location encoding, forward and backward", baseline, *taken, goal=1.3)


def isolation_row() -> Row:
    """A training step in which intervals shape their own heads only."""
    net = QuantileConvLSTM(hidden_channels=32, location_channels=0)
    shapes = {"frames": (3, 1), "dynamic": (3, 10), "static": (7,)}
    inputs = {name: torch.rand(2, *shape, 64, 64) for name, shape in shapes.items()}
    truth = torch.rand(2, net.num_horizons, 64, 64)
    others = [p for n, p in net.named_parameters() if not n.startswith(("lower.", "upper."))]

    def twice() -> None:
        net.isolated = False
        net.zero_grad()
        central, quantiles = losses(net(**inputs), truth)
        central.backward(retain_graph=True)
        kept = [parameter.grad for parameter in others]
        for parameter in others:
            parameter.grad = None
        quantiles.backward()
        for parameter, grad in zip(others, kept, strict=True):
            parameter.grad = grad

    def once() -> None:
        net.isolated = True
        net.zero_grad()
        sum(losses(net(**inputs), truth)).backward()

    taken = compare(twice, once, rounds=5)
    return Row("QuantileConvLSTM, training step", "two passes back", *taken, goal=1.15)


def losses(said: Quantiles, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error of the centre; pinball of both ends."""
    assert said.lower is not None
    assert said.upper is not None
    ends = ((truth - said.lower, 0.025), (truth - said.upper, 0.975))
    pinball = [torch.maximum(q * error, (q - 1) * error).mean() for error, q in ends]
    return (said.central - truth).square().mean(), pinball[0] + pinball[1]


class Harmonic:
    """One formula: a power of the sine, a polynomial of the cosine, a wave; a norm before all."""

    def __init__(self, degree: int, order: int) -> None:
        self.order = order
        share = math.factorial(degree - abs(order)) / math.factorial(degree + abs(order))
        norm = math.sqrt((2 * degree + 1) / (4 * math.pi) * share * (2 if order else 1))
        derivative = Legendre.basis(degree).deriv(abs(order)) if order else Legendre.basis(degree)
        self.terms = [
            (power, norm * float(factor))
            for power, factor in enumerate(derivative.convert(kind=Polynomial).coef)
            if not np.isclose(factor, 0)
        ]

    def __call__(self, azimuth: Tensor, polar: Tensor) -> Tensor:
        x = polar.cos()
        value = sum(factor * x**power for power, factor in self.terms)
        if not self.order:
            return value
        wave = torch.sin if self.order < 0 else torch.cos
        return (1 - x**2) ** (abs(self.order) / 2) * value * wave(abs(self.order) * azimuth)


HARMONICS = [Harmonic(d, order) for d in range(DEGREES) for order in range(-d, d + 1)]


def one_by_one(lonlat: Tensor) -> Tensor:
    """Each harmonic by its own formula, as upstream's generated code has them (N, L * L)."""
    azimuth, polar = (
        angle.flatten().deg2rad() for angle in (lonlat[:, 0] + 180, lonlat[:, 1] + 90)
    )
    return torch.stack([harmonic(azimuth, polar) for harmonic in HARMONICS], dim=-1)
