"""Answers where no truth is known: maps of large areas, forecasts of arrays and folders."""
