"""Kernels: a reference implementation and faster equal ones behind one function."""
