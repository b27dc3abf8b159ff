"""Saved samples without a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write one sample as a test run saves it; returns the folder."""

    def write(
        name: str = "00000",
        *,
        times: tuple[int, int] = (3, 2),
        shape: tuple[int, ...] = (1, 6, 8),
        about: dict[str, Any] | None = None,
        gaps: bool = False,
    ) -> Path:
        draw = np.random.default_rng(0)
        lengths = {"inputs": times[0], "trues": times[1], "preds": times[1]}
        for kind, length in lengths.items():
            folder = tmp_path / "saved" / kind / name
            folder.mkdir(parents=True)
            for t in range(length):
                frame = draw.uniform(0, 1, shape).astype("float32")
                if gaps and kind == "trues":
                    frame[..., :2, :3] = np.nan
                np.save(folder / f"{t}.npy", frame[0] if shape[0] == 1 else frame)
        if about is not None:
            (tmp_path / "saved/about.json").write_text(json.dumps(about))
        return tmp_path / "saved"

    return write
