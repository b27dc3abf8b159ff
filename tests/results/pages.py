"""Boards of synthetic runs on disk, for pages."""

import base64
import html.parser
import random
from pathlib import Path
from typing import Any

from openstl_ext.results.board import Board, board_of
from openstl_ext.results.protocol import protocol_of
from openstl_ext.results.record import Record
from openstl_ext.results.table import tables_of

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def record(name: str, config: str, mse: float, **changes: Any) -> Record:
    """Return a record of a video forecast with two leads."""
    size = changes.pop("size", 30)
    known: dict[str, Any] = {
        "config": config,
        "name": name,
        "method": "DirectForecast",
        "model": "SimVP",
        "protocol": protocol_of(
            {"type": "Boiling", "split": "test"},
            [{"type": "SummedMSE"}, {"type": "SSIM"}],
            {"name": "boiling", "channels": [], "lead": [1, "frame"]},
            size=size,
            shapes={"inputs.frames": (2, 1, 8, 8), "data_samples.frames": (2, 1, 8, 8)},
        ),
        "metrics": {
            "mse_sum": mse,
            "mse_sum@1": mse - 1,
            "mse_sum@2": mse + 1,
            "ssim": 1 / mse if mse else 0.0,
        },
        "about": {
            "mse_sum": {"unit": "1", "higher_is_better": False, "interval": [mse - 2, mse + 2]},
            "ssim": {"unit": "1", "higher_is_better": True},
        },
        "num_parameters": 46_769_665,
        "flops": 16.53e9,
        "flops_apart": {"scan": 1e9},
        "frames_per_second": {
            "value": 312.0,
            "device": "cpu",
            "batch_size": 1,
            "dtype": "float32",
        },
        "latency": {"value": 0.0123, "device": "cpu", "dtype": "float32", "calls": 81},
        "peak_memory": 512_000_000,
        "environment": {"device": "x86_64", "threads": 2},
        "seed": 0,
        "training": {"model.type": "DirectForecast"},
        "training_time": [{"seconds": 7560.0, "devices": 1, "device": "x86_64 (2 threads)"}],
        "date": "2026-01-01T00:00:00Z",
    }
    return Record(**{**known, **changes})


def write(folder: Path, found: Record) -> None:
    """Write a run with its config, log, checkpoint and picture."""
    run = folder / "work dirs" / found.config / f"seed_{found.seed}"
    run.mkdir(parents=True, exist_ok=True)
    found.write(run / "result.json")
    (run / "config.py").write_text("model = dict()\n")
    (run / "day").mkdir()
    (run / "day" / "day.log").write_text("")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "best.pth").write_bytes(b"")
    (run / "grid.png").write_bytes(PIXEL)


class Outline(html.parser.HTMLParser):
    """Collect the tags, attributes and texts of a page, and check that tags are closed."""

    EMPTY = ("meta", "link", "input", "img", "path", "circle", "polyline", "polygon", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(" ".join(data.split()))


def published(folder: Path) -> Board:
    """Return a table with published results."""
    names = {"SummedMSE": "mse_sum", "SummedMAE": "mae_sum"}
    protocol = protocol_of(
        {"type": "TaxiBJ", "split": "test"},
        [{"type": name} for name in names],
        {"name": "taxibj", "channels": [], "lead": [30, "minute"]},
        size=500,
        shapes={"inputs.frames": (4, 2, 32, 32), "data_samples.frames": (4, 2, 32, 32)},
    )
    scores = {"mse_sum": 0.3246, "mae_sum": 15.03}
    about = {name: {"unit": "1", "higher_is_better": False} for name in scores}
    for number, name in enumerate(("SimVP-gSTA", "Mine")):
        source = {"claimed": scores} if not number else {}
        facts = {"protocol": protocol, "metrics": scores, "about": about, "source": source}
        write(folder, record(name, f"taxibj/net_{number}", 0.0, **facts))
    return board_of([folder])


def two_tables(folder: Path) -> Board:
    """Return a table with three seeds, a probe, a hostile name and a baseline, and a second one."""
    checkpoint = {"file": "best.pth", "sha256": "0" * 64, "epoch": 1, "iteration": 1}
    baselines = {"Persistence": {"mse_sum": 40.0, "mse_sum@1": 30.0, "mse_sum@2": 50.0}}
    common = {"baselines": baselines, "checkpoint": checkpoint}
    for seed, mse in enumerate((9.5, 10.0, 10.5)):
        weights = {**checkpoint, "sha256": str(seed) * 64}
        run = {"seed": seed, "baselines": baselines, "checkpoint": weights}
        write(folder, record("SimVP", "boiling/simvp", mse, **run))
    hostile = "<script>alert(1)</script>"
    write(folder, record(hostile, "boiling/other", 12.0, num_parameters=1_000_000, **common))
    write(folder, record("Probe", "boiling/probe", 8.0, overrides=["lr=1"], **common))
    selection = {"split": "test", "on_test": True}
    second = {"size": 31, "synthetic": True, "selection": selection}
    write(folder, record("ConvLSTM", "boiling/convlstm", 20.0, **second, **common))
    return board_of([folder])


def many_runs(number: int, folder: Path | None = None) -> Board:
    """Return a table of many configs with ten scores, intervals of all and ten leads of two.

    Args:
        number: Runs, one of each config.
        folder: Folder of config, log and checkpoint of each run, as they are after a training;
            None for no files.
    """
    rng = random.Random(0)
    places = []
    for index in range(number):
        mse = round(rng.uniform(10, 40), 5)
        metrics = {"mse_sum": mse, "ssim": 1 / mse if mse else 0.0}
        metrics |= {f"score_{k}": rng.uniform(0, 100) for k in range(8)}
        about = {
            name: {"unit": "1", "higher_is_better": name == "ssim", "interval": [v - 1.2, v + 1.1]}
            for name, v in metrics.items()
        }
        leads = {
            f"{name}@{lead}": metrics[name] * (0.5 + lead / 10)
            for name in ("mse_sum", "score_0")
            for lead in range(1, 11)
        }
        config = f"boiling/family_{index % 9}/net_{index}"
        found = record(
            f"Net {index}",
            config,
            mse,
            metrics={**metrics, **leads},
            about=about,
            num_parameters=rng.randrange(10**5, 10**8),
            checkpoint={"file": "best.pth", "sha256": f"{index:064x}", "epoch": 1, "iteration": 1},
        )
        run = (folder or Path()) / "work_dirs" / config / "seed_0"
        if folder:
            (run / "20260101_000000").mkdir(parents=True)
            (run / "checkpoints").mkdir()
            (run / f"net_{index}.py").touch()
            (run / "20260101_000000/20260101_000000.log").touch()
            (run / "checkpoints/best.pth").touch()
        places.append((found, run / "result.json"))
    return Board(tables=tuple(tables_of([r for r, _ in places])), places=tuple(places))
