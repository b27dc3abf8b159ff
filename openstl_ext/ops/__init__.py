"""Kernels: a plain reference and faster equals behind one function."""
