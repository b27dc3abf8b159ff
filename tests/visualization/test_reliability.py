"""Reliability diagrams and rank histograms."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import norm

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization import chart, rank_histogram
from openstl_ext.visualization.rank_histogram import (
    draw_rank_histograms,
    rank_counts,
)
from openstl_ext.visualization.reliability import draw_reliability, reliability_of
from openstl_ext.visualization.uncertain import Uncertain, names_of

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
ENDS = norm.ppf(LEVELS)[:, None, None]


def pairs(spread: float = 1.0, number: int = 30):
    """Truth of standard deviation 1 and quantiles of another spread."""
    draw = np.random.default_rng(0)
    for _ in range(number):
        mean = draw.normal(size=(20, 20))
        yield mean + draw.normal(size=(20, 20)), mean + spread * ENDS


def test_a_calibrated_method_is_on_the_diagonal() -> None:
    """A correct forecast would be called overconfident."""
    found = reliability_of("net", LEVELS, pairs())
    np.testing.assert_allclose(found.observed, LEVELS, atol=0.01)
    assert (found.interval[0] < found.observed).all()
    assert (found.observed < found.interval[1]).all()
    assert found.num_pixels == 30 * 400
    assert found.coverage.startswith("90 % interval covers ")


def test_a_narrow_method_covers_too_little() -> None:
    """Intervals that miss the truth would look reliable."""
    found = reliability_of("net", LEVELS, pairs(0.5))
    np.testing.assert_allclose(found.observed, norm.cdf(0.5 * ENDS.ravel()), atol=0.01)


def test_a_truth_equal_to_the_quantile_is_below_it_and_gaps_do_not_count() -> None:
    """Many zeros, as of rain, would be outside of all intervals."""
    truth = np.array([0.0, 0.0, 1.0, np.nan])
    quantiles = np.zeros((1, 4))
    found = reliability_of("net", [0.5], [(truth, quantiles)])
    assert found.num_pixels == 3
    assert found.observed.tolist() == [2 / 3]
    assert found.coverage == ""


def test_mistakes_of_levels_and_shapes_are_named() -> None:
    """A diagram of mixed levels would be drawn without a word."""
    truth, quantiles = np.zeros(4), np.zeros((2, 4))
    for levels, message in (
        ([0.9, 0.1], "do not ascend"),
        ([0.0, 0.5], "between 0 and 1"),
        ([0.1, 0.5, 0.9], r"do not fit 3 levels"),
    ):
        with pytest.raises(DataError, match=message):
            reliability_of("net", levels, [(truth, quantiles)])
    with pytest.raises(DataError, match="no pixel of the truth is known"):
        reliability_of("net", [0.1, 0.9], [(truth * np.nan, quantiles)])


def test_the_diagram_shows_the_shares_beside_the_diagonal(monkeypatch) -> None:
    """The picture would contradict the numbers."""
    figures: list[Figure] = []
    monkeypatch.setattr(
        chart, "Figure", lambda **options: figures.append(Figure(**options)) or figures[-1]
    )
    found = [reliability_of(name, LEVELS, pairs(s)) for name, s in (("a", 1), ("b", 0.5))]
    assert draw_reliability(found, title="r").startswith(b"\x89PNG")
    axes, below = figures[0].axes
    ideal, first, second = axes.get_lines()
    assert ideal.get_xydata().tolist() == [[0, 0], [1, 1]]
    np.testing.assert_array_equal(first.get_ydata(), found[0].observed)
    np.testing.assert_array_equal(second.get_xdata(), LEVELS)
    assert len(axes.collections) == 2
    names = [text.get_text() for text in below.get_legend().get_texts()]
    assert names[1] == f"a: {found[0].coverage}"
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)


def test_ranks_are_the_members_below_the_truth() -> None:
    """A biased ensemble would look narrow."""
    members = np.array([[1.0, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, np.nan]])
    truth = np.array([0.5, 2.5, np.nan, 2.5])
    assert rank_counts(truth, members).tolist() == [1, 0, 1, 0]


def test_equal_members_share_the_rank() -> None:
    """A dry ensemble over a dry truth would always have rank 0."""
    zeros = np.zeros((3, 8))
    assert rank_counts(np.zeros(8), zeros).tolist() == [2, 2, 2, 2]
    draw = np.random.default_rng(0)
    members, truth = draw.integers(0, 3, (4, 500)), draw.integers(0, 3, 500)
    expected = np.zeros(5)
    for t, m in zip(truth, members.T, strict=True):
        ranks = range((m < t).sum(), (m <= t).sum() + 1)
        for rank in ranks:
            expected[rank] += 1 / len(ranks)
    np.testing.assert_allclose(rank_counts(truth, members), expected)


def test_an_ensemble_of_the_truths_distribution_is_flat() -> None:
    """A calibrated ensemble would be called too narrow."""
    draw = np.random.default_rng(0)
    samples = [(draw.normal(size=(20, 20)), draw.normal(size=(4, 20, 20))) for _ in range(40)]
    found = rank_histogram.rank_histogram("net", samples)
    np.testing.assert_allclose(found.frequency, 1, atol=0.05)
    assert found.frequency.sum() == pytest.approx(5)
    inside = (found.interval[0] <= 1) & (found.interval[1] >= 1)
    assert inside.sum() >= 4
    narrow = rank_histogram.rank_histogram("net", [(t, 0.3 * m) for t, m in samples])
    assert min(narrow.frequency[[0, -1]]) > 1.5 > 0.8 > narrow.frequency[2]


def test_mistakes_of_ensembles_are_named() -> None:
    """An ensemble of one would have a perfect histogram."""
    for samples, message in (
        ([(np.zeros(4), np.zeros((1, 4)))], "one member has no ranks"),
        ([(np.zeros(4), np.zeros((3, 5)))], "do not fit"),
        ([(np.zeros(4), np.zeros((k, 4))) for k in (2, 3)], "other numbers of members"),
        ([(np.full(4, np.nan), np.zeros((2, 4)))], "no pixel"),
    ):
        with pytest.raises(DataError, match=message):
            rank_histogram.rank_histogram("net", samples)


def test_the_bars_have_the_height_of_the_frequencies(monkeypatch) -> None:
    """The picture would contradict the numbers."""
    figures: list[Figure] = []
    monkeypatch.setattr(
        rank_histogram, "Figure", lambda **options: figures.append(Figure(**options)) or figures[-1]
    )
    draw = np.random.default_rng(0)
    samples = [(draw.normal(size=50), draw.normal(size=(3, 50))) for _ in range(5)]
    found = [rank_histogram.rank_histogram(name, samples) for name in ("a", "b")]
    first = draw_rank_histograms(found, note="lead 1")
    assert first.startswith(b"\x89PNG")
    assert first == draw_rank_histograms(found, note="lead 1")
    axes = figures[0].axes
    assert [place.get_title("left") for place in axes] == ["a", "b"]
    assert axes[0].get_title("right") == "3 members; lead 1"
    heights = [bar.get_height() for bar in axes[0].patches]
    np.testing.assert_allclose(heights, found[0].frequency)


def test_bars_of_a_later_ensemble_are_not_cut_off(monkeypatch) -> None:
    """The axes had the scale of the first one, whose bars may be lower."""
    drawn: list[Figure] = []
    monkeypatch.setattr(rank_histogram, "png_of", drawn.append)
    bars = (np.array([1.0, 1.0, 1.0]), np.array([0.0, 3.0, 0.0]))
    draw_rank_histograms(
        [rank_histogram.RankHistogram("a", each, np.array([each, each]), 9) for each in bars]
    )
    limits = [axes.get_ylim() for axes in drawn[0].axes]
    assert len(limits) == 2
    assert all(low == 0 and high > 3 for low, high in limits)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write arrays of two samples, three leads and two channels."""
    target = np.arange(2 * 3 * 2 * 4 * 5, dtype=np.float32).reshape(2, 3, 2, 4, 5)
    members = np.stack([target + k for k in range(-1, 3)])
    np.savez(tmp_path / "net.npz", target=target, ensemble=members)
    return tmp_path / "net.npz"


