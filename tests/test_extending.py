"""The plugins of docs/extending.md, in a folder of their own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/extending.md"
FENCED = re.compile(r"```python\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the documented files into a folder of their own."""
    home = tmp_path_factory.mktemp("home")
    files = FENCED.findall(PAGE.read_text())
    assert len(files) == 6, "a model, a dataset, a metric, a method, an ensemble and a config"
    for name, text in files:
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return home


@pytest.fixture(scope="module")
def run(lab: Path) -> subprocess.CompletedProcess:
    """Make the toy data with the documented dataset, then train and test."""
    toy = "from my_lab.tides import Tides; from pathlib import Path; Tides.make_toy(Path())"
    data = lab / "data/tides"
    data.mkdir(parents=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    importing = {**environment, "PYTHONPATH": str(lab)}
    subprocess.run([sys.executable, "-c", toy], cwd=data, env=importing, check=True)
    command = [sys.executable, "-m", "openstl_ext", "train", "my_lab/config.py", "--test"]
    return subprocess.run(
        [*command, "--work-dir", "out"],
        cwd=lab,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_documented_plugins_are_trained_and_tested(
    lab: Path, run: subprocess.CompletedProcess
) -> None:
    """Users would start from code that does not run."""
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads((lab / "out/result.json").read_text())
    assert {"mse", "bias_abs", "bias_abs@6"} <= set(result["metrics"])
    assert set(result["baselines"]) == {"Persistence", "TrainingMean", "LinearExtrapolation"}
