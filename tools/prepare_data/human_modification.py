"""Split, measure and verify Human Modification rasters, or write a small synthetic continent."""

from openstl_ext import cli
from openstl_ext.datasets.human_modification.prepare import run

if __name__ == "__main__":
    cli.run(lambda: run(__doc__))
