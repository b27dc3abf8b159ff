"""Properties of block splits for any raster, block size and seed."""

import json
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from openstl_ext.errors import DataError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window

SHARES = {"train": 0.5, "val": 0.2, "test": 0.2, "calibration": 0.1}


@st.composite
def cases(draw: Any) -> tuple[BlockSplit, int, int, int]:
    """A split of a small raster, some blocks of it unused, and size, stride and buffer."""
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    block_size = draw(st.integers(1, 20))
    shape = -(-height // block_size), -(-width // block_size)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    names = ("train", "val", "test")[: draw(st.integers(1, 3))]
    split = BlockSplit(
        height=height,
        width=width,
        block_size=block_size,
        names=names,
        codes=rng.integers(0, len(names) + 1, shape),
    )
    return split, draw(st.integers(1, 24)), draw(st.integers(1, 24)), draw(st.integers(0, 12))


def by_pixel(split: BlockSplit, name: str, size: int, buffer: int) -> np.ndarray:
    """Allowed top-left pixels, one by one, from a map of every pixel."""
    rows = np.arange(split.height) // split.block_size
    columns = np.arange(split.width) // split.block_size
    codes = split.codes[np.ix_(rows, columns)]
    own = codes == split.names.index(name) + 1
    foreign = ~own & (codes > 0)
    good = np.zeros(codes.shape, bool)
    for i in range(split.height - size + 1):
        for j in range(split.width - size + 1):
            near = foreign[
                max(i - buffer, 0) : i + size + buffer, max(j - buffer, 0) : j + size + buffer
            ]
            good[i, j] = own[i : i + size, j : j + size].all() and not near.any()
    return good


def chips(split: BlockSplit, name: str, size: int, stride: int, buffer: int) -> list[Window]:
    """Chips of a split, none if it has no place for one."""
    with suppress(DataError):
        return split.windows(name, size=size, stride=stride, buffer=buffer)
    return []


@given(case=cases())
@settings(deadline=None, max_examples=60)
def test_no_pixel_is_shared_and_the_buffer_holds(case: Any) -> None:
    """Nets would be tested on pixels that they were trained on."""
    split, size, stride, buffer = case
    owner = np.full((split.height, split.width), -1)
    for code, name in enumerate(split.names):
        good = by_pixel(split, name, size, buffer)
        for window in chips(split, name, size, stride, buffer):
            assert good[window.row, window.column]
            part = owner[window.slices]
            assert ((part == -1) | (part == code)).all()
            part[:] = code
    for code in range(len(split.names)):
        near = np.zeros(owner.shape, bool)
        for i, j in np.argwhere(owner == code):
            near[max(i - buffer, 0) : i + buffer + 1, max(j - buffer, 0) : j + buffer + 1] = True
        assert not (near & (owner >= 0) & (owner != code)).any()


@given(case=cases())
@settings(deadline=None, max_examples=60)
def test_every_allowed_position_is_drawn_and_no_other(case: Any) -> None:
    """Some areas would never be trained on, or test areas would be."""
    split, size, _, buffer = case
    for name in split.names:
        expected = by_pixel(split, name, size, buffer)
        runs = split._placement(name, (size, size), buffer).runs()
        found = [runs[k] for k in range(len(runs))]
        assert sorted(found) == [tuple(place) for place in np.argwhere(expected)]
        for row, column in np.random.default_rng(0).integers(-5, 65, (20, 2)).tolist():
            inside = 0 <= row < split.height and 0 <= column < split.width
            allowed = split.allows(name, Window(row, column, size, size), buffer)
            assert allowed == bool(inside and expected[row, column])


@given(case=cases())
@settings(deadline=None, max_examples=40)
def test_first_pixels_of_chips_are_a_stride_apart(case: Any) -> None:
    """Test pixels would be counted twice."""
    split, size, stride, buffer = case
    for name in split.names:
        found = chips(split, name, size, stride, buffer)
        assert found == sorted(set(found))
        for starts in ({w.row for w in found}, {w.column for w in found}):
            assert all(np.diff(sorted(starts)) >= stride)


@given(
    blocks=st.integers(20, 300),
    parts=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_shares_are_as_exact_as_the_number_of_blocks_allows(
    blocks: int, parts: list, seed: int
) -> None:
    """The size of a split would depend on the seed."""
    shares = {f"split{k}": part / sum(parts) for k, part in enumerate(parts)}
    size = {"height": 4, "width": 4 * blocks, "block_size": 4, "shares": shares}
    assume(min(shares.values()) * blocks >= 1)
    split = BlockSplit.draw(**size, seed=seed)
    counts = np.bincount(split.codes.ravel(), minlength=len(shares) + 1)
    assert counts[0] == 0
    for count, part in zip(counts[1:], parts, strict=True):
        assert abs(count - part * blocks / sum(parts)) < 1
    np.testing.assert_array_equal(split.codes, BlockSplit.draw(**size, seed=seed).codes)


def test_shares_that_divide_the_blocks_are_exact() -> None:
    """0.1 of 100 blocks would be 9, because 0.1 is rounded in binary."""
    split = BlockSplit.draw(height=100, width=100, block_size=10, shares=SHARES, seed=3)
    assert np.bincount(split.codes.ravel()).tolist() == [0, 50, 20, 20, 10]
    other = BlockSplit.draw(height=100, width=100, block_size=10, shares=SHARES, seed=4)
    assert (split.codes != other.codes).any()


def test_blocks_without_data_are_not_used() -> None:
    """The test split could consist of ocean."""
    valid = np.linspace(0, 1, 100).reshape(10, 10)
    split = BlockSplit.draw(
        height=95, width=100, block_size=10, shares=SHARES, seed=0, valid_share=valid, min_valid=0.6
    )
    np.testing.assert_array_equal(split.codes > 0, valid >= 0.6)
    assert np.bincount(split.codes.ravel()).tolist() == [60, 20, 8, 8, 4]


def test_unused_blocks_need_no_buffer() -> None:
    """Islands would lose their coast."""
    codes = np.array([[0, 1, 0], [0, 0, 2]])
    split = BlockSplit(height=20, width=30, block_size=10, names=("train", "test"), codes=codes)
    assert split.allows("train", Window(0, 10, 10, 10), 0)
    assert split.allows("train", Window(0, 10, 8, 8), 2)
    assert not split.allows("train", Window(1, 11, 9, 9), 1)  # across the corner
    assert not split.allows("train", Window(0, 9, 10, 10), 0)
    assert split.windows("train", size=10, stride=10, buffer=0) == [Window(0, 10, 10, 10)]


def test_an_isolated_block_has_chips_inside_its_buffer() -> None:
    """An isolated block with room for a chip would have none."""
    codes = np.full((3, 3), 1)
    codes[1, 1] = 2
    split = BlockSplit(height=384, width=384, block_size=128, names=("train", "val"), codes=codes)
    found = split.windows("val", size=64, stride=64, buffer=16)
    assert found == [Window(144, 144, 64, 64)]
    whole = BlockSplit(height=384, width=384, block_size=128, names=("val",), codes=codes * 0 + 1)
    assert len(whole.windows("val", size=64, stride=64, buffer=0)) == 36


def test_chips_are_drawn_uniformly() -> None:
    """Some positions would be trained on more than others."""
    split = BlockSplit(
        height=12, width=8, block_size=4, names=("a", "b"), codes=np.array([[1, 1], [1, 2], [1, 0]])
    )
    rng = np.random.default_rng(0)
    drawn = [split.draw_window("a", size=3, buffer=1, rng=rng) for _ in range(6000)]
    places, counts = np.unique([(w.row, w.column) for w in drawn], axis=0, return_counts=True)
    assert [tuple(p) for p in places] == [tuple(p) for p in np.argwhere(by_pixel(split, "a", 3, 1))]
    expected = 6000 / len(places)
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)
    again = np.random.default_rng(0)
    copy = pickle.loads(pickle.dumps(split))
    assert [copy.draw_window("a", size=3, buffer=1, rng=again) for _ in range(99)] == drawn[:99]


def test_memory_grows_with_blocks_and_not_with_pixels() -> None:
    """A global raster would need a table of billions of positions."""
    split = BlockSplit.draw(height=10**6, width=10**6, block_size=20_000, shares=SHARES, seed=0)
    runs = split._placement("val", (128, 128), 16).runs()
    assert len(runs) > 10**10
    assert runs.ends.size <= 16 * split.codes.size


def test_a_mask_marks_the_pixels_of_a_split() -> None:
    """Statistics would include test pixels."""
    codes = np.array([[1, 2], [0, 1]])
    split = BlockSplit(height=7, width=8, block_size=4, names=("train", "test"), codes=codes)
    expected = np.zeros((11, 12), bool)
    expected[2:6, 2:6] = expected[6:9, 6:10] = True
    np.testing.assert_array_equal(split.mask("train", Window(-2, -2, 11, 12)), expected)


def test_a_stored_split_is_read_back(tmp_path: Path) -> None:
    """Later runs would test on pixels of earlier training."""
    split = BlockSplit.draw(
        height=95,
        width=77,
        block_size=10,
        shares=SHARES,
        seed=0,
        valid_share=np.eye(10, 8) + 0.1,
        min_valid=0.1,
        about={"buffer": 3},
    )
    split.write(tmp_path / "made" / "split.json")
    read = BlockSplit.read(tmp_path / "made" / "split.json")
    assert (read.height, read.width, read.block_size, read.names) == (95, 77, 10, tuple(SHARES))
    np.testing.assert_array_equal(read.codes, split.codes)
    assert read.about == {"buffer": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, r"Invalid value 'other' - at `\$\.format`; draw the split again"),
        ({"names": None}, r"Expected `array`, got `null` - at `\$\.names`; draw the split again"),
        ({"blocks": ["12", "1"]}, "draw the split again"),
        ({"blocks": ["12"]}, "blocks are not 2 rows of 2; draw the split again"),
        ({"blocks": ["12", ".x"]}, "matching regex"),
        ({"height": 40}, "blocks are not 10 rows of 2"),
    ],
)
def test_a_file_of_another_format_or_an_incomplete_one_is_rejected(
    tmp_path: Path, change: dict, message: str
) -> None:
    """Splits could overlap."""
    codes = np.array([[1, 2], [0, 1]])
    split = BlockSplit(height=7, width=8, block_size=4, names=("train", "test"), codes=codes)
    path = tmp_path / "split.json"
    split.write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match=message) as error:
        BlockSplit.read(path)
    assert "split.json" in str(error.value)


