"""The same as ``openstl-ext data lts``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "lts", *sys.argv[1:]])
