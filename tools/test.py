"""The same as ``openstl-ext test``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["test", *sys.argv[1:]])
