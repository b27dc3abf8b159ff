"""Arrays to pictures, with numpy and matplotlib alone."""
