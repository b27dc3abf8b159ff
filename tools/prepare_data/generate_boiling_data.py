"""The same as ``openstl-ext data boiling``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "boiling", *sys.argv[1:]])
