"""Compare the sample ids of the training, validation and test loaders."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch.utils.data import ConcatDataset, Subset

from openstl_ext.errors import ConfigError


def check_disjoint(datasets: Mapping[str, Any], *, val_names_test: bool = False) -> bool:
    """Check that no two loaders share a sample or a frame; only ids are compared, none is read.

    Args:
        datasets: Datasets by loader: ``train``, ``val``, ``test``; some may be missing.
        val_names_test: Whether the validation loader names the test split, so that these two may
            share samples.

    Returns:
        Whether validation and test share samples.

    Raises:
        ConfigError: If two loaders share samples or frames, a dataset of evaluation has one twice,
            or a dataset has no sample ids.
    """
    for name in datasets.keys() & {"val", "test"}:
        _check_unique(name, datasets[name])
    if len(datasets) < 2:
        return False
    ids = {name: set(sample_ids(dataset)) for name, dataset in datasets.items()}
    frames = {name: set(frame_ids(dataset)) for name, dataset in datasets.items()}
    validates_on_test = False
    for one, other in itertools.combinations(ids, 2):
        what, shared = "samples", ids[one] & ids[other]
        if not shared:  # windows of one series may overlap under different ids
            what, shared = "frames", frames[one] & frames[other]
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
            f"{one}_dataloader and {other}_dataloader share {len(shared)} {what} ({first}); "
            f"{advice}"
        )
    return validates_on_test


def _check_unique(name: str, dataset: Any) -> None:
    """Refuse an evaluation in which a sample counts twice, as where a list names it twice."""
    twice = [sample for sample, n in Counter(sample_ids(dataset)).items() if n > 1]
    if twice:
        raise ConfigError(
            f"{name}_dataloader has {len(twice)} samples twice, such as {twice[0]}, so they would "
            "count twice in the scores; remove the second line of each from the list of the split"
        )


def sample_ids(dataset: Any) -> Iterator[str]:
    """Yield the sample ids of a dataset, also of a subset, a concatenation or another wrapper.

    Raises:
        ConfigError: If the dataset has none.
    """
    for part, indices in parts_of(dataset):
        yield from (str(part.sample_id(index)) for index in indices)


def frame_ids(dataset: Any) -> Iterator[str]:
    """Yield the ids of the frames of all samples, of the parts of a dataset that have them."""
    for part, indices in parts_of(dataset):
        if hasattr(part, "frame_ids"):
            yield from (frame for index in indices for frame in part.frame_ids(index))


def parts_of(dataset: Any) -> Iterator[tuple[Any, Sequence[int]]]:
    """Yield the datasets with sample ids that a dataset consists of, and the indices it takes.

    Raises:
        ConfigError: If there is one without ids.
    """
    if isinstance(dataset, Subset):
        places = [(part, index) for part, taken in parts_of(dataset.dataset) for index in taken]
        yield from ((places[k][0], [places[k][1]]) for k in dataset.indices)
    elif isinstance(dataset, ConcatDataset):
        for inner in dataset.datasets:
            yield from parts_of(inner)
    elif hasattr(dataset, "sample_id"):
        yield dataset, range(len(dataset))
    elif hasattr(dataset, "dataset"):
        yield from parts_of(dataset.dataset)
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
