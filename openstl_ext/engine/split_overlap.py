"""Compare the sample ids of the training, validation and test loaders."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from torch.utils.data import ConcatDataset, Subset

from openstl_ext.errors import ConfigError


def check_disjoint(datasets: Mapping[str, Any], *, val_names_test: bool = False) -> bool:
    """Check that no two loaders share a sample; only ids are compared, no frame is read.

    Args:
        datasets: Datasets by loader: ``train``, ``val``, ``test``; some may be missing.
        val_names_test: Whether the validation loader names the test split, so that these two may
            share samples.

    Returns:
        Whether validation and test share samples.

    Raises:
        ConfigError: If two loaders share samples, or if a dataset has no sample ids.
    """
    if len(datasets) < 2:
        return False
    ids = {name: set(sample_ids(dataset)) for name, dataset in datasets.items()}
    validates_on_test = False
    for one, other in itertools.combinations(ids, 2):
        shared = ids[one] & ids[other]
        if not shared:
            continue
        if {one, other} == {"val", "test"} and val_names_test:
            validates_on_test = True
            continue
        first = ", ".join(sorted(shared)[:3]) + ", ..." * (len(shared) > 3)
        advice = "change split, val_fraction or root of one dataset"
        if {one, other} == {"val", "test"}:
            advice += "; to validate on the test split, set split='test' in val_dataloader"
        raise ConfigError(
            f"{one}_dataloader and {other}_dataloader share {len(shared)} samples ({first}); "
            f"{advice}"
        )
    return validates_on_test


def sample_ids(dataset: Any) -> Iterator[str]:
    """Yield the sample ids of a dataset, also of a subset, a concatenation or another wrapper.

    Raises:
        ConfigError: If the dataset has none.
    """
    if isinstance(dataset, Subset):
        ids = list(sample_ids(dataset.dataset))
        yield from (ids[index] for index in dataset.indices)
    elif isinstance(dataset, ConcatDataset):
        for part in dataset.datasets:
            yield from sample_ids(part)
    elif hasattr(dataset, "sample_id"):
        yield from (str(dataset.sample_id(index)) for index in range(len(dataset)))
    elif hasattr(dataset, "dataset"):
        yield from sample_ids(dataset.dataset)
    else:
        raise ConfigError(
            f"{type(dataset).__name__} has no sample_id(index), so splits cannot be compared; "
            "derive it from SequenceDataset or define the method"
        )


def names_test_split(dataset: Any) -> bool:
    """Return whether the config of a dataset, or of one inside it, has ``split="test"``."""
    if isinstance(dataset, Mapping):
        inner = any(names_test_split(value) for value in dataset.values())
        return inner or dataset.get("split") == "test"
    if isinstance(dataset, list | tuple):
        return any(map(names_test_split, dataset))
    return getattr(dataset, "split", None) == "test"
