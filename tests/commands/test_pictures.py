"""The commands that plot spectra, reliability, ranks, score cards and trainings."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from openstl_ext import cli
from openstl_ext.errors import UserError
from tests.comparison.test_compare import write_run

PNG = b"\x89PNG"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write two runs with saved forecasts, quantiles, members and logs, in the current folder."""
    draw = np.random.default_rng(0)
    truth = {name: draw.normal(size=(3, 1, 12, 8)).astype("float32") for name in ("s0", "s1")}
    for number in range(2):
        run = tmp_path / f"runs/net{number}"
        for name, frames in truth.items():
            around = np.stack([frames - 1, frames + 0.5 + number, frames + 2], axis=1)
            parts = {"inputs": frames, "trues": frames, "preds": frames / (1 + number)}
            parts |= {"quantiles": around, "ensemble": around}
            for kind, arrays in parts.items():
                (run / "saved" / kind / name).mkdir(parents=True)
                for t, array in enumerate(arrays):
                    np.save(run / "saved" / kind / name / f"{t}.npy", array)
        about = {"config": f"toy/net{number}", "quantile_levels": [0.1, 0.5, 0.9]}
        (run / "saved/about.json").write_text(json.dumps(about))
        lines = [{"step": k, "phase": "train", "loss": 1 / k} for k in range(1, 5)]
        lines.append({"step": 4, "phase": "val", "mse": 0.5})
        (run / "scalars.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["plot-power-spectra", "runs/net0", "runs/net1", "--lead", "2"], "power_spectra.png"),
        (["plot-reliability", "runs/net0", "runs/net1/saved"], "reliability.png"),
        (["plot-rank-histogram", "runs/net0", "--lead", "3"], "rank_histogram.png"),
        (["plot-training", "runs", "--metric", "mse"], "training.png"),
    ],
)
def test_a_picture_is_written_and_its_path_printed(
    place: Path, words: list[str], written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Results would have no picture, or another one with each call."""
    cli.call(words)
    assert capsys.readouterr().out == f"{written}\n"
    first = (place / written).read_bytes()
    assert first.startswith(PNG)
    cli.call([*words, "--out", "new/again.png"])
    assert (place / "new/again.png").read_bytes() == first


def test_a_score_card_and_bands_of_samples_are_drawn(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The paired test would have no picture."""
    write_run(place / "work_dirs", "toy/a", 0.5, baselines={"Persistence": 1.0})
    cli.call(["plot-score-card", "work_dirs", "--compare", "toy/a", "Persistence"])
    assert (place / "score_card.png").read_bytes().startswith(PNG)
    metric = ["--metric", "mse_sum"]
    cli.call(["plot-horizons", "work_dirs", *metric, "--out", "seeds.png"])
    cli.call(["plot-horizons", "work_dirs", *metric, "--band", "samples", "--out", "band.png"])
    assert (place / "band.png").read_bytes() != (place / "seeds.png").read_bytes()
    assert capsys.readouterr().out == "score_card.png\nseeds.png\nband.png\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plot-power-spectra", "nowhere"], "has no folder preds"),
        (["plot-power-spectra", "runs/net0", "--lead", "9"], "there is no lead 9"),
        (["plot-power-spectra", "runs/net0", "--channel", "x"], "there is no channel 'x'"),
        (["plot-power-spectra", "runs/net0", "runs/net0"], "given twice"),
        (["plot-reliability", "none.npz"], "is not a file of arrays"),
        (["plot-reliability", "runs/net0", "--lead", "0"], "there is no lead 0"),
        (["plot-training", "runs", "--metric", "mze"], "did you mean 'mse'"),
        (["plot-training", "runs", "--out", "a.pdf"], "must end with .png"),
        (["plot-score-card", "runs", "--compare", "a", "b"], "no result.json below runs"),
        (["plot-rank-histogram", "old"], "has no members of an ensemble"),
    ],
)
def test_a_mistake_is_one_sentence(place: Path, words: list[str], message: str) -> None:
    """A new user would get a traceback."""
    (place / "old/preds").mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        cli.call(words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pictures_of_files_need_no_torch(place: Path) -> None:
    """Results could not be plotted on a laptop without torch."""
    lines = [
        ["plot-training", "runs"],
        ["plot-reliability", "runs/net0"],
        ["visualize", "runs/net0", "s0", "--out", "a.gif"],
    ]
    code = (
        f"import sys; from openstl_ext import cli; [cli.call(line) for line in {lines}]; "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True)
    assert done.returncode == 0, done.stderr
