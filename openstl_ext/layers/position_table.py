"""Positions of the patches of an image: a table of sines and cosines, and its interpolation."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError


def sincos_positions(dim: int, height: int, width: int) -> Tensor:
    """Compute the position of each patch, after a row of zeros for the class token.

    The first half of a row encodes the column of its patch and the second half the row, each as
    sines, then cosines, of frequencies from 1 down to 1/10,000.

    Args:
        dim: Width D of a token, a multiple of 4.
        height: Rows of patches.
        width: Columns of patches.

    Shape:
        - returns: (1, 1 + height * width, D), float32.

    Raises:
        ConfigError: If D is not a multiple of 4.

    Source:
        He et al., Masked autoencoders (arXiv:2111.06377); the published code has the same order.
    """
    if dim % 4:
        raise ConfigError(f"the width of a token with positions is a multiple of 4, got {dim}")
    frequencies = 10_000 ** -(torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
    rows, columns = torch.meshgrid(
        torch.arange(height, dtype=torch.float64),
        torch.arange(width, dtype=torch.float64),
        indexing="ij",
    )
    angles = [axis.reshape(-1, 1) * frequencies for axis in (columns, rows)]
    table = torch.cat([wave for a in angles for wave in (a.sin(), a.cos())], dim=1)
    return torch.cat([table.new_zeros(1, dim), table])[None].float()


def resized_positions(table: Tensor, height: int, width: int) -> Tensor:
    """Interpolate the positions of a square grid bicubically for another number of patches.

    Args:
        table: Positions of the class token and of a square grid.
        height: Rows of patches.
        width: Columns of patches.

    Shape:
        - table: (1, 1 + S * S, D); returns: (1, 1 + height * width, D).

    Raises:
        ShapeError: If the table is not that of a square grid.

    Source:
        SMARTIES, ``interpolate_pos_embed``, for any grid. https://github.com/gsumbul/SMARTIES
    """
    side = math.isqrt(int(table.shape[1]) - 1)
    if side * side != table.shape[1] - 1:
        raise ShapeError(f"{table.shape[1] - 1} positions are not those of a square grid")
    if (height, width) == (side, side):
        return table
    grid = table[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(height, width), mode="bicubic", align_corners=False)
    return torch.cat([table[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


def with_resized_positions(weights: Mapping[str, Tensor], own: Tensor) -> dict[str, Tensor]:
    """Return weights with ``positions`` interpolated for the grid of another table.

    Fixed positions are interpolated like trained ones: a net that was trained with a table has
    never received values beyond it, such as those of a larger table of sines and cosines.

    Args:
        weights: Weights of a part, by name.
        own: Positions (1, 1 + S * S, D) of the net that receives them.

    Raises:
        ShapeError: If the table is not that of a square grid.
    """
    table = weights.get("positions")
    if table is None or table.ndim != 3 or table.shape[1] == own.shape[1]:
        return dict(weights)
    side = math.isqrt(own.shape[1] - 1)
    return {**weights, "positions": resized_positions(table, side, side)}
