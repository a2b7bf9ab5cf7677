"""Tests of the package; `reference` holds slow, readable twins of its kernels."""
