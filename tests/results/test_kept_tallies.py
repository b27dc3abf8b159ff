"""Tallies that are kept beside a record."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.results.kept_tallies import KeptTallies, TalliesAbout, tallies_file
from openstl_ext.results.record import RecordError

ABOUT = TalliesAbout(
    fingerprint="0123456789ab", subject=("aa", "bb"), metrics=["mse", "dice"], independent=False
)


def kept(size: int = 6) -> KeptTallies:
    rng = np.random.default_rng(0)
    mse = np.stack([rng.lognormal(3, 1, (size, 4)), np.full((size, 4), 64.0)], axis=1)
    dice = rng.integers(0, 50, (size, 3, 2)).astype(float)
    samples = [f"walk-{index:03d}" for index in range(size)]
    return KeptTallies(ABOUT, samples, ["walk"] * size, {"mse": mse, "dice": dice})


def test_they_are_read_as_written(tmp_path: Path) -> None:
    before = kept()
    before.write(tmp_path / "tallies.npz")
    after = KeptTallies.read(tmp_path / "tallies.npz")
    assert after.about == before.about
    assert after.samples == before.samples
    assert after.blocks == before.blocks
    np.testing.assert_array_equal(after.tallies["dice"], before.tallies["dice"])
    np.testing.assert_allclose(after.tallies["mse"], before.tallies["mse"], rtol=1e-7)


def test_some_metrics_alone_can_be_read(tmp_path: Path) -> None:
    kept().write(tmp_path / "tallies.npz")
    assert set(KeptTallies.read(tmp_path / "tallies.npz", ["dice"]).tallies) == {"dice"}
    with pytest.raises(RecordError, match="has no 'ssim'"):
        KeptTallies.read(tmp_path / "tallies.npz", ["ssim"])


def test_equal_tallies_make_equal_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        kept().write(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_numpy_alone_reads_them(tmp_path: Path) -> None:
    """A user's script needs neither torch nor this package."""
    kept().write(tmp_path / "tallies.npz")
    with np.load(tmp_path / "tallies.npz", allow_pickle=False) as file:
        assert file["mse.0"].shape == (6, 4)
        assert file["mse.1"].shape == (1, 4)  # equal in all samples
        assert file["samples"][0] == "walk-000"


def test_ten_metrics_of_ten_leads_and_10000_samples_take_less_than_5_mb(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tallies = {
        f"metric_{number}": np.stack(
            [rng.lognormal(3, 1, (10_000, 10)), np.full((10_000, 10), 4096.0)], axis=1
        )
        for number in range(10)
    }
    samples = [f"recording_{index // 20:04d}-{index:06d}" for index in range(10_000)]
    blocks = [sample.partition("-")[0] for sample in samples]
    path = tmp_path / "tallies.npz"
    KeptTallies(ABOUT, samples, blocks, tallies).write(path)
    assert path.stat().st_size < 5_000_000


def test_a_missing_or_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tallies.npz"
    with pytest.raises(RecordError, match="kept no tallies; run the test again"):
        KeptTallies.read(path)
    kept().write(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(RecordError, match="cannot be read"):
        KeptTallies.read(path)


def test_names_beside_a_record() -> None:
    assert tallies_file(Path("a/result.json")) == Path("a/tallies.npz")
    assert tallies_file(Path("a/result_x_0f.json")) == Path("a/tallies_x_0f.npz")
    assert tallies_file(Path("a/result.json"), "Persistence").name == "tallies.Persistence.npz"
