"""Load weights of another run, or of another project, into a part of the method."""

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine.converted_net import check_pretrained_net
from openstl_ext.engine.joined_weights import check_all_loaded, check_normalisation
from openstl_ext.engine.manifest import checkpoint_folder, load_manifest
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import CheckpointError, ConfigError, nearest
from openstl_ext.interfaces import ResizableModule
from openstl_ext.registry import HOOKS
from openstl_ext.weight_names import weights_in, without_wrappers


@HOOKS.register_module()
class PretrainedHook(Hook):
    """Start a part of the method from the weights of a checkpoint.

    Positions of a net for another size of images are interpolated, so the features equal those of
    the net that was trained, for images of the new size.

    The hook has no effect if a checkpoint of the entire method is loaded, so a run can be resumed
    and tested without the file.

    Args:
        checkpoint: File of a checkpoint, or of a state dict, or a work directory, for the last
            checkpoint of its complete training; ``{seed}`` in it is the seed of the run, so that
            each seed of a task continues that of a pre-training.
        part: Dotted name of the part, such as ``net`` or ``net.encoder``.
        prefix: Only keys with this prefix are loaded; it is removed.
        strict: Whether the keys must be exactly those of the part.

    Raises:
        ConfigError: If the method has no such part, or nothing is trained and a part of the method
            is loaded from nowhere, or two from one file.
        CheckpointError: If no key has the prefix, the weights do not fit, or they are those of
            a net that computes something else; or if forecasts are tested without a training, and
            the weights are of frames that were normalised otherwise.
    """

    def __init__(
        self, *, checkpoint: str, part: str = "net", prefix: str = "net.", strict: bool = True
    ) -> None:
        self.checkpoint, self.part, self.prefix, self.strict = checkpoint, part, prefix, strict

    def before_run(self, runner: Runner) -> None:
        if runner.loads_whole:
            return
        path = str(pretrained_file(self.checkpoint, runner.seed))
        parts = dict(unwrap(runner.model).named_modules())
        if self.part not in parts:
            raise ConfigError(f"the method has no part {self.part!r}; {nearest(self.part, parts)}")
        saved = checkpoints.read(path)
        if self.part in ("net", "net.encoder") or self.part.startswith("others."):
            check_pretrained_net(saved, runner.cfg.get("model") or {}, path)
        if runner.cfg.get("train_dataloader") is None:
            self._check_frozen(runner, saved, path)
        weights = weights_in(saved, path)
        chosen = self._chosen(weights) or self._chosen(without_wrappers(weights))
        if not chosen:
            raise CheckpointError(
                f"{path} has no weight that starts with {self.prefix!r}; set prefix, "
                f"as its keys are like {', '.join(list(weights)[:3])}"
            )
        chosen = resized(parts[self.part], chosen)
        try:
            checkpoints.load_weights(parts[self.part], chosen, strict=self.strict)
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from None
        runner.logger.info(f"{self.part} starts from {path}")

    def _check_frozen(self, runner: Runner, saved: dict[str, Any], path: str) -> None:
        """Check what no training will adapt: all parts are loaded, and normalised alike."""
        method: Any = unwrap(runner.model)
        hooks = [hook for hook in runner.hooks if isinstance(hook, PretrainedHook)]
        check_all_loaded(method, [hook.part for hook in hooks])
        if method.answers != "frames":
            return
        check_normalisation(saved, method, path)
        sources = [(str(pretrained_file(h.checkpoint, runner.seed)), h.prefix) for h in hooks]
        if sources.count((path, self.prefix)) > 1:
            raise ConfigError(
                f"{path} is loaded into several parts, so their forecasts would be equal; name "
                "another checkpoint for each PretrainedHook"
            )

    def _chosen(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights with the prefix, without it."""
        names = [name for name in weights if name.startswith(self.prefix)]
        return {name.removeprefix(self.prefix): weights[name] for name in names}


def pretrained_file(checkpoint: str, seed: int | None) -> Path:
    """Return the file that ``checkpoint`` of a ``PretrainedHook`` names in a run with a seed.

    Raises:
        CheckpointError: If it is a work directory without a complete training.
    """
    path = Path(checkpoint.replace("{seed}", str(seed)))
    return final(path) if path.is_dir() else path


def final(folder: Path | str) -> Path:
    """Return the last checkpoint of a training that is complete.

    Args:
        folder: Work directory.

    Raises:
        CheckpointError: If there is no run, or it is not complete.
    """
    manifest = load_manifest(folder)
    entry = next((e for e in manifest.checkpoints if e.kind == "resume"), None)
    if entry is None or entry.iteration != manifest.finished:
        state = "has no checkpoint" if entry is None else f"ends after epoch {entry.epoch}"
        raise CheckpointError(
            f"the training in {folder} is not complete, it {state}; go on with --resume auto, or "
            "name a checkpoint"
        )
    return checkpoint_folder(folder) / entry.file


def resized(part: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights of the same part for other frames in the shapes of this one."""
    for name, module in part.named_modules():
        if isinstance(module, ResizableModule):
            prefix = f"{name}." if name else ""
            own = {k.removeprefix(prefix): k for k in weights if k.startswith(prefix)}
            fitted = module.resized_weights({short: weights[key] for short, key in own.items()})
            weights = {**weights, **{f"{prefix}{short}": value for short, value in fitted.items()}}
    return weights
