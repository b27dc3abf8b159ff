"""Videos: where they lie, how they are decoded, and which windows of them are samples."""
