"""Moving MNIST: dataset and preparation of the published files."""

from openstl_ext.datasets.moving_mnist.dataset import MovingMNIST

__all__ = ["MovingMNIST"]
