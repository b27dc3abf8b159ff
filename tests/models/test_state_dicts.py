"""State dicts of the nets, compared with stored names and shapes."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.registry import MODELS

STORED: dict[str, Any] = json.loads(Path(__file__).with_name("state_dicts.json").read_text())


@pytest.mark.parametrize("name", STORED)
def test_names_and_shapes_of_weights_are_those_of_stored_checkpoints(name: str) -> None:
    """Weights that users trained before an update could not be loaded any more."""
    net = MODELS.build({"type": name, **STORED[name]["arguments"]})
    shapes = {key: list(value.shape) for key, value in net.state_dict().items()}
    assert shapes == STORED[name]["shapes"]
