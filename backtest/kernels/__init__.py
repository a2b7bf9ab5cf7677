"""Numba kernels: few, dumb and deterministic. They import numpy and numba and nothing of ours."""
