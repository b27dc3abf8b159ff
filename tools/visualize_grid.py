"""The same as ``openstl-ext visualize``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["visualize", *sys.argv[1:]])
