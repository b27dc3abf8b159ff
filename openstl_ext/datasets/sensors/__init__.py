"""Sensors as data: bands of their products, ranges and statistics."""
