"""Conversion factors: the SI value of one unit. Multiply to come in, divide to go out."""

from math import pi

DEGREE = pi / 180.0  #: [rad]
MILLIMETRE = 1e-3  #: [m]
CENTIMETRE = 1e-2  #: [m]
MM2 = 1e-6  #: [m2]
CM2 = 1e-4  #: [m2]
KILOPASCAL = 1e3  #: [Pa]
MEGAPASCAL = 1e6  #: [Pa]
MMHG = 133.322387415  #: conventional millimetre of mercury [Pa]
N_PER_MM = 1e3  #: [N/m]
N_M_PER_DEGREE = 180.0 / pi  #: [N m/rad]
PERCENT = 1e-2  #: [1]

#: SI value of one unit by its suffix in a file key or option, such as ``pcsa_cm2`` or ``flexion_deg``.
SUFFIX = {
    "rad": 1.0,
    "deg": DEGREE,
    "m": 1.0,
    "cm": CENTIMETRE,
    "mm": MILLIMETRE,
    "m2": 1.0,
    "cm2": CM2,
    "mm2": MM2,
    "kg": 1.0,
    "N": 1.0,
    "Nm": 1.0,
    "Nm_per_rad": 1.0,
    "Nm_per_deg": N_M_PER_DEGREE,
    "N_per_m": 1.0,
    "N_per_mm": N_PER_MM,
    "Pa": 1.0,
    "kPa": KILOPASCAL,
    "MPa": MEGAPASCAL,
    "mmHg": MMHG,
    "percent": PERCENT,
}
