"""Building blocks of nets."""
