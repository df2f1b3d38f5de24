"""Symbolic derivations, run offline; nothing imports this package."""
