"""Features of a dataset by an encoder, and evaluations that need them."""

import copy
from abc import ABC
from collections.abc import Callable, Iterator
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from openstl_ext.engine.collate import collate
from openstl_ext.engine.evaluation import EvaluationLoop, ExactTestLoop, ExactValLoop
from openstl_ext.engine.loops import Seeded
from openstl_ext.engine.plan import Facts, data_facts
from openstl_ext.engine.split_overlap import check_disjoint, sample_ids
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import MaskedAutoencoder, provides
from openstl_ext.progress_line import tracked
from openstl_ext.registry import LOOPS, METHODS
from openstl_ext.structures import Item
from openstl_ext.value_types import Count, Positive

Encode = Callable[[Any], Tensor]
NUM_COMPARED = 8
"""Samples that are compared between two epochs."""


def changing_sample(dataset: Any) -> str | None:
    """Return the id of a sample whose images are others in another epoch, if one is found.

    The samples are spread over the dataset: a constant image is the same after each flip. Each is
    compared in another epoch, because flips leave an image unchanged in one of eight.

    Args:
        dataset: A ``Seeded`` dataset.
    """
    for number in range(NUM_COMPARED):
        index = number * len(dataset) // NUM_COMPARED
        first, other = (dataset[(epoch, index)]["inputs"]["frames"] for epoch in (0, number + 1))
        if not torch.equal(first, other):
            return list(sample_ids(dataset))[index]
    return None