def test_a_truncated_or_missing_split_is_named(tmp_path: Path) -> None:
    """A missing file would end in a traceback."""
    path = tmp_path / "split.json"
    with pytest.raises(DataError, match=r"split\.json: No such file"):
        BlockSplit.read(path)
    split = BlockSplit.draw(height=95, width=77, block_size=10, shares=SHARES, seed=0)
    split.write(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"split\.json: .*draw the split again"):
        BlockSplit.read(path)


def test_impossible_splits_are_rejected_with_a_remedy() -> None:
    """Users would get an empty list without a reason."""
    size = {"height": 90, "width": 90, "block_size": 30, "seed": 0}
    with pytest.raises(DataError, match=r"too few for .*: calibration would get none"):
        BlockSplit.draw(**size, shares={**SHARES, "train": 0.55, "calibration": 0.05})
    with pytest.raises(DataError, match="must be positive and sum to 1"):
        BlockSplit.draw(**size, shares={"train": 0.5, "val": 0.4})
    split = BlockSplit.draw(**size, shares=SHARES)
    rng = np.random.default_rng(0)
    way_out = r"into split 'calibration': .* 1 blocks are 30 .* 20 \+ 2 \* 8 = 36; .* larger"
    with pytest.raises(DataError, match=way_out):
        split.windows("calibration", size=20, stride=20, buffer=8)
    with pytest.raises(DataError, match=way_out):
        split.draw_window("calibration", size=20, buffer=8, rng=rng)
    with pytest.raises(DataError, match="no 'tests'; did you mean 'test'"):
        split.mask("tests", Window(0, 0, 1, 1))
