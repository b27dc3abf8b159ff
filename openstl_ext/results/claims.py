"""Published results as data: read them, filter them, and find those of a protocol."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from openstl_ext.errors import UserError, nearest
from openstl_ext.json_file import read_json
from openstl_ext.results.protocol import Protocol

FILE = Path(__file__).with_name("claims.json")

SourceKind = Literal["own_paper", "model_zoo", "rerun_by_other_paper", "third_party_page"]
FlagKind = Literal[
    "misprint",
    "suspect",
    "faulty_code",
    "unreproducible",
    "convention",
    "inferred",
    "quoted",
    "second_hand",
    "repeated",
]
FLAGS: dict[str, str] = {
    "misprint": "the printed figure is wrong, or printed under another name",
    "suspect": "the figure contradicts others of its source",
    "faulty_code": "made by code with a known fault",
    "unreproducible": "the released code cannot give the figure",
    "convention": "the metric is not stated, or is one of its source only",
    "inferred": "a part is not printed in the source, but follows from it",
    "quoted": "taken by the source from another publication",
    "second_hand": "read in another text than the source",
    "repeated": "the same run as another row of the same authors",
}
"""What each kind of flag means."""

METRICS: dict[str, str] = {
    "mse_sum": "squared error, summed over a frame",
    "mae_sum": "absolute error, summed over a frame",
    "ssim_openstl": "SSIM, uniform window of 7, data range 2",
    "ssim_unstated": "SSIM of an unstated definition",
    "ssim_vmrnn_mmnist": "SSIM of VMRNN's folder for Moving MNIST",
    "psnr": "PSNR of a frame, forecast clipped to 0-1",
    "psnr_uint8": "PSNR of bytes that wrap around; 6 dB and more above psnr",
    "lpips": "LPIPS",
    **{
        f"{name}{variable}": f"{text}{of}"
        for name, text in {
            "mse_mean": "squared error, mean over the grid, in the unit of the variable",
            "mae_mean": "absolute error, mean over the grid, in the unit of the variable",
            "rmse": "root of the mean squared error, in the unit of the variable",
        }.items()
        for variable, of in {
            "": "",
            "_r": ", humidity",
            "_t": ", temperature",
            "_u": ", eastward wind",
            "_v": ", northward wind",
        }.items()
    },
    **{f"csi{n}": f"critical success index above {n}" for n in (30, 40, 50)},
    "mse_gmg": "MSE of GMG's README, unit not stated",
    "mae_div10_gmg": "a tenth of the MAE of GMG's README, unit not stated",
    "rmse_gmg": "RMSE of GMG's README, unit not stated",
}
"""What each name of a published figure means."""


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Task of a published figure; null where the source does not state it.

    Args:
        frames_in: Input frames.
        frames_out: Target frames.
        resolution: Height and width, in pixels.
        channels: Channels of a frame.
        gpus_x_batch: Number of GPUs and batch size of each, as in ``4xbs4``.
    """

    frames_in: int | None
    frames_out: int | None
    resolution: tuple[int, int] | None
    channels: int | None
    gpus_x_batch: str | None = None