@torch.no_grad()
def encoded(
    dataset: Dataset, encode: Encode, preprocess: nn.Module, *, batch_size: int, num_workers: int
) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield the features and the targets of each batch of a dataset, in its order, on the CPU.

    Args:
        dataset: Dataset whose items are those of epoch 0.
        encode: Function from inputs to features (B, D).
        preprocess: Data preprocessor of the method.
        batch_size: Samples of a batch.
        num_workers: Processes that read.
    """
    loader: DataLoader = DataLoader(
        dataset, batch_size=batch_size, num_workers=num_workers, collate_fn=collate
    )
    for batch in tracked(loader, "encoding", "batches"):
        inputs = preprocess(batch, False)["inputs"]
        yield encode(inputs).float().cpu(), batch["data_samples"]


class NeighbourLoop(EvaluationLoop, ABC):
    """Evaluate an encoder by its nearest neighbours in another dataset.

    The method is ``NearestNeighbours``, or one that trains a MaskedAutoencoder, whose encoder is
    evaluated.

    Args:
        runner: The run.
        dataloader: Config of the loader.
        evaluator: Config of the metrics.
        bank: Config of the dataset of the neighbours; by default that of the training.
        k: Number of neighbours, for a method that is no ``NearestNeighbours``.
        temperature: See ``NearestNeighbours``; for other methods.
        per_class: Number of samples of each class in the bank, the first ones of the dataset; all
            of them if not given.

    Raises:
        ConfigError: If there is no bank, it shares samples with the evaluated split, has no labels
            or is augmented, it or a class has too few samples, or the method has another net.
    """

    encodes = True

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        evaluator: Evaluator | dict[str, Any] | list[dict[str, Any]],
        bank: dict[str, Any] | None = None,
        k: Count = 20,
        temperature: Positive = 0.07,
        per_class: Count | None = None,
    ) -> None:
        super().__init__(runner, dataloader, evaluator)
        self.per_class = per_class
        bank = bank or (runner.cfg.get("train_dataloader") or {}).get("dataset")
        if not bank:
            raise ConfigError(f"{self.stage}_cfg.bank: name the dataset of the neighbours")
        self.bank = Seeded(dataset=copy.deepcopy(dict(bank)), seed=runner.seed)
        check_disjoint({"bank": self.bank, self.stage: self.dataloader.dataset})
        self._check_bank()
        self.probe = self._probe(k, temperature)
        num_classes = len(self.dataloader.dataset.metainfo.classes)
        size = len(self.bank) if per_class is None else per_class * num_classes
        if size < self.probe.k:
            raise ConfigError(
                f"k={self.probe.k} neighbours, but {self.stage}_cfg.bank has {size} samples; "
                "reduce k"
            )

    def _check_bank(self) -> None:
        """Refuse a bank without labels, or of images as they are changed for a training."""
        where = f"{self.stage}_cfg.bank"
        if "labels" not in self.bank[0]["data_samples"]:
            raise ConfigError(
                f"{where}: the samples of {self.bank.metainfo.name} have no labels; name a dataset "
                "with those of the evaluated classes"
            )
        if name := changing_sample(self.bank):
            raise ConfigError(
                f"{where}: the sample {name} is another one in another epoch, so the neighbours "
                "would be altered images; name a dataset without augment"
            )

    def _probe(self, k: int, temperature: float) -> Any:
        method: Any = unwrap(self.runner.model)
        cls = METHODS.get("NearestNeighbours")
        if isinstance(method, cls):
            return method
        if not provides(getattr(method, "net", None), MaskedAutoencoder):
            raise ConfigError(
                f"{type(self).__name__} needs NearestNeighbours or a method that trains a "
                f"MaskedAutoencoder, not {type(method).__name__}; remove it"
            )
        encoder = method.net.encoder
        trained = [p for p in encoder.parameters() if p.requires_grad]
        probe = METHODS.build(
            {
                "type": "NearestNeighbours",
                "net": encoder,
                "num_classes": len(self.dataloader.dataset.metainfo.classes),
                "k": k,
                "temperature": temperature,
                "data_preprocessor": method.data_preprocessor,
            }
        )
        for parameter in trained:  # the probe has frozen them, and the training goes on
            parameter.requires_grad_(True)
        return probe

    def prepare(self) -> None:
        """Encode the bank with the weights of the moment."""
        batches = encoded(
            self.bank,
            self.probe.features,
            self.probe.data_preprocessor,
            batch_size=self.dataloader.batch_size,
            num_workers=self.dataloader.num_workers,
        )
        features, labels = zip(*((f, targets["labels"]) for f, targets in batches), strict=True)
        known = torch.cat(labels)
        chosen = self._chosen(known)
        self.probe.fill(torch.cat(features)[chosen], known[chosen])

    def facts(self) -> Facts:
        """Return the bank and how its samples vote, which are as a training of the method."""
        return {
            "neighbours.k": self.probe.k,
            "neighbours.temperature": self.probe.temperature,
            "neighbours.per_class": self.per_class,
            **data_facts(self.bank, "neighbours"),
        }

    def _chosen(self, labels: Tensor) -> Tensor:
        """Return the numbers of the samples of the bank, in the order of the dataset."""
        if self.per_class is None:
            return torch.arange(len(labels))
        places = [(labels == k).nonzero().flatten() for k in range(self.probe.num_classes)]
        fewest = min(range(len(places)), key=lambda k: len(places[k]))
        if len(places[fewest]) < self.per_class:
            raise ConfigError(
                f"{self.stage}_cfg.per_class is {self.per_class}, but class {fewest} has "
                f"{len(places[fewest])} samples in the bank"
            )
        return torch.cat([place[: self.per_class] for place in places]).sort().values

    def predict(self, batch: Any) -> list[Any]:
        return self.probe.test_step(batch)


@LOOPS.register_module()
class NeighbourValLoop(NeighbourLoop, ExactValLoop):
    """Validate an encoder by its nearest neighbours; see ``NeighbourLoop``."""


@LOOPS.register_module()
class NeighbourTestLoop(NeighbourLoop, ExactTestLoop):
    """Test an encoder by its nearest neighbours; see ``NeighbourLoop``."""


class EncodedItems(Dataset[Item]):
    """Items with stored features in place of frames.

    Args:
        dataset: Dataset of the frames; all other attributes are its own.
        features: Features (N, D).
        targets: Targets of all samples by name, each (N, ...).
    """

    def __init__(self, dataset: Dataset, features: Tensor, targets: dict[str, Tensor]) -> None:
        self.dataset, self.features, self.targets = dataset, features, targets

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, ticket: Any) -> Item:
        index = ticket[1] if isinstance(ticket, tuple) else ticket
        targets = {name: values[index] for name, values in self.targets.items()}
        return {"inputs": {"features": self.features[index]}, "data_samples": targets}  # type: ignore[typeddict-item]

    def __getattr__(self, name: str) -> Any:
        if name == "dataset" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dataset, name)
