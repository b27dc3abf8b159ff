"""The same as ``openstl-ext data kth``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "kth", *sys.argv[1:]])
