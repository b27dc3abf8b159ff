"""The same as ``openstl-ext predict``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["predict", *sys.argv[1:]])
