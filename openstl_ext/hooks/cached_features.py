"""Encode the splits once before the training of a linear probe, and not in every epoch."""

from typing import Any

import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from openstl_ext.engine.encoding import EncodedItems, changing_sample, encoded
from openstl_ext.engine.run_hook import RunHook
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import ConfigError
from openstl_ext.registry import HOOKS

LARGEST_BATCH = 128
"""Samples that are encoded together: workers hold batches of images, of 5 GB for 1,024 pairs."""


@HOOKS.register_module()
class CachedFeaturesHook(RunHook):
    """Replace the frames of training and validation by the features of a frozen encoder.

    The features of a split are kept in memory, 3 kB per sample of a ViT-B. They are those of
    float32, as in an evaluation, also where the head is trained under autocast. The test encodes
    its split itself, so its record and its speed are those of the whole method.

    Raises:
        ConfigError: If the encoder is trained, samples are mixed, or the items of the training
            change from epoch to epoch.
    """

    changes = "nothing"

    def before_train(self, runner: Runner) -> None:
        method = unwrap(runner.model)
        if not getattr(method, "frozen", False) or getattr(method, "mixing", None) is not None:
            raise ConfigError(
                "CachedFeaturesHook needs a method with frozen=True and without sample_mixing, "
                "because features of other weights or images would be used; remove the hook"
            )
        dataset = runner.train_dataloader.dataset
        if name := changing_sample(dataset):
            raise ConfigError(
                f"CachedFeaturesHook: the sample {name} is another one in another epoch, so it "
                "cannot be encoded once; remove augment from train_dataloader.dataset, or the hook"
            )
        train, val = runner.train_loop, runner.val_loop
        size, mode = min(train.batch_size, LARGEST_BATCH), runner.model.training
        runner.model.eval()  # of the wrapper, which may gather divided weights for it
        train.dataloader = cached(
            train.dataloader, method, batch_size=size, order={"batch_sampler": train.batches}
        )
        if val is not None:
            order = {"batch_size": val.dataloader.batch_size, "sampler": val.dataloader.sampler}
            val.dataloader = cached(val.dataloader, method, batch_size=size, order=order)
        runner.model.train(mode)
        runner.logger.info(f"features of {len(dataset)} training samples are cached")


def cached(
    loader: DataLoader, method: Any, *, batch_size: int, order: dict[str, Any]
) -> DataLoader:
    """Return a loader of the same order over the features of its dataset."""
    batches = encoded(
        loader.dataset,
        method.features,
        method.data_preprocessor,
        batch_size=batch_size,
        num_workers=loader.num_workers,
    )
    features, targets = zip(*batches, strict=True)
    joined = {name: torch.cat([each[name] for each in targets]) for name in targets[0]}
    items = EncodedItems(loader.dataset, torch.cat(features), joined)
    return DataLoader(items, collate_fn=loader.collate_fn, **order)
