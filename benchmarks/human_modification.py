"""Parts of the Human Modification forecaster: location encoding and the backward pass."""

import math

import numpy as np
import torch
from numpy.polynomial import Legendre, Polynomial
from torch import Tensor

from benchmarks.harness import Row, compare
from openstl_ext.interfaces import HorizonForecast
from openstl_ext.layers.location_encoding import LocationEncoding, spherical_harmonics
from openstl_ext.models.quantile_convlstm import QuantileConvLSTM

DEGREES = 10


def rows() -> list[Row]:
    torch.manual_seed(0)
    lonlat = torch.rand(8, 2, 128, 128) * 60  # the published batch size and chip size
    return [harmonics_row(lonlat), encoding_row(lonlat), isolation_row()]


def harmonics_row(lonlat: Tensor) -> Row:
    """100 spherical harmonics per pixel."""
    taken = compare(
        lambda: one_by_one(lonlat), lambda: spherical_harmonics(lonlat, DEGREES), rounds=3
    )
    return Row("spherical harmonics, 8 x 128 x 128", "a formula each, float32", *taken, goal=3.5)


def encoding_row(lonlat: Tensor) -> Row:
    """8 location features per pixel, forward and backward."""
    encoding = LocationEncoding(8, degrees=DEGREES)

    def plain() -> None:
        first, second, last = encoding.net.layers
        x = one_by_one(lonlat)
        last(torch.sin(second(torch.sin(30 * first(x))))).square().mean().backward()

    taken = compare(plain, lambda: encoding(lonlat).square().mean().backward(), rounds=3)
    baseline = "a formula each, pixels as rows"
    return Row("location encoding, forward and backward", baseline, *taken, goal=1.3)


def isolation_row() -> Row:
    """A training step in which the quantile losses train their own heads only."""
    net = QuantileConvLSTM(hidden_channels=32, location_channels=0)
    shapes = {"frames": (3, 1), "dynamic": (3, 10), "static": (7,)}
    inputs = {name: torch.rand(2, *shape, 64, 64) for name, shape in shapes.items()}
    target = torch.rand(2, net.num_horizons, 64, 64)
    others = [p for n, p in net.named_parameters() if not n.startswith(("lower.", "upper."))]

    def twice() -> None:
        net.isolated = False
        net.zero_grad()
        central, quantiles = losses(net(**inputs), target)
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
        sum(losses(net(**inputs), target)).backward()

    taken = compare(twice, once, rounds=5)
    return Row("QuantileConvLSTM, training step", "two passes back", *taken, goal=1.15)


def losses(forecast: HorizonForecast, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared error of the central forecast and the pinball loss of both bounds."""
    assert forecast.quantiles is not None
    lower, upper = forecast.quantiles.unbind(dim=1)
    ends = ((target - lower, 0.025), (target - upper, 0.975))
    pinball = [torch.maximum(q * error, (q - 1) * error).mean() for error, q in ends]
    return (forecast.forecast - target).square().mean(), pinball[0] + pinball[1]


class Harmonic:
    """One harmonic: norm x power of the sine x polynomial of the cosine x sine or cosine wave."""

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
    """Return each harmonic by a formula of its own, as upstream's generated code (N, L * L)."""
    azimuth, polar = (
        angle.flatten().deg2rad() for angle in (lonlat[:, 0] + 180, lonlat[:, 1] + 90)
    )
    return torch.stack([harmonic(azimuth, polar) for harmonic in HARMONICS], dim=-1)
