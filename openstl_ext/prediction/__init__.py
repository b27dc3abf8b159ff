"""Predictions without targets: maps of large areas, forecasts of arrays and folders."""
