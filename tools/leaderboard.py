"""The same as ``openstl-ext leaderboard``."""

import sys

from openstl_ext import cli

if __name__ == "__main__":
    cli.main(["leaderboard", *sys.argv[1:]])
