"""AdamW on a miniature: longer, and more patient, because few patches give noisy scores."""

_base_ = "adamw_plateau.py"

train_cfg = dict(max_epochs=60)

param_scheduler = [dict(**_base_.plateau, patience=25)]
