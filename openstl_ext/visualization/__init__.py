"""Figures of arrays, with numpy and matplotlib only."""
