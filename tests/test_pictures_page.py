"""The commands of docs/pictures.md, on small runs."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from openstl_ext import cli
from tests.comparison.test_compare import write_run

PAGE = Path(__file__).parents[1] / "docs/pictures.md"
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
Arrays = NDArray[np.float32]


def save(run: Path, name: str, about: dict, **kinds: Arrays) -> None:
    """Write one sample as a test run saves it, an array per step."""
    for kind, arrays in kinds.items():
        (run / "saved" / kind / name).mkdir(parents=True)
        for t, array in enumerate(arrays):
            np.save(run / "saved" / kind / name / f"{t}.npy", array)
    (run / "saved/about.json").write_text(json.dumps(about))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the runs and files that the page names, in the current folder."""
    draw = np.random.default_rng(0)
    truth = {name: draw.uniform(size=(13, 8, 8)).astype("float32") for name in ("3d26a", "4ea1b")}
    for seed in range(2):
        write_run(
            tmp_path / "work_dirs",
            "boiling/simvp_gsta_small",
            0.5,
            seed=seed,
            baselines={"TrainingMean": 1.0},
        )
        run = tmp_path / f"work_dirs/boiling/simvp_gsta_small/seed_{seed}"
        about = {"config": "boiling/simvp_gsta_small", "seed": seed}
        for name, frames in truth.items():
            parts = {"inputs": frames[:3], "trues": frames[3:], "preds": frames[3:] * 0.9}
            save(run, name, about, **parts)
        entries = [{"step": k, "phase": "train", "loss": 1 / k} for k in range(1, 5)]
        entries.append({"step": 4, "phase": "val", "mse": 0.5})
        (run / "scalars.jsonl").write_text("".join(json.dumps(x) + "\n" for x in entries))
    maps = draw.uniform(size=(4, 1, 8, 8)).astype("float32")
    quantiles = maps[:, None] + np.array([-0.3, 0, 0.3], "float32").reshape(1, 3, 1, 1, 1)
    run = tmp_path / "work_dirs/human_modification/small/quantile_convlstm/seed_0"
    about = {"config": "hm", "quantile_levels": [0.025, 0.5, 0.975]}
    save(run, "r0", about, inputs=maps, trues=maps, preds=maps, quantiles=quantiles)
    target = draw.normal(size=(5, 3, 1, 8, 8))
    members = target.mean() + draw.normal(size=(4, *target.shape))
    ends = np.stack([np.full_like(target, -1.6), np.full_like(target, 1.6)])
    arrays = {"target": target, "ensemble": members, "quantiles": ends}
    np.savez(tmp_path / "forecasts.npz", levels=[0.05, 0.95], **arrays)
    labels = (draw.uniform(size=(1, 8, 8)) > 0.5).astype("float32")
    probability = np.concatenate([1 - labels, labels])
    about = {"kind": "labels", "classes": ["background", "site"]}
    run = tmp_path / "work_dirs/lts/small/convgru_unet/seed_0"
    images = draw.uniform(size=(3, 4, 8, 8)).astype("float32")
    save(run, "r000_c000", about, inputs=images, trues=labels, preds=labels, probs=probability)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_documented_commands_run(folder: Path) -> None:
    """A user would start from commands that do not run."""
    commands = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    # the fixture keeps the tallies of one score
    commands = [c.replace("'mse*' 'mae*'", "'mse_sum*'") for c in commands]
    commands = [c.replace("--metric mae --metric mse", "--metric mae") for c in commands]
    commands = [c.replace("--metric mae", "--metric mse_sum") for c in commands]
    assert len(commands) == 16
    for command in commands:
        words = shlex.split(command)[1:]
        cli.call(words)
        if "--out" in words:
            with Image.open(folder / words[words.index("--out") + 1]) as image:
                assert min(image.size) > 100
                assert getattr(image, "n_frames", 1) == (
                    1 if image.format == "PNG" else 3 if words[-1] == "years.gif" else 13
                )


def test_the_pictures_of_the_page_exist_and_are_small() -> None:
    """The page would have holes, or a clone would take minutes."""
    names = re.findall(r"\]\((images/\S+)\)", PAGE.read_text())
    assert len(names) == 3
    sizes = [(PAGE.parent / name).stat().st_size for name in names]
    assert sum(sizes) < 600_000
