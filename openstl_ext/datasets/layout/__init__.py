"""How sequences lie on disk: frames in folders, one packed array, and the file of the splits."""
