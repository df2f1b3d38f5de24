"""Stiffness of a posture at activations that no balance asks for: muscles taken away, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.cases import case_arrays
from spinesim.errors import InputError
from spinesim.kernels import passive
from spinesim.kernels.arrays import Floats
from spinesim.kernels.state import configure, tangent
from spinesim.kernels.work import workspace
from spinesim.model.pack import pack
from spinesim.model.parts import Model
from spinesim.stance import LEGS, pack_stance


class Stiffness:
    """Stiffness of upright standing against small disturbances, at any activations.

    Parameters
    ----------
    model
        A checked model.
    preload
        Axial load [N] at which the stiffness of the discs is taken.
    load
        Weight [kg] shared by both hands.
    lean
        Inclination of the legs [deg], such as that of a result.
    """

    def __init__(self, model: Model, *, preload: float = 500.0, load: float = 0.0, lean: float = 0.0) -> None:
        self.stance = pack_stance(pack(model), "standing")
        self.arrays, self.support = self.stance.packed.arrays, self.stance.arrays
        columns = {"disc.preload": np.array([preload]), "load.hands": np.array([load])}
        self.cases = case_arrays(self.stance, columns, 1, np.zeros(0))
        self.fascicles = len(self.stance.packed.muscles)
        self.free = np.where(np.array(self.stance.free) == "lean", lean * units.DEGREE, 0.0)

    def matrix(self, activation: Floats) -> Floats:
        """Stiffness (nu, nu) [N m/rad] of the free coordinates at activations (n + na,)."""
        work = workspace(self.arrays, self.support)
        passive.disc_constants(self.arrays, self.cases.preload[0], work.disc)
        configure(self.arrays, self.support, self.cases, 0, self.free, work)
        stiffness = np.empty((self.free.size, self.free.size))
        short_range = self.cases.short_range[0]
        tangent(self.arrays, self.support, self.cases, 0, activation, short_range, work, stiffness)
        symmetric: Floats = (stiffness + stiffness.T) / 2
        return symmetric

    def least(self, activation: Floats, coordinates: Callable[[str], bool]) -> float:
        """Smallest eigenvalue [N m/rad] over the free coordinates whose names are chosen."""
        rows = [i for i, name in enumerate(self.stance.free) if coordinates(name)]
        return float(np.linalg.eigvalsh(self.matrix(activation)[np.ix_(rows, rows)])[0])

    def margin(self, activation: Floats) -> float:
        """Smallest eigenvalue [N m/rad] over pelvis and spine, as ``stability_margin`` has it."""
        return self.least(activation, lambda name: name not in LEGS)

    def none(self) -> Floats:
        """No activation (n + na,)."""
        return np.zeros(self.stance.arrays.cost.size)

    def of(self, case: xr.Dataset) -> Floats:
        """The activations (n + na,) of a result; the actuators of the ankles do not move the spine."""
        activation = self.none()
        activation[: self.fascicles] = case.activation
        activation[self.fascicles] = case.transversus_activation
        return activation


def worth(model: Model, case: xr.Dataset, chosen: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share [%] of the stability that all active muscles supply which is lost without some of them.

    The others stay as active as they were; balance is not asked for again. Losses do not add up to 100 %.

    Parameters
    ----------
    case
        A result of ``model`` standing upright, with no load.
    chosen
        Mask of lines by name: fascicles in the order of the model, then the transversus (n + 1,).
    """
    body = Stiffness(model, lean=case.lean.item())
    active = body.of(case)
    held = body.margin(active)
    whole = held - body.margin(body.none())
    lost = {}
    for name, mask in chosen.items():
        without = active.copy()
        without[: mask.size][mask] = 0.0
        lost[name] = (held - body.margin(without)) / whole / units.PERCENT
    return lost


def buckling_weight(model: Model) -> float:
    """Weight [N] on the top of L1 under which the lumbar spine without muscles buckles, the sacrum fixed.

    Neither active nor passive muscle acts; discs have no preload. The motions above L1 are left out.

    Raises
    ------
    InputError
        If the model has no body L1 with landmarks ``L1_sup_ant`` and ``L1_sup_post``, or the weight is not below
        2000 N.
    """
    from scipy.optimize import brentq  # a third of a second, which few users need

    marks = [m.position for m in model.landmarks if m.name in ("L1_sup_ant", "L1_sup_post")]
    if len(marks) != 2 or not any(each.name == "L1" for each in model.bodies):
        raise InputError(f"the model {model.name} has no body L1 with landmarks L1_sup_ant and L1_sup_post")
    body = Stiffness(model, preload=0.0)
    body.cases.stiffness[:] = 0.0  # no passive muscle either
    arrays, place = body.arrays, body.stance.packed.bodies.index("L1")
    centre = body.support.body_centre.copy()
    centre[place] = np.mean(marks, axis=0)
    body.support = body.support._replace(body_centre=centre)

    def margin(weight: float) -> float:
        mass = np.zeros_like(arrays.body_mass)
        mass[place] = weight / arrays.gravity
        body.arrays = arrays._replace(body_mass=mass)
        return body.least(body.none(), lambda name: "." in name and not name.startswith("T12"))

    if margin(0.0) <= 0.0 or margin(2000.0) >= 0.0:
        raise InputError(f"the spine of {model.name} without muscles does not buckle between 0 and 2000 N")
    return float(brentq(margin, 0.0, 2000.0))
