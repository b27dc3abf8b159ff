"""Progress of preparations: each long loop shows how much of it is done."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from openstl_ext import cli
from openstl_ext.datasets.human_modification.rasters import HMChoice
from openstl_ext.datasets.human_modification.split import SplitSettings, draw_split
from openstl_ext.datasets.human_modification.statistics import measure_training
from openstl_ext.datasets.lts.split import CutSettings, cut
from openstl_ext.datasets.synthetic import continent, kth, landscape, moving_mnist, taxibj
from openstl_ext.progress_line import Display, showing
from openstl_ext.progress_task import Task
from tests.rasters.files import write_tif


class Recording(Display):
    """A silent display that keeps each task."""

    def __init__(self) -> None:
        super().__init__(is_silent=True)
        self.seen: list[Task] = []

    def push(self, task: Task) -> None:
        super().push(task)
        self.seen.append(task)

    def lines(self) -> set[tuple[str, str, float]]:
        """Return text, unit and total of each task, all of which are complete."""
        assert not self.tasks
        for task in self.seen:
            assert task.done == task.total, task.text
        return {(task.text, task.unit, task.total or 0) for task in self.seen}


def lines_of(work: Callable[[], object]) -> set[tuple[str, str, float]]:
    with showing(Recording()) as shown:
        work()
        assert isinstance(shown, Recording)
        return shown.lines()


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (
            lambda root: kth.write(root, num_frames=2, persons=(1, 15)),
            {("drawing", "recordings", 12)},
        ),
        (lambda root: taxibj.write(root, num_train=9, num_test=3), {("drawing", "busy places", 8)}),
        (
            lambda root: moving_mnist.write(root, num_digits=9, num_sequences=5),
            {
                ("drawing", "strokes", 9),
                ("drawing", "strokes", 3),
                ("drawing", "sequences", 5),
            },
        ),
        (
            lambda _: landscape.draw(size=32, years=(2001, 2003)),
            {("drawing", "years", 2)},
        ),
        (
            lambda _: continent.draw(shape=(48, 48), years=(2015, 2020)),
            {("growing", "years", 36)},
        ),
    ],
    ids=["kth", "taxibj", "moving_mnist", "landscape", "continent"],
)
def test_a_synthetic_set_is_drawn_with_its_progress(
    work: Callable[[Path], object], expected: set[tuple[str, str, float]], tmp_path: Path
) -> None:
    """A terminal would stand still without a word, as if the command hung."""
    assert lines_of(lambda: work(tmp_path)) == expected


@pytest.mark.parametrize("form", ["coords", "patches"])
def test_cutting_a_series_shows_labels_patches_and_statistics(form: str, tmp_path: Path) -> None:
    """Cutting hours of satellite images would show nothing until its end."""
    source = tmp_path / "source"
    landscape.write_stack(source, landscape.draw(size=96, years=(2001, 2003)))
    settings = CutSettings(patch_size=8, block_size=24, buffer=0)
    root = source if form == "coords" else tmp_path / "patches"
    found = lines_of(lambda: cut(source, root, settings, form=form))
    # 16 blocks of 24 pixels: 11, 3 and 2, with nine patches and one strip in each
    expected = {
        ("reading labels, train", "patches", 99),
        ("reading labels, val", "patches", 27),
        ("reading labels, test", "patches", 18),
        ("statistics", "strips", 11),
    }
    if form == "patches":
        assert any((text, unit) == ("writing", "patches") for text, unit, _ in found)
        found = {line for line in found if line[0] != "writing"}
    assert found == expected


def test_commands_of_series_show_patches(tmp_path: Path) -> None:
    """Statistics of a folder of patches, or their verification, would show nothing."""
    source, root = tmp_path / "source", tmp_path / "patches"
    landscape.write_stack(source, landscape.draw(size=96, years=(2001, 2003)))
    cut(source, root, CutSettings(patch_size=8, block_size=24, buffer=0), form="patches")
    train, every = (
        sum(len((root / "splits" / f"{split}.txt").read_text().split()) for split in splits)
        for splits in (("train",), ("train", "val", "test"))
    )
    assert train < every
    found = lines_of(lambda: cli.call(["data", "lts", "statistics", "--root", str(root)]))
    assert ("statistics", "patches", train) in found
    found = lines_of(lambda: cli.call(["data", "lts", "verify", "--root", str(root)]))
    assert sum(total for text, _, total in found if text == "verifying") == every


def test_rasters_show_known_pixels_and_statistics_by_block(tmp_path: Path) -> None:
    """Statistics of global rasters would show nothing for an hour."""
    rng = np.random.default_rng(0)
    for name in ("AA", "AG"):
        for year in (2015, 2020):
            values = rng.random((48, 48)).astype(np.float32)
            write_tif(tmp_path / f"HM_{year}_{name}_1000.tiff", values)
    choice = HMChoice(target="AA", dynamic=("AG",), years=(2015, 2020))
    settings = SplitSettings(chip_size=4, buffer=2, block_size=8, min_valid=0)
    assert lines_of(lambda: draw_split(tmp_path, choice, settings)) == {
        ("known pixels", "blocks", 36)
    }
    found = lines_of(lambda: measure_training(tmp_path, choice))
    train = round(0.7 * 36)
    assert found == {
        ("statistics, AA", "blocks", train),
        ("statistics, dynamic", "blocks", train),
    }
