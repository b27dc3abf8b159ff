"""Translators of SimVP, between encoder and decoder.

A translator maps (B, T*C, H, W) to the same shape, with time folded into the channels. Its
constructor takes ``channels, hidden_channels, num_blocks, mlp_ratio, dropout, drop_path``. A config
selects it by its name in TRANSLATORS: ``translator="gsta"``.
"""

from openstl_ext.discovery import import_modules

import_modules(__name__)
