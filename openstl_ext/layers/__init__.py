"""One idea a file, usable alone."""
