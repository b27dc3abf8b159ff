"""Selective scan of Mamba: one function with five backends."""

from openstl_ext.ops.selective_scan.dispatch import BACKENDS, BackendError, obstacle
from openstl_ext.ops.selective_scan.flops import OPERATORS, scan_flop_handle, scan_flops
from openstl_ext.ops.selective_scan.scan import selective_scan

__all__ = [
    "BACKENDS",
    "OPERATORS",
    "BackendError",
    "obstacle",
    "scan_flop_handle",
    "scan_flops",
    "selective_scan",
]