class Flag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reason to read a published figure with care.

    Args:
        kind: One of ``FLAGS``.
        reason: What is known, a phrase.
        fields: Metrics, or ``params`` and ``flops``, that it is about; empty for the whole row.
    """

    kind: FlagKind
    reason: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Kind, fields and reason, as in ``misprint of psnr: the old formula``."""
        about = f" of {' and '.join(self.fields)}" if self.fields else ""
        return f"{self.kind}{about}: {self.reason}"


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures of one method in one source.

    Args:
        dataset: Name of the data.
        setting: Task.
        method: Published name of the method.
        variant: Size or part, such as the translator of SimVP; null where there is one only.
        metrics: Figures as printed, by the names of ``METRICS``.
        params: Weights in millions, as printed.
        flops: Multiply-adds in units of 1e9, as printed.
        epochs: Length of the training; null where the source does not state it.
        source: Paper, or repository, file and commit.
        source_kind: Whether the authors report it, a model zoo, another paper that ran the
            method again, or a page that repeats a figure.
        year: Year of the source.
        lineage: Code and version that produced the figure, where it is known.
        flags: Reasons to read it with care.
        note: Anything else.
    """

    dataset: str
    setting: Setting
    method: str
    variant: str | None
    metrics: dict[str, float]
    params: float | None
    flops: float | None
    epochs: int | None
    source: str
    source_kind: SourceKind
    year: int
    lineage: str | None = None
    flags: tuple[Flag, ...] = ()
    note: str = ""

    @property
    def label(self) -> str:
        """Method and variant, as in ``SimVP-gSTA``."""
        return f"{self.method}-{self.variant}" if self.variant else self.method

    @property
    def key(self) -> tuple[str, str, str, int | None, tuple[float, ...]]:
        """What distinguishes it from all other claims; two sources of one run are two claims."""
        where = (self.dataset, self.label, self.source)
        return (*where, self.epochs, tuple(self.metrics.values()))

    def flags_of(self, field: str) -> list[Flag]:
        """Return the flags about one figure; those of the whole row are not among them."""
        return [flag for flag in self.flags if field in flag.fields]

    def is_misprint(self, field: str) -> bool:
        """Return whether a printed figure is known to be wrong."""
        return any(flag.kind == "misprint" for flag in self.flags_of(field))


@dataclass(frozen=True)
class TestSet:
    """Test set of a dataset class that published tables use.

    Args:
        dataset: Its name in the claims.
        sizes: Number of test samples by input and target frames. Another number is another set.
        fixed: Arguments of the dataset and the values that the published set has.
        ignored: Arguments of the dataset that do not change the test samples, or that shapes and
            number of samples show. A test with any other argument is not compared.
    """

    dataset: str
    sizes: Mapping[tuple[int, int], int]
    fixed: Mapping[str, Any]
    ignored: tuple[str, ...]


TEST_SETS = {
    "MovingMNIST": TestSet(
        "moving_mnist",
        sizes={(10, 10): 10_000},
        fixed={"num_digits": 2, "speed": 0.1},
        ignored=("image_size", "epoch_length", "val_length", "val_fraction", "digit_range"),
    ),
    # the frames of PredRNN's authors; the set of 10 to 40 frames is stated nowhere
    "KTH": TestSet(
        "kth",
        sizes={(10, 20): 3_167},
        fixed={"trimmed": True},
        ignored=("image_size", "form", "val_persons"),
    ),
    "TaxiBJ": TestSet("taxibj", sizes={(4, 4): 500}, fixed={}, ignored=("val_fraction",)),
}
"""Published test sets by the type of the dataset."""

COUNTERPARTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mse_sum": ({"type": "SummedMSE"}, {}),
    "mae_sum": ({"type": "SummedMAE"}, {}),
    "ssim_openstl": ({"type": "SSIMOpenSTL", "data_range": 2.0, "clip": [0, 1]}, {}),
    "psnr": ({"type": "PSNR", "data_range": 1.0, "clip": [0, 1]}, {"clip": None}),
}
"""Metric that computes a published figure, and its defaults that differ; scores have one name."""


@cache
def read_claims(path: Path = FILE) -> tuple[Claim, ...]:
    """Read the published results.

    Raises:
        DataError: If the file is no list of claims; the message names the field.
    """
    return tuple(read_json(path, list[Claim]))


def claims_under(protocol: Protocol, claims: Iterable[Claim] | None = None) -> tuple[Claim, ...]:
    """Return the claims whose data, horizon, resolution, split and any metric are those of a test.

    A claim is left out where anything of it is unknown, and all are left out for generated data.

    Args:
        protocol: Protocol of a test.
        claims: By default all.
    """
    task, names = _task(protocol), comparable_metrics(protocol)
    if task is None or not names:
        return ()
    return tuple(
        claim
        for claim in (read_claims() if claims is None else claims)
        if _task_of(claim) == task and names & set(claim.metrics)
    )


def comparable_metrics(protocol: Protocol) -> set[str]:
    """Return the published metrics that the test computes by the same definition."""
    found = set()
    for name, (wanted, defaults) in COUNTERPARTS.items():
        same_type = [m for m in protocol["evaluator"] if m.get("type") == wanted["type"]]
        if same_type and all({**wanted, **defaults, **m} == wanted for m in same_type):
            found.add(name)
    return found


def _task(protocol: Protocol) -> tuple[Any, ...] | None:
    """Return the task of a test in the form of ``_task_of``; None if no claim can be compared."""
    config, shapes = protocol["dataset"], protocol["shapes"]
    test_set = TEST_SETS.get(str(config.get("type", "")).rpartition(".")[2])
    past, future = shapes.get("inputs.frames"), shapes.get("data_samples.frames")
    if test_set is None or past is None or future is None or protocol["metainfo"].get("synthetic"):
        return None
    lengths = (past[0], future[0])
    others = {k: v for k, v in config.items() if k not in test_set.ignored}
    known = {"type", "split", "num_inputs", "num_targets", *test_set.fixed}
    same = all(config.get(key, value) == value for key, value in test_set.fixed.items())
    is_published = config.get("split") == "test" and protocol["size"] == test_set.sizes.get(lengths)
    if not (is_published and same and set(others) <= known):
        return None
    return (test_set.dataset, *lengths, past[1], *past[2:])


def _task_of(claim: Claim) -> tuple[Any, ...]:
    setting = claim.setting
    size = setting.resolution or (None, None)
    return (claim.dataset, setting.frames_in, setting.frames_out, setting.channels, *size)


def selected(
    claims: Sequence[Claim],
    *,
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    metrics: Sequence[str] = (),
    source_kinds: Sequence[str] = (),
    epochs: Sequence[int | None] = (),
    flags: Sequence[str] | None = None,
) -> list[Claim]:
    """Return the claims that fit every given filter, which has one of several values each.

    Args:
        claims: The claims.
        datasets: Names of data.
        methods: Methods, or methods with their variant, as in ``SimVP-gSTA``; any case.
        metrics: Names of published figures; a claim needs one of them.
        source_kinds: Kinds of sources.
        epochs: Lengths of the training; None for those that are not stated.
        flags: Kinds of flags, any for none; None for all claims, flagged or not.

    Raises:
        UserError: If no claim has a value; the message has the nearest one.
    """
    methods = _in_known_case(methods, {name for c in claims for name in (c.method, c.label)})
    _check("dataset", datasets, {c.dataset for c in claims})
    _check("method", methods, {name for c in claims for name in (c.method, c.label)})
    _check("metric", metrics, {name for c in claims for name in c.metrics})
    _check("source kind", source_kinds, {c.source_kind for c in claims})
    _check("flag", flags or (), FLAGS)
    _check("number of epochs", map(shown_epochs, epochs), {shown_epochs(c.epochs) for c in claims})

    def fits(claim: Claim) -> bool:
        kinds = {flag.kind for flag in claim.flags}
        return (
            (not datasets or claim.dataset in datasets)
            and (not methods or not {claim.method, claim.label}.isdisjoint(methods))
            and (not metrics or not claim.metrics.keys().isdisjoint(metrics))
            and (not source_kinds or claim.source_kind in source_kinds)
            and (not epochs or claim.epochs in epochs)
            and (flags is None or bool(kinds.intersection(flags) if flags else kinds))
        )

    return [claim for claim in claims if fits(claim)]


def shown_epochs(epochs: int | None) -> str:
    """Return the length of a training as text; ``unknown`` where it is not stated."""
    return "unknown" if epochs is None else str(epochs)


def _check(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"no published result has the {what} {name!r}; {nearest(name, known)}")


def _in_known_case(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the names as they are written in the claims, where only the case differs."""
    folded = {name.casefold(): name for name in known}
    return [folded.get(name.casefold(), name) for name in names]
