"""The compiler flags of every kernel, in one place."""

from numba import njit

# No fastmath: signs decide which way a neuron goes. nogil: a widget computes on its own thread.
kernel = njit(cache=True, nogil=True, error_model="numpy")
