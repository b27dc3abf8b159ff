"""The same as ``openstl-ext data moving-mnist``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "moving-mnist", *sys.argv[1:]])
