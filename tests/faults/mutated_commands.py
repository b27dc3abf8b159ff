"""Mutated command lines: each ends with status 0 or 2, without a traceback and without remains."""

import contextlib
import functools
import io
import os
import random
import runpy
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from unittest.mock import patch
from urllib import request
from urllib.error import URLError

import numpy as np
import torch

from openstl_ext import cli
from openstl_ext.atomic_io import PART
from openstl_ext.datasets.download import fetch
from openstl_ext.interop import adapter_of
from tests.commands.conftest import RECIPE
from tests.faults.row import Row

TOOLS = Path(__file__).parents[2] / "tools"
SECONDS = 60
"""Time that one command may take."""
TOY = "configs/toy.py"
BEST = "run/checkpoints/best.pth"

LINES = [
    "convert theirs.pth out/converted.pth --source openstl --config simvp.py",
    "data split --data_path data --train_ratio 0.5 --val_ratio 0.25 --total_length 4 --seed 1",
    "data pack --data_path packed",
    "data boiling --data_path out/b --num_samples 2 --num_frames 4 --image_size 8 --seed 0",
    "data kth --root out/kth --source folder",
    "data moving-mnist --miniature --root out/mnist",
    "data taxibj --miniature --root out/taxibj",
    "data lts verify --root lts --patch-size 16",
    "data lts cut --root lts --patch-size 16 --block-size 32 --buffer 0 --seed 0",
    "data human-modification verify --root data",
    "demo --num-samples 0 --max-epochs 0",
    "doctor",
    "leaderboard run --out out/board.csv --metrics mse_sum --format md,csv --strict",
    "list metric --markdown",
    "new model TideNet",
    "new dataset TideGauges",
    "plot-horizons run --metric mse_sum --out out/horizons.png",
    "plot-spectrum rgb sentinel2_l2a --out out/spectrum.png",
    f"predict {TOY} {BEST} --input frames.npy --out out/f.npy --batch-size 2 --horizon 2 --last",
    f"predict {TOY} {BEST} --input frames.npy --out out/forecasts --tile 16 --overlap 4 --amp",
    f"profile {TOY} --batch-size 1 --shape 10 1 16 16 --horizon 2",
    f"test {TOY} {BEST} --work-dir out/run --seed 0 --launcher none",
    f"train {TOY} --work-dir out/run --seed 0 --dry-run --cfg-options model.net.kernel_size=3",
    "visualize run/saved SAMPLE --colormap viridis --channel 0 --max-columns 3 --out out/grid.png",
]
"""A line that works, or nearly, of each command."""
SHIMS = {
    "convert": "convert_checkpoint",
    "leaderboard": "leaderboard",
    "plot-horizons": "plot_horizons",
    "predict": "predict",
    "profile": "profile",
    "test": "test",
    "train": "train",
    "visualize": "visualize_grid",
    "data split": "prepare_data/create_dataloader",
    "data pack": "prepare_data/pack_frames",
    "data boiling": "prepare_data/generate_boiling_data",
    "data kth": "prepare_data/kth",
    "data lts": "prepare_data/lts_segmentation",
}
SIMVP = {"in_shape": (3, 1, 8, 8), "hid_S": 4, "hid_T": 6, "N_S": 2, "N_T": 2, "mlp_ratio": 2}
SLOW = ("demo", "doctor", "list", "profile", "test", "train", "convert")
"""Commands that take a second or more where they succeed."""
KINDS = ("drop", "double", "swap", "value", "insert", "option", *3 * ("number", "path"))
NUMBERS = [
    *("-1", "0", "1", "3", "7", "1000000000", "99999999999999999999", "-99999999999999999999"),
    *("1e309", "nan", "inf", "-inf", "0.5", "1_0", "\N{ARABIC-INDIC DIGIT THREE}", "0x10", "1e3"),
]
FILES = [
    *("text.txt", "empty.npy", "cut.npy", "bad.json", "words.npy", "folder", "loop", "missing/x"),
    *("text.txt/x", "/proc/nothing/x", "/dev/null", "/dev/full", ".", "out", "data", "run", TOY),
    *("bad.py", BEST, "theirs.pth", "frames.npy", "folder/" + "y" * 260, "run/result.json", "lts"),
    *("run/saved", "data.npy", "simvp.py", "three.npy", "integers.npy", "objects.npy", "nan.npy"),
]
VALUES = [
    *NUMBERS,
    *FILES,
    *(
        "",
        " ",
        "\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{SNOWMAN}",
        "\x1b[2J",
        "a\nb",
        "x" * 300,
        "\udcff",
    ),
    *("--", "-", "=", "a=b", "None", "True", "[]", "{}", "()", "'", "$x$", "%s", "*", "~", "\0"),
    *(
        "model.net=3",
        "seed=",
        "+a.b.c=1",
        "train_cfg=None",
        "model.net.type=Nothing",
        "test_dataloader.dataset.root=/dev/null",
    ),
]
OPTIONS = [
    *("--out", "--help", "--seed", "--work-dir", "--cfg-options", "--nothing", "--tile", "--root"),
    *("--input", "--region", "--metrics", "--format", "--resume", "--dry-run", "--strict", "-h"),
    *("--probability", "--calibration", "--device", "--rgb", "--class", "--track", "--config"),
]


