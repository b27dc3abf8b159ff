"""Published results: the data, the filters, and the protocol that they belong to."""

import json
from pathlib import Path

import pytest

from openstl_ext.config import load
from openstl_ext.errors import DataError, UserError
from openstl_ext.results.claims import (
    COUNTERPARTS,
    FLAGS,
    METRICS,
    claims_under,
    comparable_metrics,
    read_claims,
    selected,
)

ROOT = Path(__file__).parents[2]
VIDEO = [
    {"type": "SummedMSE"},
    {"type": "SummedMAE"},
    {"type": "PSNR", "clip": [0, 1]},
    {"type": "SSIMOpenSTL"},
]
TAXIBJ = {
    "dataset": {"type": "TaxiBJ", "root": "data/taxibj", "split": "test"},
    "evaluator": VIDEO,
    "metainfo": {"name": "taxibj", "synthetic": False},
    "shapes": {"inputs.frames": (4, 2, 32, 32), "data_samples.frames": (4, 2, 32, 32)},
    "size": 500,
}


def test_every_claim_has_source_task_and_known_names():
    """A figure without its source, or under an unknown name, would be compared with ours."""
    claims = read_claims()
    assert len(claims) == 526
    assert len({claim.key for claim in claims}) == len(claims)
    for claim in claims:
        assert claim.source.strip(), claim
        assert claim.metrics.keys() <= METRICS.keys(), claim
        assert 2015 <= claim.year <= 2026, claim
        assert all(value >= 0 for value in claim.metrics.values()), claim
        for flag in claim.flags:
            assert flag.reason.strip(), claim
            assert set(flag.fields) <= {*claim.metrics, "params", "flops"}, claim
            # what is only in the text would be found by no filter
        assert not {"MISPRINT", "SUSPECT"} & {word.strip(":") for word in claim.note.split()}
    assert {flag.kind for claim in claims for flag in claim.flags} == set(FLAGS)
    assert {name for claim in claims for name in claim.metrics} == set(METRICS)


def test_two_sources_of_one_method_are_two_rows():
    """The figure of a paper and that of a later run would be averaged, or one would be lost."""
    found = selected(read_claims(), datasets=["taxibj"], methods=["convlstm-s"])
    errors = sorted(claim.metrics["mse_sum"] for claim in found)
    assert errors == [0.3358, 0.400678, 0.485]
    assert len({claim.source for claim in found}) == 3


def test_misprints_name_their_figures():
    """A PSNR of another formula would be 15 dB better than all others."""
    (first, second) = selected(
        read_claims(),
        datasets=["moving_mnist"],
        methods=["SimVP-gSTA"],
        epochs=[200],
        source_kinds=["model_zoo"],
    )
    assert (first.metrics["psnr"], first.is_misprint("psnr")) == (38.35, True)
    assert (second.metrics["psnr"], second.is_misprint("psnr")) == (22.78, False)
    assert not first.is_misprint("mse_sum")


def test_the_lineage_of_the_old_cell_is_a_field():
    """Figures of a cell with another formula would be taken for those of the released code."""
    claims = selected(read_claims(), methods=["ConvLSTM-S"], source_kinds=["model_zoo"])
    assert claims
    assert all("OpenSTL 0.3" in (claim.lineage or "") for claim in claims)


def test_claims_belong_to_the_published_test_only(fakes):
    """A figure of another horizon, size, test set or split would stand beside ours."""
    right = fakes.protocol(**TAXIBJ)
    shown = claims_under(right)
    assert len(shown) == len(selected(read_claims(), datasets=["taxibj"], metrics=[*COUNTERPARTS]))
    other = {"inputs.frames": (4, 2, 32, 32), "data_samples.frames": (8, 2, 32, 32)}
    larger = {"inputs.frames": (4, 2, 64, 64), "data_samples.frames": (4, 2, 64, 64)}
    for change in (
        {"shapes": other},
        {"shapes": larger},
        {"size": 499},
        {"dataset": {**TAXIBJ["dataset"], "split": "val"}},
        {"dataset": {**TAXIBJ["dataset"], "channels": "inflow"}},
        {"dataset": {**TAXIBJ["dataset"], "type": "Boiling"}},
        {"metainfo": {"name": "taxibj", "synthetic": True}},
        {"evaluator": [{"type": "MeanMSE"}]},
    ):
        assert claims_under(fakes.protocol(**{**TAXIBJ, **change})) == (), change


