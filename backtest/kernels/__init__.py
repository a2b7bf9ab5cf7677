"""Numba kernels: few, simple and deterministic. They import nothing but numpy and numba."""
