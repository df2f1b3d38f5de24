"""A function whose sensitivity indices are known in closed form."""

import numpy as np

# Ishigami and Homma 1990 with a = 7, b = 0.1; indices in closed form
A, B = 7.0, 0.1
_V1, _V2, _V13 = 0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, B**2 * np.pi**8 * (1 / 18 - 1 / 50)
FIRST = np.array([_V1, _V2, 0.0]) / (_V1 + _V2 + _V13)
TOTAL = np.array([_V1 + _V13, _V2, _V13]) / (_V1 + _V2 + _V13)


def ishigami(points):
    """Of points on the unit cube, coordinates last."""
    x = np.pi * (2.0 * points - 1.0)
    return np.sin(x[..., 0]) + A * np.sin(x[..., 1]) ** 2 + B * x[..., 2] ** 4 * np.sin(x[..., 0])