@dataclass(frozen=True)
class Outcome:
    """Outcome of a command line.

    Args:
        line: The arguments.
        status: Exit status; None for a traceback or a command that was stopped.
        problem: What is wrong; empty if nothing is.
    """

    line: list[str]
    status: int | None
    problem: str


class TooLongError(BaseException):
    """A command took too long."""


def mutations(seed: int, number: int, *, fast: bool = False) -> Iterator[list[str]]:
    """Yield mutated command lines; equal seeds give equal lines.

    Args:
        seed: Seed of the choices.
        number: Number of lines.
        fast: Whether to leave out commands that take seconds.
    """
    chance = random.Random(seed)
    lines = [line.split() for line in LINES]
    if fast:
        lines = [line for line in lines if line[0] not in SLOW and "--miniature" not in line]
    for count in range(number):
        line = list(lines[count % len(lines)])
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            line = mutated(line, chance)
        yield line


def mutated(line: list[str], chance: random.Random) -> list[str]:
    """Return a command line with one mutation; the command stays."""
    head, rest = line[:1], line[1:]
    place = chance.randrange(len(rest) + 1)
    kind = chance.choice(KINDS)
    if kind == "insert" or not rest:
        return [*head, *rest[:place], chance.choice(VALUES), *rest[place:]]
    if kind == "option":
        return [*head, *rest[:place], chance.choice(OPTIONS), *rest[place:]]
    at = min(place, len(rest) - 1)
    numbers = [i for i, word in enumerate(rest) if word.replace(".", "", 1).isdigit()]
    paths = [i for i, word in enumerate(rest) if "/" in word or "." in word]
    if kind == "number" and numbers:
        rest[chance.choice(numbers)] = chance.choice(NUMBERS)
        return [*head, *rest]
    if kind == "path" and paths:
        rest[chance.choice(paths)] = chance.choice(FILES)
        return [*head, *rest]
    if kind == "drop":
        return [*head, *rest[:at], *rest[at + 1 :]]
    if kind == "double":
        return [*head, *rest[:at], rest[at], *rest[at:]]
    if kind == "swap":
        other = chance.randrange(len(rest))
        rest[at], rest[other] = rest[other], rest[at]
        return [*head, *rest]
    rest[at] = chance.choice(VALUES)
    return [*head, *rest]


def run(line: list[str], *, as_tool: bool = False) -> Outcome:
    """Run a command line in this process and in the present folder; new files are removed."""
    before = listed()
    said = io.StringIO()
    problem, status = "", None
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            _call(line, as_tool=as_tool)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except TooLongError:
        problem = f"took more than {SECONDS} s"
    except BaseException:
        problem = traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    after = listed()
    new = after - before
    if not problem and (status not in (0, 2) or "Traceback (most recent" in said.getvalue()):
        problem = f"status {status}: {said.getvalue()[-2000:]}"
    gone = sorted(name for name in before - after if not os.path.lexists(name))
    if not problem and gone:
        problem = f"removed {gone[:3]}"
    if not problem and any(PART in name for name in new):
        problem = f"left {sorted(new)[:3]}"
    # a run writes its log before its first error
    if not problem and status == 2 and line[0] not in ("train", "test", "doctor", "data") and new:
        problem = f"refused, but wrote {sorted(new)[:3]}"
    for name in new:
        path = Path(name)
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(True)
    Path("out").mkdir(exist_ok=True)
    return Outcome(line, status, problem)


def _call(line: list[str], *, as_tool: bool) -> None:
    tool = SHIMS.get(" ".join(line[:2])) or SHIMS.get(line[0])
    if not as_tool or tool is None:
        cli.main(line)
        return
    words = 2 if " ".join(line[:2]) in SHIMS else 1
    argv = sys.argv
    sys.argv = [str(TOOLS / f"{tool}.py"), *line[words:]]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.argv = argv


def _stop(signum: int, frame: FrameType | None) -> None:
    raise TooLongError


