"""Scalars in JSON lines and TensorBoard, on one axis."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tensorboardX import proto
from tensorboardX.record_writer import masked_crc32c

from openstl_ext.engine.runner import build
from openstl_ext.engine.tracking import JsonLinesTracker, TensorboardXTracker
from openstl_ext.registry import VISBACKENDS
from tests.engine import toy


def tracker(folder: Path, *, resume: bool = False) -> JsonLinesTracker:
    made = JsonLinesTracker(save_dir=str(folder / "elsewhere"))
    made.add_config(Config({"work_dir": str(folder), "resume": resume}))
    return made


def train(sink: JsonLinesTracker | TensorboardXTracker, step: int, **scalars: object) -> None:
    sink.add_scalars({"iter": step, "epoch": 1, **scalars}, step=step, file_path="x.json")


def lines(folder: Path) -> list[dict[str, object]]:
    text = (folder / "scalars.jsonl").read_text()
    return [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]


def test_lines_are_json_and_written_at_once(tmp_path: Path) -> None:
    """One NaN would make the file invalid, or a kill would lose an hour of the curve."""
    sink = tracker(tmp_path)
    train(sink, 10, loss=torch.tensor(2.0), lr=np.float32(0.5), note="text", worse=math.nan)
    sink.add_scalars({"mse_sum": math.inf}, step=10)
    sink.add_scalar("seconds", 1.5, step=10)
    assert lines(tmp_path) == [
        {"step": 10, "phase": "train", "loss": 2.0, "lr": 0.5, "worse": None},
        {"step": 10, "phase": "val", "mse_sum": None},
        {"step": 10, "seconds": 1.5},
    ]
    assert not (tmp_path / "elsewhere").exists()


def test_a_resumed_run_continues_the_same_curve(tmp_path: Path) -> None:
    """Curves of resumed runs would have two ends, or be split over folders."""
    sink = tracker(tmp_path)
    for step in (10, 20, 30, 40):
        train(sink, step, loss=float(step))
        sink.add_scalars({"mse_sum": step}, step=step)
    with (tmp_path / "scalars.jsonl").open("a") as file:
        file.write('{"step": 50, "los')  # killed here; the last checkpoint is of iteration 20
    resumed = tracker(tmp_path, resume=True)
    train(resumed, 30, loss=-1.0)
    assert [(e["step"], e["phase"]) for e in lines(tmp_path)] == [
        *((10, "train"), (10, "val"), (20, "train"), (20, "val")),
        (30, "train"),
    ]
    assert lines(tmp_path)[-1]["loss"] == -1.0


def test_a_resume_that_starts_with_a_validation_keeps_its_training(tmp_path: Path) -> None:
    """The last point of an epoch would be lost if a run stops before its validation."""
    sink = tracker(tmp_path)
    train(sink, 10, loss=1.0)
    train(sink, 20, loss=2.0)
    resumed = tracker(tmp_path, resume=True)
    resumed.add_scalars({"mse_sum": 3.0}, step=10)
    assert [(e["step"], e["phase"]) for e in lines(tmp_path)] == [(10, "train"), (10, "val")]


def test_a_new_run_starts_a_new_curve_and_a_test_does_not_change_it(tmp_path: Path) -> None:
    """Two runs would share a curve, or a test would delete the curve of the training."""
    train(tracker(tmp_path), 10, loss=1.0)
    tracker(tmp_path).close()  # as in a test, which writes no scalar
    assert len(lines(tmp_path)) == 1
    train(tracker(tmp_path), 50, loss=1.0)
    assert [e["step"] for e in lines(tmp_path)] == [50]


def test_a_closed_tracker_opens_again(tmp_path: Path) -> None:
    """Training after a validation in the same process would lose its scalars."""
    sink = tracker(tmp_path)
    train(sink, 10, loss=1.0)
    sink.close()
    train(sink, 20, loss=1.0)
    assert [e["step"] for e in lines(tmp_path)] == [10, 20]


def events(folder: Path) -> list[proto.event_pb2.Event]:
    """Return the events that TensorBoard reads."""
    found = []
    for path in sorted((folder / "tensorboard").iterdir()):
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            assert int.from_bytes(data[8:12], "little") == masked_crc32c(data[:8])
            found.append(proto.event_pb2.Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def test_tensorboard_has_one_axis_before_and_after_a_resume(tmp_path: Path) -> None:
    """Loss and score could not be compared in one plot of TensorBoard."""
    sink = TensorboardXTracker(str(tmp_path))
    train(sink, 10, loss=1.0)
    sink.add_scalars({"mse_sum": 2.0, "worse": math.nan}, step=10)
    sink.close()
    scalars = [(e.step, v.tag) for e in events(tmp_path) for v in e.summary.value]
    assert scalars == [(10, "train/loss"), (10, "val/mse_sum")]
    resumed = TensorboardXTracker(str(tmp_path))
    resumed.add_config(Config({"work_dir": str(tmp_path), "resume": True}))
    train(resumed, 20, loss=1.0)
    resumed.close()
    starts = [e.step for e in events(tmp_path) if e.session_log.status]
    assert starts == [0, 20]


def test_scores_of_every_lead_are_in_both_trackers(tmp_path: Path) -> None:
    """A lead that gets worse while the mean gets better would not be visible."""
    build(toy.config(tmp_path, **{"train_cfg.max_epochs": 2, "log_level": "ERROR"})).train()
    evaluated = [entry for entry in lines(tmp_path) if entry["phase"] == "val"]
    assert len(evaluated) == 2
    drawn = {
        (event.step, value.tag): value.simple_value
        for event in events(tmp_path)
        for value in event.summary.value
    }
    for entry in evaluated:
        assert entry["mse"] == pytest.approx((entry["mse@1"] + entry["mse@2"]) / 2)
        for name in ("mse", "mse@1", "mse@2"):
            assert drawn[entry["step"], f"val/{name}"] == pytest.approx(entry[name])


def test_a_picture_is_added_to_the_curves_of_the_run(tmp_path: Path) -> None:
    """The picture of a test would hide the curves of the training in TensorBoard."""
    picture = np.full((2, 3, 3), 7, dtype=np.uint8)
    sink = TensorboardXTracker(str(tmp_path))
    train(sink, 10, loss=1.0)
    sink.close()
    for resume in (False, True):  # a test after it, of the best iteration, in two processes
        evaluated = TensorboardXTracker(str(tmp_path))
        evaluated.add_config(Config({"work_dir": str(tmp_path), "resume": resume}))
        evaluated.add_image("test/panel", picture, step=4)
        evaluated.close()
    found = events(tmp_path)
    (shown, _) = [v.image for e in found for v in e.summary.value if v.tag == "test/panel"]
    assert (shown.height, shown.width) == (2, 3)
    assert [e.step for e in found if e.session_log.status] == [0]
    lines_of = tracker(tmp_path / "lines")
    lines_of.add_image("test/panel", picture, step=4)
    assert not (tmp_path / "lines").exists()


def test_both_trackers_are_registered() -> None:
    """Configs could not name them."""
    assert VISBACKENDS.get("JsonLinesTracker") is JsonLinesTracker
    assert VISBACKENDS.get("TensorboardXTracker") is TensorboardXTracker
