"""``python -m openstl_ext COMMAND``: the same as ``openstl-ext COMMAND``."""

from openstl_ext import cli

if __name__ == "__main__":
    cli.main()