def test_arrays_of_a_file_are_read_by_channel_and_lead(file: Path) -> None:
    """The histogram would be that of another lead."""
    found = list(Uncertain(file, "1", 3).pairs("ensemble"))
    assert [(t.shape, m.shape) for t, m in found] == [((1, 1, 4, 5), (4, 1, 1, 4, 5))] * 2
    assert found[1][0][0, 0, 0, 0] == (1 * 3 * 2 + 2 * 2 + 1) * 20
    np.testing.assert_array_equal(
        found[0][1] - found[0][0],
        np.full_like(found[0][1], 1) * np.arange(-1, 3).reshape(4, 1, 1, 1, 1),
    )
    assert names_of([file]) == ["net"]


def test_mistakes_of_files_are_one_sentence(file: Path, tmp_path: Path) -> None:
    """A user would get a traceback."""
    with pytest.raises(DataError, match="has no array"):
        Uncertain(file).levels()
    with pytest.raises(UserError, match="there is no lead 4"):
        list(Uncertain(file, None, 4).pairs("ensemble"))
    with pytest.raises(UserError, match="there is no channel '2'"):
        list(Uncertain(file, "2").pairs("ensemble"))
    (tmp_path / "bad.npz").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="is not a file of arrays"):
        list(Uncertain(tmp_path / "bad.npz").pairs("ensemble"))
    np.savez(tmp_path / "flat.npz", target=np.zeros(3), ensemble=np.zeros((2, 3)))
    with pytest.raises(DataError, match="expected"):
        list(itertools.islice(Uncertain(tmp_path / "flat.npz").pairs("ensemble"), 1))
