"""Plain loops over whole arrays: what numba's own array expressions would do, at a tenth of the time to compile."""

import math

from spinesim.kernels.jit import inner


@inner
def copy(source, target):
    """Copy an array into another of the same shape."""
    for i in range(source.size):
        target.flat[i] = source.flat[i]


@inner
def fill(value, target):
    """Set every entry of an array."""
    for i in range(target.size):
        target.flat[i] = value


@inner
def dot(x, y):
    """Inner product of two vectors."""
    value = 0.0
    for i in range(x.size):
        value += x[i] * y[i]
    return value


@inner
def dot_wide(x, y):
    """Inner product in eight partial sums: the same bits everywhere, and the wide registers of the processor in use."""
    a = b = c = d = e = f = g = h = 0.0
    whole = x.size - x.size % 8
    for i in range(0, whole, 8):
        a += x[i] * y[i]
        b += x[i + 1] * y[i + 1]
        c += x[i + 2] * y[i + 2]
        d += x[i + 3] * y[i + 3]
        e += x[i + 4] * y[i + 4]
        f += x[i + 5] * y[i + 5]
        g += x[i + 6] * y[i + 6]
        h += x[i + 7] * y[i + 7]
    for i in range(whole, x.size):
        a += x[i] * y[i]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@inner
def largest(vector):
    """Largest magnitude; nan if any entry is not finite, so that it fails every comparison."""
    value = 0.0
    for x in vector.flat:
        if not abs(x) < math.inf:
            return math.nan
        value = max(value, abs(x))
    return value
