"""The one decorator of the numba kernels, and the rules they keep.

float64, C-contiguous, time on axis 0; results are written into `out`; no RNG object, no
validation, no strings (the Python wrapper checks once); no fastmath, because NaN has a meaning.

What numba has compiled is kept beside the sources and made anew when a kernel's own file changes,
but not when a kernel that it calls does: whoever changes or pulls kernels runs `make clean` first.
"""

from functools import partial

import numba

kernel = partial(numba.njit, cache=True, nogil=True)
