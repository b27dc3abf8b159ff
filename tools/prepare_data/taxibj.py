"""The same as ``openstl-ext data taxibj``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "taxibj", *sys.argv[1:]])
