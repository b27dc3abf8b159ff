"""The same as ``openstl-ext train``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["train", *sys.argv[1:]])
