"""Georeferenced rasters, read and written in windows; rasterio is imported when one is opened."""
