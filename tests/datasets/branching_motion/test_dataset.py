"""Branching motion: what is known about its uncertainty."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.datasets.branching_motion import prepare
from openstl_ext.datasets.branching_motion.dataset import BranchingMotion
from openstl_ext.datasets.branching_motion.prepare import RECORD, BranchingSettings, write_settings
from openstl_ext.datasets.synthetic.branching_path import branch_offsets
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.metrics.ensemble import CRPS


def made(root: Path, split: str = "test", *, data: Any = None, **settings: Any) -> BranchingMotion:
    write_settings(root, BranchingSettings(**settings))
    return BranchingMotion(root=str(root), split=split, **(data or {}))


def centre(frames: torch.Tensor) -> torch.Tensor:
    """Return the centre of mass of each frame (T, 2), x and y."""
    mass = frames[:, 0].double()
    pixels = torch.arange(mass.shape[-1], dtype=torch.float64)
    x, y = (mass.sum(dim=axis) @ pixels for axis in (1, 2))
    return torch.stack([x, y], dim=1) / mass.sum(dim=(1, 2))[:, None]


def test_the_branches_part_at_the_turn_by_the_angle() -> None:
    """The two futures would not be those that are documented."""
    left, right = branch_offsets(6, speed=2.0, straight=3, angle=90.0)
    torch.testing.assert_close(left[:4], right[:4])
    torch.testing.assert_close(left[3], torch.tensor([6.0, 0.0]).double())
    torch.testing.assert_close(left[5], torch.tensor([6.0, -4.0]).double())
    torch.testing.assert_close(right[5], torch.tensor([6.0, 4.0]).double())


def test_a_spot_moves_at_its_speed_and_stays_in_the_image(tmp_path: Path) -> None:
    """Sizes and speeds of the settings would not be those of the frames."""
    dataset = made(tmp_path, image_size=40, speed=2.0, radius=1.5)
    for index in range(10):
        item = dataset[index]
        frames = torch.cat([item["inputs"]["frames"], item["data_samples"]["frames"]])
        assert frames.shape == (8, 1, 40, 40)
        assert frames.amax(dim=(1, 2, 3)).min() > 0.8
        steps = centre(frames).diff(dim=0).norm(dim=1)
        torch.testing.assert_close(steps, torch.full_like(steps, 2.0), rtol=0, atol=0.3)


def test_the_past_does_not_depend_on_the_branch_and_the_target_is_one_of_two(
    tmp_path: Path,
) -> None:
    """The future would be known from the past, or be none of those with known probabilities."""
    dataset = made(tmp_path, num_test=50)
    lefts = 0
    for index in range(50):
        target, futures = dataset[index]["data_samples"]["frames"], dataset.futures(index)
        left, right = (torch.equal(target, future) for future in futures)
        assert left + right == 1
        assert torch.equal(futures[0, 0], futures[1, 0])
        assert (futures[0, 1] - futures[1, 1]).abs().max() > 0.1
        lefts += left
    assert 15 <= lefts <= 35


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_branches_have_the_probability_of_the_settings(tmp_path: Path, share: float) -> None:
    """Calibration would be judged against a wrong probability."""
    dataset = made(tmp_path, num_test=400, left_prob=share)
    lefts = [
        torch.equal(dataset[i]["data_samples"]["frames"], dataset.futures(i)[0]) for i in range(400)
    ]
    assert sum(lefts) / 400 == pytest.approx(share, abs=3 * 0.025)


def test_the_best_score_is_the_one_that_is_documented(tmp_path: Path) -> None:
    """A net would be compared with a bound that none can reach, or that all beat."""
    dataset = made(tmp_path, num_test=300, left_prob=0.3)
    found, bound, metric = [], [], CRPS()
    for index in range(300):
        futures, target = dataset.futures(index), dataset[index]["data_samples"]["frames"]
        ensemble = torch.cat(
            [futures[:1].expand(3, *target.shape), futures[1:].repeat(7, 1, 1, 1, 1)]
        )
        sample: Any = {
            "forecast": ensemble.mean(dim=0),
            "ensemble": ensemble,
            "target": target,
            "valid": torch.ones_like(target, dtype=torch.bool),
            "weight": torch.ones(target.shape[-2:]),
        }
        tally = metric.measure(sample)
        found.append(float(tally.total.sum() / tally.weight.sum()))
        bound.append(0.3 * 0.7 * float((futures[0] - futures[1]).abs().mean()))
    assert sum(found) == pytest.approx(sum(bound), rel=0.1)


def test_validation_and_test_are_fixed_and_differ(tmp_path: Path) -> None:
    """A score could not be repeated, or the best epoch would be selected on the test."""
    test, val = made(tmp_path), made(tmp_path, "val")
    torch.manual_seed(0)
    first = test[3]["inputs"]["frames"]
    torch.manual_seed(1)
    assert torch.equal(test[3]["inputs"]["frames"], first)
    assert not torch.equal(val[3]["inputs"]["frames"], first)
    assert not torch.equal(test[4]["inputs"]["frames"], first)


def test_training_sequences_follow_the_generator_of_the_loop(tmp_path: Path) -> None:
    """Each epoch would repeat the same sequences, or a resumed run would see others."""
    dataset = made(tmp_path, "train")
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(dataset[0]["data_samples"]["frames"])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_mistakes_are_answered_in_one_sentence(tmp_path: Path) -> None:
    """A user would read a traceback, or train on an empty image."""
    with pytest.raises(DatasetNotFoundError, match="openstl-ext data branching-motion --root"):
        BranchingMotion(root=str(tmp_path / "none"), split="test")
    with pytest.raises(ConfigError, match="leaves an image of 8 pixels within 8 frames"):
        made(tmp_path / "small", image_size=8)
    with pytest.raises(ConfigError, match=r"straight_targets=4 must be .* less than num_targets=4"):
        made(tmp_path / "late", data={"straight_targets": 4})
    with pytest.raises(ConfigError, match="left_prob must be in"):
        BranchingSettings(left_prob=1.5)
    with pytest.raises(ConfigError, match="angle must be above 0"):
        BranchingSettings(angle=0)
    made(tmp_path / "set")
    with pytest.raises(DataError, match=r"speed is 1\.2, not 0\.5"):
        write_settings(tmp_path / "set", BranchingSettings(speed=0.5))
    (tmp_path / "set" / RECORD).write_text(json.dumps({"speed": "fast"}))
    with pytest.raises(DataError, match=RECORD):
        BranchingMotion(root=str(tmp_path / "set"), split="test")


def test_the_command_writes_what_was_requested(tmp_path: Path) -> None:
    """An option of the command would have no effect."""
    parser = argparse.ArgumentParser()
    prepare.add_arguments(parser)
    words = ["--root", str(tmp_path), "--image_size", "20", "--left_prob", "0.25"]
    prepare.run(parser.parse_args(words))
    settings = prepare.read_settings(tmp_path / RECORD)
    assert settings == BranchingSettings(image_size=20, left_prob=0.25)


@pytest.mark.parametrize(
    "other",
    [
        {"left_prob": 0.3},
        {"angle": 60.0},
        {"speed": 1.0},
        {"radius": 0.8},
        {"image_size": 20},
        {"seed": 1},
    ],
)
def test_samples_of_other_settings_have_other_names(tmp_path: Path, other: dict[str, Any]) -> None:
    """Their scores would join the table of the default settings, as those of another seed."""
    default, changed = made(tmp_path / "a"), made(tmp_path / "b", **other)
    again = made(tmp_path / "c", num_train=3, **other)
    assert default.sample_id(7) == "test-00007"
    assert changed.sample_id(7) == again.sample_id(7) != default.sample_id(7)
    assert changed.sample_id(7).startswith("test-00007-")
