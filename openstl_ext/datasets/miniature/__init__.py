"""Small synthetic sets in exactly the format of real ones, so that all can be tried offline."""
