"""Comparisons of rows of a board, from kept tallies."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from openstl_ext.comparison.compare import compare, with_ties
from openstl_ext.comparison.report import as_csv, as_json, markdown
from openstl_ext.comparison.rows import pairs_of
from openstl_ext.errors import UserError
from openstl_ext.metrics.summed_pixel import SummedMSE
from openstl_ext.results.board import Board, board_of
from openstl_ext.results.kept_tallies import KeptTallies, TalliesAbout, tallies_file
from openstl_ext.results.protocol import protocol_of
from openstl_ext.results.record import Record, RecordError
from openstl_ext.results.writers import writers

SIZE = 40
BLOCKS = [f"walk-{index // 2}" for index in range(SIZE)]


def protocol(samples: list[str], further: Sequence[dict[str, Any]] = ()) -> Any:
    return protocol_of(
        {"type": "Boiling", "split": "test"},
        [{"type": "SummedMSE"}, *further],
        {"name": "boiling", "channels": [{"name": "x", "unit": "1"}], "lead": [1, "frame"]},
        size=len(samples),
        shapes={"data_samples.frames": (2, 1, 8, 8)},
        sample_ids=samples,
    )


def totals(scale: float, seed: int = 0) -> np.ndarray:
    """Return squared errors of 40 samples and two leads, those of a model some times as large."""
    base = np.random.default_rng(7).lognormal(0, 1, (SIZE, 2))
    noise = np.random.default_rng([seed, 1]).normal(0, 0.05, (SIZE, 2))
    return base * scale * np.exp(noise)


def write_run(
    folder: Path,
    config: str,
    scale: float,
    *,
    seed: int = 0,
    blocks: list[str] = BLOCKS,
    samples: list[str] | None = None,
    baselines: dict[str, float] | None = None,
    kept: bool = True,
    fvd: float | None = None,
    overrides: Sequence[str] = (),
) -> Record:
    """Write a record and its tallies."""
    further = [] if fvd is None else [{"type": "FVD", "detector": "sha256:0123456789ab"}]
    samples = samples or [f"s{index:02d}" for index in range(SIZE)]
    metric = SummedMSE()

    def tallies(scale: float, seed: int) -> np.ndarray:
        values = totals(scale, seed)
        return np.stack([values, np.ones_like(values)], axis=1)

    found = {"": tallies(scale, seed)}
    found |= {name: tallies(value, 99) for name, value in (baselines or {}).items()}
    scores = {name: metric.compute_metrics(values) for name, values in found.items()}
    record = Record(
        config=config,
        name=config.rpartition("/")[2].upper(),
        method="DirectForecast",
        model="SimVP",
        protocol=protocol(samples, further),
        metrics=scores.pop("") | ({} if fvd is None else {"fvd": fvd}),
        baselines=scores,
        about={"mse_sum": {"unit": "1", "higher_is_better": False}},
        training={"seed": seed},
        seed=seed,
        overrides=list(overrides),
        date=f"2026-01-0{seed + 1}T00:00:00Z",
        checkpoint={"file": "best.pth", "sha256": f"{seed}" * 64, "epoch": 1, "iteration": 1},
    )
    path = folder / config / f"seed_{seed}" / "result.json"
    path.parent.mkdir(parents=True)
    record.write(path)
    for name, values in found.items() if kept else ():
        about = TalliesAbout(
            fingerprint=record.protocol["fingerprint"],
            subject=record.subject,
            baseline=name,
            metrics=["mse_sum"],
            independent=False,
        )
        KeptTallies(about, samples, blocks, {"mse_sum": values}).write(tallies_file(path, name))
    return record


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """Three seeds of a good net, three of one as good, and a bad one; with a baseline."""
    for seed in range(3):
        write_run(tmp_path, "boiling/good", 1.0, seed=seed, baselines={"Persistence": 3.0})
        write_run(tmp_path, "boiling/equal", 1.0, seed=seed + 3)
    write_run(tmp_path, "boiling/bad", 1.5)
    return board_of([tmp_path])


def test_a_better_row_is_named_for_each_lead(board: Board) -> None:
    (found,) = compare(board, "boiling/good", "boiling/bad")
    assert [str(d.name) for d in found.differences] == ["mse_sum", "mse_sum@1", "mse_sum@2"]
    assert {found.verdict(d) for d in found.differences} == {"A"}
    assert (found.num_samples, found.num_blocks, found.independent) == (40, 20, False)
    (swapped,) = compare(board, "bad", "GOOD")
    assert {swapped.verdict(d) for d in swapped.differences} == {"B"}
    for one, other in zip(found.differences, swapped.differences, strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert one.corrected >= one.p_value


def test_equal_rows_are_tied(board: Board) -> None:
    (found,) = compare(board, "good", "equal")
    assert {found.verdict(d) for d in found.differences} == {"tied"}


def test_a_baseline_is_compared_with_all_seeds(board: Board) -> None:
    (found,) = compare(board, "good", "Persistence", ["mse_sum"])
    (difference,) = found.differences
    assert found.verdict(difference) == "A"
    assert difference.other == pytest.approx(totals(3.0, 99).mean(), rel=1e-6)
    means = [totals(1.0, seed).mean() for seed in range(3)]
    assert difference.one == pytest.approx(np.mean(means), rel=1e-6)


def test_ties_with_the_best_are_marked(board: Board) -> None:
    (table,) = with_ties(board).tables
    tied = {row.label: row.tied for row in table.rows}
    best = table.rows[0].label
    assert {best, *(label for label, metrics in tied.items() if metrics)} == {"GOOD", "EQUAL"}
    assert not tied[best]
    assert all(row.tested == {"mse_sum"} for row in table.rows)
    assert table.untested == ""


def test_a_row_without_tallies_is_named_and_not_called_different(tmp_path: Path) -> None:
    """Whoever reads that it has no mark would think that the best one is better."""
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path, "boiling/equal", 1.0, seed=1)
    write_run(tmp_path, "boiling/old", 1.0, seed=2, kept=False)
    found = with_ties(board_of([tmp_path]))
    rows = {row.label: row for row in found.tables[0].rows}
    best = found.tables[0].rows[0].label
    assert best != "OLD"
    known = {label: row.is_tied("mse_sum") for label, row in rows.items()}
    assert known == {best: False, "OLD": None, ({"GOOD", "EQUAL"} - {best}).pop(): True}
    for suffix, text in {
        "md": "not tested for \N{ALMOST EQUAL TO}, for want of tallies: OLD\n",
        "html": "because tallies of samples are missing: OLD.",
        "tex": r"Not tested for $\approx$: OLD.",
        "json": '"tied": null',
    }.items():
        assert text in writers()[suffix](found)


def test_the_interquartile_mean_of_seeds(board: Board) -> None:
    (table,) = board.tables
    scores = {row.label: row.scores["mse_sum"] for row in table.rows}
    assert scores["BAD"].iqm is None
    good = scores["GOOD"]
    assert good.iqm == pytest.approx(good.mean)  # of three values none is cut
    assert good.iqm_interval is not None
    assert good.iqm_interval[0] < good.iqm < good.iqm_interval[1]


def test_formats(board: Board) -> None:
    found = compare(board, "good", "bad")
    text = markdown(found)
    assert "40 samples in 20 blocks" in text
    assert text.count("A is better") == 3
    lines = json.loads(as_json(found))
    assert [line["score"] for line in lines] == ["mse_sum", "mse_sum@1", "mse_sum@2"]
    assert as_csv(found).splitlines()[0] == ",".join(lines[0])


def test_a_probe_is_told_from_the_recipe_as_it_is(tmp_path: Path) -> None:
    """Two equal names would hide that one of them had other options."""
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path / "b", "boiling/good", 1.2, seed=1, overrides=["model.num_members=32"])
    board = board_of([tmp_path])
    folder = str(tmp_path / "b")
    (found,) = compare(board, "boiling/good", folder)
    name = "GOOD, boiling/good"
    assert found.labels == (name, f"{name} (probe: model.num_members=32)")
    assert f"A = {name}, B = {name} (probe: model.num_members=32)" in markdown([found])
    assert {(x["a"], x["b"]) for x in json.loads(as_json([found]))} == {found.labels}


def test_other_values_under_one_protocol_are_not_compared(tmp_path: Path) -> None:
    """Data that were drawn again have the same ids, and pairs of samples would be of two scenes."""
    for config, level in (("boiling/old", 3.0), ("boiling/new", 3.1), ("boiling/same", 3.0001)):
        write_run(tmp_path, config, 1.0, baselines={"Persistence": level})
    found = board_of([tmp_path])
    (table,) = with_ties(found).tables
    with pytest.raises(UserError, match=r"new.* have other values than .*of Persistence"):
        compare(found, "old", "new")
    assert compare(found, "old", "same")
    assert "boiling/new" not in {row.config for row in table.rows if row.tested}


def test_an_unknown_score_lists_the_metrics_and_not_each_lead(board: Board) -> None:
    for pattern, known in (("nope", "known are: mse_sum$"), ("mse_sum@7", "'mse_sum@[12]'")):
        with pytest.raises(UserError, match=known):
            compare(board, "good", "bad", [pattern])


def test_a_run_without_tallies_is_one_sentence(tmp_path: Path) -> None:
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path, "boiling/old", 2.0, kept=False)
    board = board_of([tmp_path])
    with pytest.raises(RecordError, match=r"kept no tallies; run the test again"):
        compare(board, "good", "old")
    assert not any(row.tied for table in with_ties(board).tables for row in table.rows)


def test_tallies_of_another_test_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path, "boiling/bad", 2.0)
    source = tmp_path / "boiling/bad/seed_0/tallies.npz"
    (tmp_path / "boiling/good/seed_0/tallies.npz").write_bytes(source.read_bytes())
    with pytest.raises(RecordError, match=r"is of another test than result\.json beside it"):
        compare(board_of([tmp_path]), "good", "bad")


def test_another_protocol_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path, "boiling/bad", 2.0, samples=[f"t{index:02d}" for index in range(SIZE)])
    with pytest.raises(UserError, match="tested under different protocols: samples"):
        compare(board_of([tmp_path]), "good", "bad")


def test_names_that_are_wrong_or_equal(board: Board) -> None:
    with pytest.raises(UserError, match="no row is called 'goood'; did you mean 'good'"):
        compare(board, "goood", "bad")
    with pytest.raises(UserError, match="GOOD is one row; name two"):
        compare(board, "good", "GOOD")
    with pytest.raises(UserError, match="no result has a score 'mse_sun'"):
        compare(board, "good", "bad", ["mse_sun"])


def test_a_folder_names_a_row(tmp_path: Path, board: Board) -> None:
    (found,) = compare(board, str(tmp_path / "boiling/good"), "bad")
    assert found.one.config == "boiling/good"


def test_the_folder_of_one_seed_is_that_run_alone(tmp_path: Path, board: Board) -> None:
    """The answer was that no row is called so; the mean over all seeds would be another model."""
    seeds = [str(tmp_path / f"boiling/good/seed_{seed}") for seed in range(3)]
    (found,) = compare(board, seeds[1], "bad", ["mse_sum"])
    assert found.one.label == "GOOD (seed 1, 1 of 3 runs)"
    assert found.differences[0].one == pytest.approx(totals(1.0, 1).mean(), rel=1e-6)
    assert found.one.scores["mse_sum"].num == 1
    assert "A = GOOD (seed 1, 1 of 3 runs), B = BAD" in markdown([found])
    assert json.loads(as_json([found]))[0]["a"] == "GOOD (seed 1, 1 of 3 runs)"
    (alone,) = compare(board, "bad", f"{seeds[2]}/result.json")
    assert alone.other.label == "GOOD (seed 2, 1 of 3 runs)"
    (two,) = compare(board, seeds[0], seeds[1])  # two seeds of one row
    assert (two.one.seeds, two.other.seeds) == ([0], [1])
    assert {two.verdict(d) for d in two.differences} == {"tied"}
    with pytest.raises(UserError, match=r"share the run .*seed_1.result\.json; name two"):
        compare(board, seeds[1], "good")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no run of the leaderboard is below .*empty; give it as"):
        compare(board, str(tmp_path / "empty"), "good")
    with pytest.raises(UserError, match=r"several rows: 'EQUAL' \(.*seed_3\), 'GOOD' \("):
        compare(board, str(tmp_path), "good")


def test_a_folder_with_a_further_checkpoint_is_the_run_of_the_row(tmp_path: Path) -> None:
    """The only row whose runs were all in the folder was that of the further checkpoint."""
    for seed in range(2):
        write_run(tmp_path, "boiling/good", 1.0, seed=seed)
    write_run(tmp_path, "boiling/bad", 2.0)
    file = tmp_path / "boiling/good/seed_1/result.json"
    last = {"file": "last.pth", "sha256": "f" * 64, "epoch": 9, "iteration": 9}
    msgspec.structs.replace(Record.read(file), checkpoint=last).write(
        file.with_name("result_ffffffff_00000000.json")
    )
    board = board_of([tmp_path])
    assert [row.checkpoint for row in board.tables[0].rows if row.checkpoint] == [
        "last.pth ffffffff"
    ]
    (found,) = compare(board, str(file.parent), "bad")
    assert found.one.label == "GOOD (seed 1, 1 of 2 runs)"


def test_a_row_with_a_postprocessor_has_the_config_of_the_row_without(tmp_path: Path) -> None:
    """A config was two rows, so that it named none."""
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path, "boiling/bad", 2.0)
    file = tmp_path / "boiling/good/seed_0/result.json"
    found = Record.read(file)
    msgspec.structs.replace(found, postprocessed={"Conformal": found.metrics}).write(file)
    board = board_of([tmp_path])
    assert len(board.tables[0].rows) == 3
    for name in ("good", str(file.parent)):
        assert compare(board, name, "bad")[0].one.label == "GOOD"


def test_other_blocks_cannot_be_compared(tmp_path: Path) -> None:
    """The p-value of A and B would not be that of B and A."""
    write_run(tmp_path, "boiling/good", 1.0)
    write_run(tmp_path, "boiling/bad", 2.0, blocks=[f"b{index}" for index in range(SIZE)])
    board = board_of([tmp_path])
    with pytest.raises(UserError, match="other blocks of samples"):
        compare(board, "good", "bad")
    assert not any(row.tied for table in with_ties(board).tables for row in table.rows)


def test_few_blocks_show_neither_a_difference_nor_a_tie(tmp_path: Path) -> None:
    """Persistence would be called as good as the best net, because four blocks show nothing."""
    blocks = [f"day-{index // 10}" for index in range(SIZE)]
    write_run(tmp_path, "boiling/good", 1.0, blocks=blocks)
    write_run(tmp_path, "boiling/bad", 9.0, blocks=blocks)
    board = board_of([tmp_path])
    assert not any(row.tied for table in with_ties(board).tables for row in table.rows)
    found = compare(board, "good", "bad")
    assert {found[0].verdict(d) for d in found[0].differences} == {"tied"}
    assert "with 4 blocks no p can be below 0.12" in markdown(found)


def test_tallies_of_another_version_of_a_metric_are_one_sentence(tmp_path: Path) -> None:
    """A metric that has other entries now would end in a traceback, in the leaderboard too."""
    for name in ("good", "bad"):
        write_run(tmp_path, f"boiling/{name}", 1.0)
        path = tmp_path / f"boiling/{name}/seed_0/tallies.npz"
        kept = KeptTallies.read(path)
        flat = {"mse_sum": kept.tallies["mse_sum"][:, :1, 0]}
        KeptTallies(kept.about, kept.samples, kept.blocks, flat).write(path)
    board = board_of([tmp_path])
    with pytest.raises(RecordError, match="mse_sum are of another version of the metric"):
        compare(board, "good", "bad")
    assert not any(row.tied for table in with_ties(board).tables for row in table.rows)


def test_a_score_that_is_no_mean_of_samples_is_named(tmp_path: Path) -> None:
    """The distance of all features would be missing from a comparison without a word."""
    write_run(tmp_path, "boiling/good", 1.0, fvd=10.0)
    write_run(tmp_path, "boiling/bad", 2.0, fvd=20.0)
    found = compare(board_of([tmp_path]), "good", "bad")
    assert {d.name.metric for d in found[0].differences} == {"mse_sum"}
    line = "- not compared: fvd, not a mean of samples, so it cannot be paired"
    assert line in markdown(found).splitlines()


def test_a_score_without_a_value_in_one_row_is_named(tmp_path: Path) -> None:
    """Scores of ensembles have none for a baseline, and would be missing without a word."""
    write_run(tmp_path, "boiling/good", 1.0, baselines={"Persistence": np.nan})
    found = compare(board_of([tmp_path]), "good", "Persistence")
    assert not found[0].differences
    assert "- not compared: mse_sum, without a value in one of the two rows" in markdown(found)


def test_scores_with_different_entries_are_left_out() -> None:
    """Ranks of ensembles of different sizes cannot be exchanged."""
    about = TalliesAbout(
        fingerprint="a", subject=("b", "c"), metrics=["rank_histogram"], independent=True
    )
    one, other = (
        KeptTallies(about, ["x", "y"], ["x", "y"], {"rank_histogram": np.ones((2, 2, ranks))})
        for ranks in (3, 5)
    )
    assert pairs_of([one], [other], "rank_histogram") == []
    assert len(pairs_of([one, one], [one], "rank_histogram")) == 2
