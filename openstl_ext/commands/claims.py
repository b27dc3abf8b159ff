"""Filter and print published results: figures of papers and model zoos with their source.

Each row is one source of one method, as printed; no row was made by this package. Flags give the
reason to read a figure with care. ::

    openstl-ext claims                                  # how many there are, by data and source
    openstl-ext claims --dataset taxibj --source-kind model_zoo
    openstl-ext claims --method SimVP-gSTA ConvLSTM --epochs 200 unknown
    openstl-ext claims --metric psnr --flagged misprint suspect
    openstl-ext claims --dataset kth --format csv > kth.csv

In Markdown a figure with a flag of its own is followed by the kind of the flag, and the sources and
reasons are below the table; csv and json have them in each row. The leaderboard shows the results
that belong to the protocol of a table.
"""

import argparse

from openstl_ext import cli

UNKNOWN = "unknown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    filters = parser.add_argument_group("filters", "several values of one filter are alternatives")
    add = filters.add_argument
    add("--dataset", nargs="+", default=(), metavar="NAME", help="as in moving_mnist")
    add("--method", nargs="+", default=(), metavar="NAME", help="as in SimVP or SimVP-gSTA")
    add("--metric", nargs="+", default=(), metavar="NAME", help="only these figures, as in mse_sum")
    add(
        "--source-kind",
        nargs="+",
        default=(),
        metavar="KIND",
        help="own_paper, model_zoo, rerun_by_other_paper, third_party_page",
    )
    add(
        "--epochs",
        nargs="+",
        default=(),
        type=_epochs,
        metavar="N",
        help=f"length of the training, or {UNKNOWN}",
    )
    add(
        "--flagged",
        nargs="*",
        metavar="FLAG",
        help="only rows with a flag, or with one of these: misprint, suspect, faulty_code ...",
    )
    parser.add_argument(
        "--format", default="md", metavar="md|csv|json", help="what is printed (%(default)s)"
    )


def _epochs(text: str) -> int | None:
    if text != UNKNOWN and not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of epochs nor {UNKNOWN}")
    return None if text == UNKNOWN else int(text)


def run(args: argparse.Namespace) -> None:
    """Print the results that fit all filters."""
    from openstl_ext.errors import UserError, nearest
    from openstl_ext.results.claim_list import FORMATS, overview
    from openstl_ext.results.claims import read_claims, selected

    if args.format not in FORMATS:
        raise UserError(f"there is no format {args.format!r}; {nearest(args.format, FORMATS)}")
    filters = {
        "datasets": args.dataset,
        "methods": args.method,
        "metrics": args.metric,
        "source_kinds": args.source_kind,
        "epochs": args.epochs,
    }
    claims = selected(read_claims(), **filters, flags=args.flagged)
    if not claims:
        raise UserError("no published result fits all filters together; leave one of them out")
    is_all = args.flagged is None and not any(filters.values())
    if is_all and args.format == "md":
        cli.print_line(overview(claims))
    else:
        cli.print_line(FORMATS[args.format](claims, args.metric).removesuffix("\n"))
