"""The same as ``openstl-ext convert``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["convert", *sys.argv[1:]])
