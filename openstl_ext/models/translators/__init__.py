"""What SimVP does between its encoder and its decoder: one way a file.

A translator maps (B, T*C, H, W) to the same, time folded into the channels. Its constructor takes
``channels, hidden_channels, num_blocks, mlp_ratio, dropout, drop_path``, its name in TRANSLATORS is
what a config writes as ``translator``.
"""

from openstl_ext.discovery import import_modules

import_modules(__name__)
