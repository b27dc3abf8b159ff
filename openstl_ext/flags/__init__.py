"""Short flags of commands, such as ``--epochs``: overrides that fit any config."""