def test_other_digits_are_another_test_set(fakes):
    """Three digits, drawn as 10,000 sequences, would be compared with the published two."""
    shape = (10, 1, 64, 64)
    dataset = {"type": "MovingMNIST", "split": "test", "num_inputs": 10, "num_targets": 10}
    facts = {
        **TAXIBJ,
        "dataset": dataset,
        "shapes": {"inputs.frames": shape, "data_samples.frames": shape},
        "size": 10_000,
    }
    assert claims_under(fakes.protocol(**facts))
    assert not claims_under(fakes.protocol(**{**facts, "dataset": {**dataset, "num_digits": 3}}))
    assert claims_under(fakes.protocol(**{**facts, "dataset": {**dataset, "num_digits": 2}}))


@pytest.mark.parametrize(
    ("metric", "is_comparable"),
    [
        ({"type": "PSNR", "clip": [0, 1]}, True),
        ({"type": "PSNR", "clip": [0.0, 1.0], "data_range": 1}, True),
        ({"type": "PSNR"}, False),
        ({"type": "PSNR", "clip": [0, 1], "data_range": 255}, False),
        ({"type": "SSIMOpenSTL"}, True),
        ({"type": "SSIMOpenSTL", "data_range": 1.0}, False),
        ({"type": "SSIM"}, False),
        ({"type": "MeanMSE"}, False),
    ],
)
def test_only_the_same_definition_is_compared(fakes, metric, is_comparable):
    """A PSNR without clipping would lose against published ones for its definition alone."""
    found = comparable_metrics(fakes.protocol(evaluator=[metric]))
    assert bool(found) is is_comparable


def test_configs_claim_what_a_source_has():
    """A figure of a recipe could be mistyped, or stand under the name of another metric."""
    checked = 0
    for path in sorted((ROOT / "configs").rglob("*.py")):
        if "_base_" in path.parts:
            continue
        claimed = dict(load(path).get("source", {}).get("claimed") or {})
        if not claimed:
            continue
        checked += 1
        dataset = path.relative_to(ROOT / "configs").parts[0]
        assert claimed.keys() <= COUNTERPARTS.keys(), path
        published = [claim.metrics for claim in selected(read_claims(), datasets=[dataset])]
        agreeing = [m for m in published if claimed.items() <= m.items()]
        assert agreeing, f"{path}: no published result of {dataset} has {claimed}"
    assert checked >= 15


def test_filters_are_combined():
    """A list for a comparison would have rows of other budgets or sources."""
    found = selected(
        read_claims(), datasets=["moving_mnist"], epochs=[2000, None], source_kinds=["own_paper"]
    )
    assert found
    assert {claim.epochs for claim in found} == {2000, None}
    assert {claim.source_kind for claim in found} == {"own_paper"}
    flagged = selected(read_claims(), flags=["suspect"])
    assert len(flagged) == 10
    assert len(selected(read_claims(), flags=[])) > 100


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"datasets": ["taxi_bj"]}, "did you mean 'taxibj'"),
        ({"methods": ["SimVP-gSTB"]}, "did you mean 'SimVP-gSTA'"),
        ({"metrics": ["mse_sums"]}, "did you mean 'mse_sum'"),
        ({"source_kinds": ["own_papers"]}, "did you mean 'own_paper'"),
        ({"flags": ["misprints"]}, "did you mean 'misprint'"),
        ({"epochs": [51]}, "epochs '51'; known are: 100"),
    ],
)
def test_unknown_names_get_the_nearest(filters, message):
    """An empty list would read as: nothing is published."""
    with pytest.raises(UserError, match=message):
        selected(read_claims(), **filters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_kind": "blog"}, "blog"),
        ({"flags": [{"kind": "wrong", "reason": "x"}]}, "wrong"),
        ({"epoch": 3}, "did you mean 'epochs'|unknown field `epoch`"),
        ({"metrics": {"mse_sum": "16,9"}}, "metrics"),
    ],
)
def test_the_file_is_checked(tmp_path: Path, change, message):
    """A mistyped field of a new row would be ignored."""
    rows = json.loads((ROOT / "openstl_ext/results/claims.json").read_text())
    path = tmp_path / "claims.json"
    path.write_text(json.dumps([rows[0] | change]))
    with pytest.raises(DataError, match=message):
        read_claims(path)
