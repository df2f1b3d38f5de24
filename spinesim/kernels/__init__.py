"""The compiled arithmetic: numpy and numba only."""
