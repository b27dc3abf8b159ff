"""Memory of a test, which may not grow with the number of samples."""

import tempfile
from collections.abc import Iterator

import torch
from mmengine.logging import MMLogger
from torch import Tensor, nn
from torch.utils.data import Dataset

from benchmarks.fresh_process import call, status_bytes, steady_environment
from openstl_ext.engine.runner import build
from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import DATASETS, MODELS
from openstl_ext.structures import Channel, Item, Metainfo
from tests.engine.toy import config
from tests.faults.row import Row

LIMIT = 1e6
"""Bytes per 1,000 samples."""
FEW, MANY = 1_000, 11_000
METRICS = {
    "5 metrics, 2 leads": (("SummedMSE", "SummedMAE", "MeanMSE", "PSNR", "SSIM"), 2),
    "5 metrics, 10 leads": (("SummedMSE", "SummedMAE", "MeanMSE", "PSNR", "SSIM"), 10),
}


@DATASETS.register_module()
class ManyFrames(Dataset):
    """Frames that are drawn when they are read, so that the dataset itself takes no memory."""

    metainfo = Metainfo(name="many_frames", channels=(Channel("value"),))

    def __init__(self, *, num_samples: int, leads: int) -> None:
        self.num_samples, self.leads = num_samples, leads

    def __len__(self) -> int:
        return self.num_samples

    def sample_id(self, index: int) -> str:
        return str(index)

    def __getitem__(self, index: int) -> Item:
        frames = torch.rand(2 * self.leads, 1, 11, 11)
        given, target = frames.split(self.leads)
        return {"inputs": {"frames": given}, "data_samples": {"frames": target}}

    def target_names(self, index: int) -> list[str]:
        del index
        return []


@MODELS.register_module()
class SameFrames(nn.Module):
    """The frames that were given, scaled by a weight."""

    interface = FrameModel

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, frames: Tensor) -> Tensor:
        return self.scale * frames


def peak(metrics: list[str], leads: int, num_samples: int) -> int:
    """Return the peak memory of this process after a test of so many samples."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        dataset = {"type": "ManyFrames", "num_samples": num_samples, "leads": leads}
        options = {
            "model.net": {"_delete_": True, "type": "SameFrames"},
            "test_dataloader": {"batch_size": 10, "dataset": {"_delete_": True, **dataset}},
            "test_evaluator": [{"type": name} for name in metrics],
        }
        cfg = config(folder, **options)
        run = build(cfg, train=False)
        MMLogger.get_current_instance().setLevel("ERROR")
        run.test()
        return status_bytes("VmHWM")


def rows() -> Iterator[Row]:
    for name, (metrics, leads) in METRICS.items():
        few, many = (
            call(peak, list(metrics), leads, size, environment=steady_environment())
            for size in (FEW, MANY)
        )
        slope = 1e3 * (many - few) / (MANY - FEW)
        good = int(slope < LIMIT)
        note = f"{slope / 1e6:.2f} MB per 1,000 samples; at most {LIMIT / 1e6:g}"
        yield Row(f"memory of a test of {MANY:,} samples, {name}", 1, good, good, 1 - good, note)
