"""Conversion factors against their definitions."""

import math

import pytest

from spinesim import units


def test_factors__turn_familiar_values_into_si():
    assert math.pi == 180 * units.DEGREE
    assert units.CM2 == units.CENTIMETRE**2
    assert units.MM2 == units.MILLIMETRE**2
    assert 1 * units.MEGAPASCAL == 1 / units.MM2  # 1 MPa is 1 N/mm2
    assert pytest.approx(101325, rel=1e-6) == 760 * units.MMHG  # the standard atmosphere, CGPM 1954
    assert 1 * units.N_M_PER_DEGREE * units.DEGREE == 1.0


def test_suffixes__agree_with_the_constants():
    assert units.SUFFIX["cm2"] == units.SUFFIX["cm"] ** 2
    assert units.SUFFIX["deg"] == units.DEGREE
    assert units.SUFFIX["mmHg"] == units.MMHG
    assert units.SUFFIX["N_per_mm"] == units.SUFFIX["N_per_m"] / units.SUFFIX["mm"]
    assert units.SUFFIX["Nm_per_deg"] == units.SUFFIX["Nm_per_rad"] / units.SUFFIX["deg"]
