"""Colours, fonts and sizes of all pictures.

The colours are those of Okabe and Ito, which readers with any colour vision tell apart; colormaps
are ordered by lightness, so that they survive a print in grey.

Source:
    Okabe and Ito, Color Universal Design, 2008. https://jfly.uni-koeln.de/color
"""

DPI = 150
FONT = "DejaVu Sans"  # included in matplotlib, so a picture is the same everywhere

INK, FAINT, LINE = "#222222", "#6b6b6b", "#b5b5b5"
"""Text, notes and baselines, frames and grids."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colours of methods, in the order in which they are named."""
MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES = ((0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.2, 1.5)))
"""Dashes of baselines, which are grey."""

CLASSES = ("#dddddd", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#56b4e9", "#d55e00")
"""Colours of the first eight classes; the first class is often the background."""
MORE_CLASSES = (
    *("#882255", "#999933", "#332288", "#88ccee", "#661100", "#117733", "#aa4499", "#6699cc"),
)
FOUND, FALSE_ALARM, MISSED = "#0072b2", "#d55e00", "#f0e442"
"""Colours of one class against all others, distinct from any grey."""
UNKNOWN = "#4d4d4d"
"""Colour of an unknown label."""

VALUES, DIVERGING = "viridis", "RdBu_r"
"""Colormaps of values, and of differences, whose middle is white."""
MISSING = ("#9a9a9a", "#e754c4", "#3fae49")
"""Candidate colours of missing data, in order of preference; see ``scales.with_missing``."""
NO_DATA = "#cdbfe3"
"""Colour of missing data in images of three bands, which may have any grey."""
EMPTY = "#eeeeee"
"""Colour of a cell of a table without a value."""

TITLE, NAME, TEXT, SMALL = 10, 8, 7.5, 7
"""Sizes of text in points: titles, axes, legends, ticks and notes."""
