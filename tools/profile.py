"""The same as ``openstl-ext profile``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["profile", *sys.argv[1:]])
