"""The same as ``openstl-ext data split``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "split", *sys.argv[1:]])
