"""Decide from kept tallies whether one row of a table is better than another."""
