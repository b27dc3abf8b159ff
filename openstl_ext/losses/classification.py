"""Losses for the classes of whole samples: one class each, or any number of classes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ShapeError
from openstl_ext.losses.pixel import mean_over_valid
from openstl_ext.registry import LOSSES
from openstl_ext.value_types import Share


@LOSSES.register_module()
class CrossEntropy(nn.Module):
    """Cross-entropy of one class per sample or pixel.

    Args:
        label_smoothing: Share of the probability that is spread over all classes.

    Shape:
        - logits: (B, K, ...); labels, valid: (B, ...); returns: a scalar, float32.

    Raises:
        ShapeError: If labels do not have the shape of the logits without the classes.
    """

    def __init__(self, *, label_smoothing: Share = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, labels: Tensor, valid: Tensor | None = None) -> Tensor:
        if labels.shape != logits.shape[:1] + logits.shape[2:]:
            remedy = "one class per sample is needed, so use multi_label=True for several"
            if labels.ndim == logits.ndim - 1 > 1:
                remedy = (
                    "let the net return maps of the height and width of the labels, as by its "
                    "argument label_size"
                )
            raise ShapeError(
                f"labels have shape {tuple(labels.shape)}, but logits {tuple(logits.shape)}; "
                f"{remedy}"
            )
        if valid is not None:
            labels = torch.where(valid, labels, 0)
        smoothing = self.label_smoothing
        each = F.cross_entropy(logits.float(), labels, reduction="none", label_smoothing=smoothing)
        return mean_over_valid(each, valid)


@LOSSES.register_module()
class MultiLabelSoftMargin(nn.Module):
    """Binary cross-entropy of each class, averaged over classes and samples.

    Shape:
        - logits, labels, valid: (B, K), labels being 0 or 1; returns: a scalar, float32.

    Raises:
        ShapeError: If labels and logits differ in shape.
    """

    def forward(self, logits: Tensor, labels: Tensor, valid: Tensor | None = None) -> Tensor:
        if labels.shape != logits.shape:
            raise ShapeError(
                f"labels have shape {tuple(labels.shape)}, but logits {tuple(logits.shape)}; a 0 "
                "or 1 for each class is needed"
            )
        if valid is not None:
            labels = torch.where(valid, labels, 0)
        each = F.binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="none")
        return mean_over_valid(each, valid)
