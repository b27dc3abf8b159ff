"""Prepare Moving MNIST, from the mirrors of MNIST and the authors of the test set."""

from pathlib import Path

from openstl_ext.datasets.download.checksum import Checksum
from openstl_ext.datasets.download.remote_file import RemoteFile
from openstl_ext.datasets.moving_mnist.dataset import MovingMNIST
from openstl_ext.datasets.preparation import Preparation
from openstl_ext.datasets.synthetic.moving_mnist import TEST, TEST_DIGITS, TRAIN_DIGITS, write
from openstl_ext.progress_line import print_status

MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHA256 = {
    TRAIN_DIGITS: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    TEST_DIGITS: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
}
FILES = (
    *(
        RemoteFile(
            name=name,
            mirrors=tuple(mirror + name for mirror in MNIST),
            checksum=Checksum("sha256", digest),
            max_bytes=20_000_000,
        )
        for name, digest in SHA256.items()
    ),
    RemoteFile(
        name=TEST,
        mirrors=(
            "https://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
            "http://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
        ),
        checksum=Checksum("md5", "be083ec986bfe91a449d63653c411eb2"),
        max_bytes=900_000_000,
    ),
)


def fetch(root: Path, source: Path | None, form: str | None) -> None:
    """Get the three files, and read one sample of each split."""
    del form
    for file in FILES:
        file.obtain(root, source=source)
    for split in ("train", "val", "test"):
        dataset = MovingMNIST(root=str(root), split=split)
        print_status(f"  {split}: {len(dataset)} sequences, frames {tuple(_shape(dataset))}")


def _shape(dataset: MovingMNIST) -> tuple[int, ...]:
    return tuple(dataset[0]["inputs"]["frames"].shape[1:])


def _miniature(root: Path, form: str | None) -> None:
    del form
    write(root)


PREPARATION = Preparation(
    name="Moving MNIST",
    root="data/moving_mnist",
    dataset="MovingMNIST",
    fetch=fetch,
    miniature=_miniature,
    bytes_needed=850_000_000,
)
