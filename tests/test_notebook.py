"""The notebook of the documentation, executed from its first cell to its last."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs/first_forecast.ipynb"
CHECK = """
for name in ("SimVP", "ChangeNet"):
    assert scores[name]["mse"] < 0.5 * scores["Persistence"]["mse"]
"""


@pytest.fixture(scope="module")
def cells() -> list[dict]:
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert book["nbformat"] == 4
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


@pytest.mark.slow
def test_the_notebook_runs_and_its_nets_learn(cells: list[dict], tmp_path: Path) -> None:
    """Newcomers would start with an error."""
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join(["".join(cell["source"]) for cell in cells] + [CHECK]))
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SimVP" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"notebook.py"}, "the run left files"


def test_the_stored_outputs_are_those_of_one_complete_execution(cells: list[dict]) -> None:
    """The page would show results of cells that were edited afterwards, or errors."""
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