def listed() -> set[str]:
    """Return the files and empty folders below the present folder, but not caches."""
    found = set()
    for here, folders, files in os.walk("."):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found |= {os.path.join(here, name) for name in files}
        if not folders and not files and here != "./out":
            found.add(here)
    return found


def prepare(folder: Path) -> None:
    """Copy what the commands read into a folder."""
    shutil.copytree(_made().name, folder, symlinks=True, dirs_exist_ok=True)


@functools.cache
def _made() -> "tempfile.TemporaryDirectory[str]":
    """Make the files once for a process; they are removed when it ends."""
    made = tempfile.TemporaryDirectory()
    make(Path(made.name))
    return made


def make(folder: Path) -> None:
    """Write the data, a trained and tested run, and files of wrong kinds into a folder."""
    from openstl_ext.datasets.boiling.dataset import Boiling
    from openstl_ext.datasets.synthetic.landscape import write_toy

    for name in ("data", "lts", "packed", "folder", "out", "configs"):
        (folder / name).mkdir()
    Boiling.make_toy(folder / "data")
    write_toy(folder / "lts")
    for sample in ("a", "b"):
        (folder / "packed" / sample).mkdir()
        for t in range(3):
            np.save(folder / "packed" / sample / f"{t}.npy", np.zeros((4, 4), np.float32))
    (folder / TOY).write_text(RECIPE.replace("max_epochs=2", "max_epochs=1"))
    match = adapter_of("openstl", "SimVP_Model", SIMVP)
    state = match.net.state_dict()
    torch.save({name: state[key] for key, name in match.theirs.items()}, folder / "theirs.pth")
    net = {"type": "SimVP", **match.arguments}
    model = {"type": "DirectForecast", "net": net, "loss": {"type": "L2"}}
    (folder / "simvp.py").write_text(f"model = {model!r}\n")
    (folder / "bad.py").write_text("model = dict(\n")
    (folder / "text.txt").write_text("text\n")
    (folder / "bad.json").write_text("{")
    (folder / "empty.npy").touch()
    np.save(folder / "frames.npy", np.random.default_rng(0).random((10, 1, 16, 16), np.float32))
    np.save(folder / "words.npy", np.array(["a", "b"]))
    np.save(folder / "three.npy", np.zeros((10, 16, 16), np.float32))
    np.save(folder / "integers.npy", np.zeros((10, 1, 16, 16), np.int64))
    np.save(folder / "objects.npy", np.array([None, {}]), allow_pickle=True)
    np.save(folder / "nan.npy", np.full((10, 1, 16, 16), np.nan, np.float32))
    (folder / "cut.npy").write_bytes((folder / "frames.npy").read_bytes()[:500])
    (folder / "loop").symlink_to("loop")
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        cli.call(["train", TOY, "--work-dir", "run"])
        cli.call(["test", TOY, "--work-dir", "run", "--save-predictions"])
        (best,) = Path("run/checkpoints").glob("best_*.pth")
        shutil.copy(best, BEST)


def outcomes(seed: int, number: int, *, fast: bool = False) -> Iterator[Outcome]:
    """Run mutated command lines in a folder of their own, a fifth of them as tools."""
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.chdir(name),
        patch.object(request, "urlopen", side_effect=URLError("no network in this test")),
        patch.object(fetch.time, "sleep"),  # between attempts
    ):
        prepare(Path(name))
        sample = min(path.name for path in Path("run/saved/preds").iterdir())
        for count, line in enumerate(mutations(seed, number, fast=fast)):
            yield run(
                [sample if word == "SAMPLE" else word for word in line], as_tool=not count % 5
            )


def rows(number: int = 500) -> Iterator[Row]:
    """Yield the row of mutated command lines."""
    found = list(outcomes(0, number))
    bad = [outcome for outcome in found if outcome.problem]
    good = len(found) - len(bad)
    note = f"{bad[0].line}: {bad[0].problem.strip().splitlines()[-1]}" if bad else ""
    yield Row("mutated command lines", len(found), good, 0, len(bad), note)


if __name__ == "__main__":
    started = time.monotonic()
    count: dict[int | None, int] = {}
    for outcome in outcomes(int(sys.argv[1]), int(sys.argv[2]), fast=len(sys.argv) > 3):
        count[outcome.status] = count.get(outcome.status, 0) + 1
        took, started = time.monotonic() - started, time.monotonic()
        if outcome.problem:
            print(f"FAULT {took:.1f} {outcome.line}\n{outcome.problem[-1200:]}", flush=True)
        elif took > 3:
            print(f"SLOW {took:.1f} {outcome.status} {outcome.line}", flush=True)
    print(count)
