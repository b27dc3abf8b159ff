"""The table of full-size training steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openstl_ext.durable import write_whole

HEAD = """\
# One training step of each recipe, at full size

Made by `make full-steps` on synthetic miniatures of the data, one process a recipe. *Samples* is
how many were in the step, of those in the recipe's batch: as many as the machine bore.
Memory is the peak of the process on a CPU, that of the allocator on a GPU.

| Recipe | Samples | Seconds | Peak memory | Measured on |
|---|---|---|---|---|
"""


def add(path: Path, name: str, row: Mapping[str, Any]) -> None:
    """Put what `measure_step` said of a recipe into a Markdown table, in the place of its old row.

    Args:
        path: The table; made where it is not there.
        name: The recipe.
        row: What was measured.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = {line for line in lines if line.startswith("| `") and f"`{name}`" not in line}
    taken = f"{row['seconds']:.1f} | {row['bytes'] / 1e9:.1f} GB"
    if not row["samples"]:
        taken = f"- | more than {row['bytes'] / 1e9:.0f} GB for one sample"
    rows.add(f"| `{name}` | {row['samples']} of {row['batch_size']} | {taken} | {row['device']} |")
    write_whole(path, (HEAD + "\n".join(sorted(rows)) + "\n").encode())
