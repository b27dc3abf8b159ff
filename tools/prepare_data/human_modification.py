"""The same as ``openstl-ext data human-modification``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["data", "human-modification", *sys.argv[1:]])
