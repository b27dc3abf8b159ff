"""Two commands that write to one folder at the same time."""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from openstl_ext import cli
from openstl_ext.engine.runner import build
from openstl_ext.errors import FolderInUseError, UserError
from tests.e2e.test_resume import assert_same, final
from tests.engine.toy import config
from tests.faults.row import Row

TRAININGS, PREPARATIONS = 14, 6
REFUSED = 2


def train(folder: Path, options: dict[str, Any], barrier: Any) -> int:
    """Train in a folder, beginning together with another process."""
    torch.set_num_threads(1)
    barrier.wait()
    try:
        build(config(folder, **options)).train()
    except UserError:
        return REFUSED
    return 0


def prepare(folder: Path, barrier: Any) -> int:
    """Write a synthetic dataset, beginning together with another process."""
    barrier.wait()
    try:
        cli.call(["data", "taxibj", "--miniature", "--root", str(folder)])
    except FolderInUseError:
        return REFUSED
    return 0


def together(function: Any, folder: Path, *arguments: Any) -> list[int]:
    """Call a function in two processes at the same time; return the exit statuses."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2)

    def child(log: Path, more: tuple[Any, ...]) -> None:
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os._exit(function(folder, *more, barrier))

    pair = [
        context.Process(target=child, args=(folder.with_suffix(f".log{number}"), more))
        for number, more in enumerate(zip(*arguments, strict=True) if arguments else [(), ()])
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join(120)
    return [process.exitcode if process.exitcode is not None else -1 for process in pair]


def trainings(count: int) -> Row:
    """Start two different trainings in one work directory."""
    kinds = [{"train_cfg.max_epochs": 2}, {"train_cfg.max_epochs": 2, "model.net.width": 6}]
    refused = exact = 0
    with tempfile.TemporaryDirectory() as home:
        references = [Path(home, f"reference_{number}") for number in range(2)]
        for path, options in zip(references, kinds, strict=True):
            build(config(path, **options)).train()
        for number in range(count):
            folder = Path(home, f"run_{number}")
            codes = together(train, folder, kinds)
            if sorted(codes) != [0, REFUSED]:
                continue
            refused += 1
            try:
                assert_same(final(references[codes.index(0)]), final(folder))
                exact += 1
            except AssertionError:
                continue
    return Row("two trainings in one work directory", count, refused, exact, count - exact)


def preparations(count: int) -> Row:
    """Start two preparations of a dataset in one folder."""
    whole = 0
    with tempfile.TemporaryDirectory() as home:
        reference = Path(home, "reference")
        cli.call(["data", "taxibj", "--miniature", "--root", str(reference)])
        expected = contents(reference)
        for number in range(count):
            folder = Path(home, f"data_{number}")
            codes = together(prepare, folder)
            whole += 0 in codes and contents(folder) == expected
    return Row("two preparations in one folder", count, whole, whole, count - whole)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of all files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    yield trainings(TRAININGS)
    yield preparations(PREPARATIONS)
