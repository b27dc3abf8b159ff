"""Fetch, verify and extract published files."""
