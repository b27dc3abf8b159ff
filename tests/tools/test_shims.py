"""Scripts of tools/ that call a command."""

import contextlib
import io
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
SHIMS = {
    "train.py": "train",
    "test.py": "test",
    "predict.py": "predict",
    "profile.py": "profile",
    "visualize_grid.py": "visualize",
    "leaderboard.py": "leaderboard",
    "plot_horizons.py": "plot-horizons",
    "convert_checkpoint.py": "convert",
    "prepare_data/taxibj.py": "data taxibj",
    "prepare_data/kth.py": "data kth",
    "prepare_data/moving_mnist.py": "data moving-mnist",
    "prepare_data/human_modification.py": "data human-modification",
    "prepare_data/lts_segmentation.py": "data lts",
    "prepare_data/generate_boiling_data.py": "data boiling",
    "prepare_data/create_dataloader.py": "data split",
    "prepare_data/pack_frames.py": "data pack",
}


@pytest.mark.parametrize("script", SHIMS)
def test_a_script_calls_its_command(script: str) -> None:
    """Command lines in scripts and notes of users would end in an error."""
    out = io.StringIO()
    arguments = mock.patch.object(sys, "argv", [str(TOOLS / script), "--help"])
    with arguments, contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOOLS / script), run_name="__main__")
    assert ended.value.code == 0
    assert out.getvalue().startswith(f"usage: openstl-ext {SHIMS[script]} ")


@pytest.mark.slow
def test_the_script_named_profile_does_not_hide_the_module_of_python() -> None:
    """Torch imports cProfile, which would then import tools/profile.py."""
    command = [sys.executable, str(TOOLS / "profile.py"), "boiling/simvp_gsta_small"]
    shape = ("--shape", "2", "1", "8", "8")
    done = subprocess.run([*command, *shape], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
