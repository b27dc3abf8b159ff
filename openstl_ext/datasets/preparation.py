"""Command line of the tools that prepare published datasets."""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openstl_ext.datasets.card import section
from openstl_ext.datasets.formats.checksums import NAME, verify_checksums, write_checksums
from openstl_ext.datasets.synthetic.marker import MARK, is_marked
from openstl_ext.errors import DataError
from openstl_ext.folder_lock import sole_writer
from openstl_ext.leftovers import entries
from openstl_ext.progress_line import print_status
from openstl_ext.registry import DATASETS


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Preparation of one dataset.

    Args:
        name: Usual name of the dataset.
        root: Default folder, as in the configs.
        dataset: Registered name of the class that reads it; its docstring states the licence.
        fetch: Called with the folder, the source or None, and the form or None.
        miniature: Called with the folder and the form; writes the synthetic set.
        bytes_needed: Approximate space that the real set needs, in bytes.
        forms: Forms of the files, the default one first; empty if there is only one.
    """

    name: str
    root: str
    dataset: str
    fetch: Callable[[Path, Path | None, str | None], None]
    miniature: Callable[[Path, str | None], None]
    bytes_needed: int
    forms: tuple[str, ...] = ()

    @property
    def licence(self) -> str:
        """Licence of the set, as the docstring of its class states it."""
        return section(DATASETS.get(self.dataset), "Licence")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of ``openstl-ext data`` for this dataset."""
        parser.add_argument(
            "--root", type=Path, default=Path(self.root), help="folder of the set (%(default)s)"
        )
        way = parser.add_mutually_exclusive_group()
        way.add_argument(
            "--source", type=Path, metavar="FOLDER", help="take the files from here; no download"
        )
        way.add_argument(
            "--miniature",
            action="store_true",
            help="write a small synthetic set in the format of the real one; needs no network",
        )
        if self.forms:
            parser.add_argument("--form", choices=self.forms, default=self.forms[0])

    def run(self, args: argparse.Namespace) -> None:
        """Prepare the dataset. A second call keeps what exists."""
        with interruptible(), sole_writer(args.root, f"preparation of {self.name}"):
            prepare(self, args.root, args)


@contextmanager
def interruptible() -> Iterator[None]:
    """Exit with a hint after Ctrl-C; completely written files are kept."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("interrupted; run the same command again to continue")


def run_subcommand(args: argparse.Namespace) -> None:
    """Call the function ``do`` of the chosen subcommand, and print the lines that it returns.

    ``verify`` compares the checksums of the folder too, if there are any; the others write them.
    """
    verifies = args.do.__name__ == "_verify"
    alone = nullcontext() if verifies else sole_writer(args.root, "preparation of data")
    with interruptible(), alone:
        lines = list(args.do(args))
        if not verifies:
            lines += write_checksums(args.root)
        elif (args.root / NAME).is_file():
            lines += verify_checksums(args.root)
        print("\n".join(lines))


def prepare(preparation: Preparation, root: Path, args: Any) -> None:
    """Write the synthetic set or get the real set; a folder has only one of them."""
    form, name = getattr(args, "form", None), preparation.name
    if args.miniature:
        if root.is_dir() and entries(root) and not is_marked(root):
            raise DataError(
                f"{root} has files that are not marked as synthetic; choose another --root for the "
                "miniature"
            )
        preparation.miniature(root, form)
        write_checksums(root)
        print(f"a small SYNTHETIC set in the format of {name} is in {root} (see {MARK} there)")
        return
    if is_marked(root):
        raise DataError(
            f"{root} has a synthetic set; delete it, or choose another --root for the real {name}"
        )
    print_status(f"{name}. Licence: {preparation.licence}")
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < preparation.bytes_needed and args.source is None and not entries(root):
        raise DataError(
            f"{root}: {name} needs {preparation.bytes_needed / 1e9:.1f} GB and "
            f"{free / 1e9:.1f} GB are available; free space or choose another --root"
        )
    preparation.fetch(root, args.source, form)
    print("\n".join([*write_checksums(root), f"{name} is in {root}"]))
