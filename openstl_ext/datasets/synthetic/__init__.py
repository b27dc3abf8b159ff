"""Small synthetic data sets in the formats of the real ones."""
