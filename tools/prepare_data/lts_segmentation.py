"""Cut, convert and verify long time series of satellite images, or write a small synthetic one."""

from openstl_ext import cli
from openstl_ext.datasets.lts.prepare import run

if __name__ == "__main__":
    cli.run(lambda: run(__doc__))
