"""Escaped texts and aligned tables of Markdown."""

import re
from collections.abc import Sequence

from openstl_ext.errors import printable

MARKUP = re.compile(
    r"[\\`*\[\]|~$]"  # emphasis, code, links, cells, strikethrough, formulas
    r"|(?<!\w)_|_(?!\w)"  # emphasis; inside of a word it has no effect
    r"|(?<=:)/(?=/)|(?<=www)\."  # addresses become links
    r"|^[#+=-](?=[\s#=-]|$)|^\d+[.)](?=\s)|^>"  # headings, lists and quotations
)
ENTITIES = {"<": "&lt;", "&": "&amp;"}
PLAIN = re.compile(r"[^`|<>&\s]+(?: [^`|<>&\s]+)*")
"""Texts that a code span shows as they are, in a cell of a table too."""


def escaped(text: object) -> str:
    """Return a text that Markdown and HTML show as it is, in one line."""
    line = " ".join(printable(str(text)).split())
    line = re.sub(r"<|&(?=#?\w+;)", lambda found: ENTITIES[found[0]], line)
    return MARKUP.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", line)


def code(text: object) -> str:
    """Return a text as a code span, or escaped where a span would end in it."""
    line = printable(str(text))
    return f"`{line}`" if PLAIN.fullmatch(line) else escaped(line)


def aligned(head: Sequence[str], body: Sequence[Sequence[str]], *, texts: int) -> str:
    """Write a table of escaped cells: the first columns are texts, the others numbers."""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = ["-" * w if k < texts else "-" * (w - 1) + ":" for k, w in enumerate(widths)]
    sides = [str.ljust if k < texts else str.rjust for k in range(len(widths))]
    lines = [
        " | ".join(side(cell, w) for side, cell, w in zip(sides, cells, widths, strict=True))
        for cells in (head, rule, *body)
    ]
    return "\n".join(f"| {line} |" for line in lines)
