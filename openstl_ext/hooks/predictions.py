"""Save predictions and targets: forecasts frame by frame, maps of labels, labels of samples."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext.atomic_io import (
    PART,
    raise_if_unwritten,
    recover_folder,
    replace_folder,
    save_array,
)
from openstl_ext.engine.logs import detail
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.hooks.result import Tested, scores_array
from openstl_ext.hooks.scene_labels import UNKNOWN, SceneLabels, is_scene
from openstl_ext.json_file import read_json
from openstl_ext.registry import HOOKS
from openstl_ext.results.protocol import facts_of, plain
from openstl_ext.structures import Inputs, Metainfo, Sample

KINDS = ("inputs", "trues", "preds")
PROBABILITIES = "probs"
QUANTILES, ENSEMBLE, LEVELS = "quantiles", "ensemble", "quantile_levels"


@HOOKS.register_module()
class PredictionsHook(Hook):
    """Write inputs, target and prediction of every test sample to disk, in data units.

    Files are written to ``saved.part``, which is renamed to ``saved`` when all samples and scores
    are complete: an interrupted run leaves no incomplete set, and the earlier set stays until then.
    Each rank writes its own samples, so frames are not gathered. A set of another checkpoint or
    test is kept; the new one is then written to ``saved_<checkpoint>_<test>``.

    Args:
        folder: Name within the work directory.
        members: Whether the members of an ensemble are saved, which take most of the space.

    Attributes:
        written: The folder of the last test.

    Files:
        ``<folder>/{inputs,trues,preds}/<sample>/<t>.npy``: float32, (H, W) for one channel, else
        (C, H, W); NaN where there is no data. ``metrics.npy``: a structured scalar with one
        float64 field per score, so that ``np.load(path)["mse_sum"]`` is a number; ``metrics.json``:
        the same, null for NaN. ``about.json``: channels, unit, lead, config, weights, test.

        Where the forecast has quantiles or members, ``{quantiles,ensemble}/<sample>/<t>.npy`` are
        those of each step, (Q, C, H, W) or (E, C, H, W), and ``about.json`` has the levels,
        ``quantile_levels``.

        Where the prediction is a map of labels, ``{trues,preds}/<sample>/0.npy`` are class indices,
        int16 (H, W), with target -1 where it is unknown; ``probs/<sample>/<k>.npy`` is the
        probability of class k, float32 (H, W); and ``about.json`` contains ``"kind": "labels"``,
        classes and years.

        Where it is a label of the entire sample, or one of 0 and 1 for each class, ``trues.npy``
        and ``preds.npy`` are those of all samples, int16 (N,) or (N, K), target -1 where it is
        unknown; ``probs.npy`` is float32 (N, K); ``samples.json`` has the names in this order; and
        ``about.json`` contains ``"kind": "scenes"``. The inputs are not saved.

    Raises:
        ConfigError: If the prediction is neither frames nor labels.
        DataError: If two samples have the same name, or a name is not a folder name.

    Source:
        The file layout of simvp_minimal@be7db3d.

    Deviations:
        Upstream's ``metrics.npy`` is a pickled dict, which needs ``allow_pickle``; its frames have
        one channel only.
    """

    changes = "nothing"

    def __init__(self, *, folder: str = "saved", members: bool = True) -> None:
        self.folder, self.members = folder, members
        self.written: Path | None = None
        self._names: list[list[str]] = []
        self._levels: list[float] = []
        self._scenes = SceneLabels()

    def before_test_epoch(self, runner: Runner) -> None:
        final, part = self._places(runner)
        dataset = runner.test_dataloader.dataset
        # the batches of this rank; a sampler divides the samples among the ranks
        batches = [[_index(i) for i in batch] for batch in runner.test_dataloader.batch_sampler]
        self._names = [[sample_name(dataset, index) for index in batch] for batch in batches]
        self._scenes = SceneLabels()
        if is_main_process():
            recover_folder(final)  # an earlier run may have been killed while it replaced it
            shutil.rmtree(part, ignore_errors=True)
            for kind in KINDS:
                (part / kind).mkdir(parents=True)
        barrier()

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Mapping[str, Inputs] | None = None,
        outputs: Sequence[Sample] | None = None,
    ) -> None:
        outputs, inputs = outputs or (), (data_batch or {}).get("inputs", {})
        names, part = self._names[batch_idx], self._places(runner)[1]
        frames, valid = inputs.get("frames"), inputs.get("valid")
        for index, (name, sample) in enumerate(zip(names, outputs, strict=True)):
            if is_scene(sample):
                self._scenes.append(name, sample)
                continue
            if frames is None:
                raise ConfigError(
                    "PredictionsHook saves frames, but the inputs have none; remove it from "
                    "custom_hooks"
                )
            past = known(frames[index], None if valid is None else valid[index])
            files = {"inputs": frame_arrays(past), **answer_arrays(sample)}
            files |= uncertain_arrays(sample, members=self.members)
            if LEVELS in sample:
                self._levels = [round(x, 6) for x in sample["quantile_levels"].tolist()]
            with removed_if_unwritten(part):
                for kind, arrays in files.items():
                    write_arrays(part / kind / name, arrays)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        barrier()  # every rank has written its last frame
        self._scenes.gather()
        if not is_main_process():
            return
        usual, part = self._places(runner)
        scenes, dataset = self._scenes, runner.test_dataloader.dataset
        found, size = len(scenes.rows) or len(list((part / "preds").iterdir())), len(dataset)
        if found != size:
            raise DataError(
                f"{found} predictions were saved, but there are {size} test samples; run the test "
                "again"
            )
        scores = {name: float(value) for name, value in (metrics or {}).items()}
        kind: dict[str, Any] = {"kind": "labels"} if (part / PROBABILITIES).is_dir() else {}
        kind = {"kind": "scenes"} if scenes.rows else kind
        subject = Tested.of(runner).subject
        final = place_of(usual, subject)
        kind |= {LEVELS: self._levels} if (part / QUANTILES).is_dir() else {}
        about = {**self._about(runner), **msgspec.structs.asdict(_Subject(*subject)), **kind}
        with removed_if_unwritten(part):
            if scenes.rows:
                scenes.write(part, [sample_name(dataset, index) for index in range(size)])
                for folder in KINDS:
                    (part / folder).rmdir()
            save_array(part / "metrics.npy", scores_array(scores))
            _write_json(part / "metrics.json", scores)
            _write_json(part / "about.json", about)
            replace_folder(part, final)
        self.written = final
        detail(runner.logger, f"{size} predictions are in {final}")
        if final != usual:
            runner.logger.warning(f"{usual} is kept: it is of another checkpoint or test")

    def _places(self, runner: Runner) -> tuple[Path, Path]:
        """Return the folders of the complete and of the growing set."""
        final = Path(runner.work_dir) / self.folder
        return final, final.with_name(final.name + PART)  # the same name on all ranks

    @staticmethod
    def _about(runner: Runner) -> dict[str, Any]:
        """Return the facts that figures need beside the frames."""
        metainfo = getattr(runner.test_dataloader.dataset, "metainfo", None)
        facts = {"config": runner.cfg.get("identity"), "seed": runner.seed, **facts_of(metainfo)}
        if isinstance(metainfo, Metainfo):
            facts |= {"channels": metainfo.labels, "unit": metainfo.unit or ""}
        return facts


class _Subject(msgspec.Struct):
    """What ``about.json`` states of the weights and the test; see ``Record.subject``."""

    checkpoint: str = ""
    test: str = ""


def place_of(folder: Path, subject: tuple[str, str]) -> Path:
    """Return the folder, or one beside it if it has the predictions of other weights or tests."""
    if not (about := folder / "about.json").is_file():
        return folder
    same = read_json(about, _Subject, advice=f"delete {folder}") == _Subject(*subject)
    return folder if same else folder.with_name("_".join([folder.name, *subject]))


@contextmanager
def removed_if_unwritten(folder: Path) -> Iterator[None]:
    """Remove a folder if a file in it cannot be written: a full disk should not stay full.

    Raises:
        OSError: With the name of the folder.
    """
    try:
        yield
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise_if_unwritten(error, folder)
        raise


def sample_name(dataset: Any, index: int) -> str:
    """Return the name of a sample's folder: its sample id.

    Raises:
        DataError: If the id is not a folder name.
    """
    name = str(dataset.sample_id(index))
    if not name or name.startswith(".") or set(name) & set('/\\:*?"<>|\0'):
        raise DataError(
            f"sample {index} has the id {name!r}, which is not a folder name on every system; "
            "return another name from sample_id of the dataset"
        )
    return name


def known(frames: Tensor, valid: Tensor | None) -> Tensor:
    """Return the frames, with NaN where there are no data."""
    return frames if valid is None else torch.where(valid, frames, torch.nan)


def answer_arrays(sample: Sample) -> dict[str, NDArray[Any]]:
    """Return the arrays of a prediction and its target by kind, one file per array.

    Raises:
        ConfigError: If the prediction is neither frames nor a map of labels.
    """
    if "forecast" in sample:
        target = known(sample["target"], sample.get("valid"))
        return {"trues": frame_arrays(target), "preds": frame_arrays(sample["forecast"])}
    if "labels" not in sample or sample["labels"].ndim != 2:
        raise ConfigError(
            "PredictionsHook saves frames and labels of pixels or of samples, but this method "
            "predicts neither; remove it from custom_hooks"
        )
    target = sample["target"]
    if "valid" in sample:
        target = torch.where(sample["valid"], target, UNKNOWN)
    maps = {"trues": target, "preds": sample["labels"]}
    arrays = {kind: x.detach().cpu().numpy().astype(np.int16)[None] for kind, x in maps.items()}
    return {**arrays, PROBABILITIES: sample["probability"].detach().float().cpu().numpy()}


def uncertain_arrays(sample: Sample, *, members: bool) -> dict[str, NDArray[np.float32]]:
    """Return the quantiles of a forecast, and its members if wanted, (T', Q or E, C, H, W)."""
    kinds = (QUANTILES, ENSEMBLE) if members else (QUANTILES,)
    found = {kind: sample.get(kind) for kind in kinds}
    return {
        kind: frames.detach().float().cpu().numpy().swapaxes(0, 1)
        for kind, frames in found.items()
        if isinstance(frames, Tensor) and "forecast" in sample
    }


def frame_arrays(frames: Tensor) -> NDArray[np.float32]:
    """Return frames as they are saved, one per file.

    Shape:
        - frames: (T, C, H, W); returns: the same, or (T, H, W) where there is one channel.
    """
    array = frames.detach().float().cpu().numpy()
    return array[:, 0] if array.shape[1] == 1 else array


def write_arrays(folder: Path, arrays: NDArray[Any]) -> None:
    """Write one file per entry of the first axis.

    Raises:
        DataError: If the folder exists, because two samples have the same name.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise DataError(
            f"two test samples have the id {folder.name!r}; make sample_id of the dataset unique"
        ) from None
    for number, array in enumerate(arrays):
        save_array(folder / f"{number}.npy", array)


def _index(ticket: Any) -> int:
    """Return the index of a sample; some loops use (epoch, index)."""
    return int(ticket[-1] if isinstance(ticket, tuple) else ticket)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(plain(content), indent=1, allow_nan=False) + "\n")
