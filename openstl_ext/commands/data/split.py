"""Split the samples of a folder into train, val and test, in a ``<name>_loaders.json``."""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.errors import ConfigError
from openstl_ext.folder_lock import sole_writer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("--data_path", type=Path, default=Path("data/boiling"), help="folder (%(default)s)")
    add("--train_ratio", type=float, default=0.7, help="share to train on (%(default)s)")
    add("--val_ratio", type=float, default=0.15, help="share to validate on (%(default)s)")
    add("--total_length", type=int, default=0, help="frames of each sample, 0 for all")
    add("--num_samples", type=int, help="draw this number of samples; default: all")
    add("--sample_start_index", type=int, default=0, help="first frame, -1 draws it (%(default)s)")
    add("--init_final_only", action="store_true", help="keep the first and the last frame only")
    add("--reverse", action="store_true", help="reverse the order of the frames")
    add("--name", help="beginning of the name of the loader file, for --data FOLDER/NAME")
    add("--list", action="store_true", help="describe the loader files of the folder, and stop")
    add("--default", action="store_true", help="replace the default loader file of the folder")
    add("--no-check", action="store_true", help="do not read the values, write no checksums")
    add("--seed", type=int, default=0, help="same seed, same splits (%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Write the loader file."""
    from dataclasses import fields

    from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders

    if args.list:
        cli.print_line("\n".join(described(args.data_path)))
        return
    if args.default and args.name:
        raise ConfigError("--default and --name: the default has a name; give one of them")
    values = {field.name: getattr(args, field.name) for field in fields(SplitSettings)}
    with sole_writer(args.data_path, "splitting of samples", create=False):
        path, lines = create_loaders(
            args.data_path,
            SplitSettings(**values),
            check=not args.no_check,
            as_default=args.default,
            name=args.name,
        )
    cli.print_line("\n".join([*lines, f"loader file: {path}"]))


def described(root: Path) -> list[str]:
    """Return a line for each loader file of a folder, with a star at the one that is read."""
    from openstl_ext.datasets.formats import loaders_file
    from openstl_ext.loader_files import loader_files

    read = loaders_file.find(root)
    return [
        f"{'*' if path == read else ' '} {loaders_file.describe(path)}"
        for path in loader_files(root)
    ]
