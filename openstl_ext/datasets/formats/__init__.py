"""File formats, read and written without knowledge of a dataset."""
