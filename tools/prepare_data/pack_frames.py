"""The same as ``openstl-ext data pack``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "pack", *sys.argv[1:]])
