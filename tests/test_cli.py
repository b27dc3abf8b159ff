"""What the tools say when something is wrong."""

import pytest
from torch.utils.data import DataLoader, Dataset

from openstl_ext import cli
from openstl_ext.errors import DataError

MESSAGE = "a.tif and b.tif differ:\n  bring them onto one grid"


class Broken(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise DataError(MESSAGE)


@pytest.mark.parametrize("workers", [0, 1])
def test_bad_data_are_told_in_one_message_by_whoever_reads_them(
    workers: int, capsys: pytest.CaptureFixture
) -> None:
    """If this fails, a file that a worker cannot read buries its name under a traceback."""
    with pytest.raises(SystemExit) as ended:
        cli.run(lambda: list(DataLoader(Broken(), num_workers=workers)) and None)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {MESSAGE}\n"
