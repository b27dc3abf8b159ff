"""The selective scan, counted in a column of its own, as published tables leave it out."""

from openstl_ext.ops.selective_scan import OPERATORS, scan_flop_handle
from openstl_ext.profiling.flops import register_flop_handle

for operator in OPERATORS:
    register_flop_handle(operator, scan_flop_handle, column="scan")
