"""What a set looks like on disk and as published, beside what its docstring states."""

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Card:
    """Facts of a set for ``openstl-ext data info``; its licence is in the docstring of the class.

    Args:
        marks: Groups of patterns of files below the root, such as ``*/images/*.tif``. A folder in
            which all patterns of one group exist holds the set.
        is_own: Whether the layout is one for a user's own data. Such a class is taken for a folder
            only where no published set is found in it.
        samples: Number of samples of the published splits, by train, val and test.
        shape: Shape of a published sample, such as ``20 x 1 x 64 x 64``.
        note: What the numbers do not state, in one sentence.
    """

    marks: tuple[tuple[str, ...], ...] = ()
    is_own: bool = False
    samples: Mapping[str, int] = field(default_factory=dict)
    shape: str = ""
    note: str = ""


def section(cls: type, title: str) -> str:
    """Return a section of the docstring of a class; empty where it has none.

    Paragraphs and items of a list are one line each.

    Args:
        cls: The class.
        title: Title of the section, such as ``Licence``.
    """
    text = inspect.getdoc(cls) or ""
    found = re.search(rf"^{title}:\n((?:[ ].*\n|\n)*)", f"{text}\n", re.MULTILINE)
    if found is None:
        return ""
    parts = re.split(r"\n\n|\n(?=- )", textwrap.dedent(found[1]).replace("``", "").strip())
    return "\n".join(" ".join(part.split()) for part in parts)


def headline(cls: type) -> str:
    """Return the first line of the docstring of a class."""
    return (inspect.getdoc(cls) or "").partition("\n")[0].replace("``", "")
