"""Fetch KTH, verify it and lay it out. Running it again keeps what is there."""

from openstl_ext import cli
from openstl_ext.datasets.kth.prepare import PREPARATION
from openstl_ext.datasets.preparation import run

if __name__ == "__main__":
    cli.run(lambda: run(PREPARATION, __doc__))
