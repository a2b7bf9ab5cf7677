"""The decorator of all numba kernels, and their rules.

float64, C-contiguous, time on axis 0; results are written into `out`; no RNG object, no
validation, no strings (the Python wrapper checks once); no fastmath, because NaN has a meaning.
A `folding` kernel may add and multiply in another order than written, four days at a time, which
moves last digits only; NaN keeps its meaning there too.

Numba caches compiled kernels beside the sources and compiles again when the kernel's file changes,
but not when the file of a kernel that it calls does: run `make clean` after any change of kernels.
"""

from functools import partial

import numba

kernel = partial(numba.njit, cache=True, nogil=True)
folding = partial(numba.njit, cache=True, nogil=True, fastmath={"reassoc"})
