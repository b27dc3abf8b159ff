"""The same as ``openstl-ext plot-horizons``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["plot-horizons", *sys.argv[1:]])
