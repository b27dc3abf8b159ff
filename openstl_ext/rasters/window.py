"""A rectangle of pixels."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Window:
    """Pixels by their place in a raster; it may reach beyond the raster's border.

    Args:
        row: First row; negative above the raster.
        column: First column; negative left of the raster.
        height: Number of rows.
        width: Number of columns.
    """

    row: int
    column: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array with; only for a window without negative ends."""
        return (
            slice(self.row, self.row + self.height),
            slice(self.column, self.column + self.width),
        )

    def meet(self, other: "Window") -> "Window | None":
        """The pixels that both hold; None if there are none."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        height = min(self.row + self.height, other.row + other.height) - row
        width = min(self.column + self.width, other.column + other.width) - column
        return Window(row, column, height, width) if height > 0 and width > 0 else None
