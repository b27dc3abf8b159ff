"""Write split lists of scenes (EuroSAT, RESISC45, UC-Merced, WHU-RS19)."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from openstl_ext.datasets.preparation import run_subcommand
from openstl_ext.datasets.scenes.eurosat import EuroSAT
from openstl_ext.datasets.scenes.rgb import RESISC45, WHURS19, UCMerced
from openstl_ext.datasets.scenes.split_lists import RULES
from openstl_ext.datasets.scenes.split_rules import write_lists
from openstl_ext.datasets.synthetic.marker import MARK, is_marked
from openstl_ext.errors import DataError
from openstl_ext.leftovers import entries

SETS = {cls.facts.name: cls for cls in (EuroSAT, RESISC45, UCMerced, WHURS19)}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for these sets."""
    parser.set_defaults(do=_write)
    add = parser.add_argument
    add("dataset", choices=SETS, help="the set")
    add("--root", type=Path, required=True, help="folder of the set")
    add(
        "--rule",
        choices=RULES,
        default=RULES[0],
        help="60, 20 and 20 %% of each class, or of the set from west to east (%(default)s)",
    )
    add("--seed", type=int, default=0, help="seed of the stratified rule (%(default)s)")
    add(
        "--miniature",
        action="store_true",
        help="write a small synthetic set in the form of the real one, with its lists",
    )


def run(args: Namespace) -> None:
    """Write the lists, or a synthetic set."""
    run_subcommand(args)


def _write(args: Namespace) -> list[str]:
    dataset = SETS[args.dataset]
    if not args.miniature:
        return write_lists(args.root, dataset.facts, args.rule, seed=args.seed)
    if entries(args.root) and not is_marked(args.root):
        raise DataError(
            f"{args.root} has files that are not marked as synthetic; choose another --root for "
            "the miniature"
        )
    dataset.make_toy(args.root)
    return [f"a small SYNTHETIC set in the form of {dataset.facts.title} (see {MARK} there)"]
