"""Roots and sciatic nerve beyond one solve: many anatomies of one posture, and postures of nerve tests.

People differ in the size of their foramina and roots more than postures differ from each other, so a single pressure
says little. `root_pressures` draws anatomies from the published spread and gives the share that exceeds a pressure.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from spinesim import units
from spinesim.cases import subject
from spinesim.errors import InputError
from spinesim.kernels import chain, sciatic
from spinesim.kernels.arrays import Floats
from spinesim.kernels.nerve import population
from spinesim.labelled import coordinates, labelled
from spinesim.model.pack import foramen_levels, pack
from spinesim.model.parts import Model
from spinesim.solve import check_settings, make_task, raise_failure, resized, run_chain, solve
from spinesim.stance import pack_stance

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def root_pressures(
    model: Model,
    parameters: Mapping[str, float] | None = None,
    *,
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
    count: int = 2000,
    threshold: float | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """How the pressure on every root is distributed over the anatomies of people, in the posture of one solve.

    Every root of every anatomy gets its own width and height of the foramen, width of the root and transverse
    stiffness: lognormal about those of the model, with the spreads in its ``root`` section and ``roots.csv``. Levels
    and sides are drawn apart, so what is said of one root is to be believed, not how many roots of one person are
    pressed.

    Parameters
    ----------
    parameters, stance, posture
        As for `spinesim.solve`.
    count
        Number of anatomies, 1 to 1,000,000.
    threshold
        Pressure [mmHg] to exceed; by default the venular threshold of the model.
    seed
        Of the random numbers.

    Returns
    -------
    xarray.Dataset
        ``probability`` (foramen, side) [1] of a pressure above the threshold, ``pressure`` (quantile, foramen, side)
        [mmHg], and ``pressed`` (foramen, side) [1], the share of anatomies with any pressure at all.

    Raises
    ------
    InputError
        For a bad setting, or a model without foramina.
    InfeasibleError, NotConvergedError
        As `spinesim.solve`.
    """
    law = model.root_law
    if law is None or not foramen_levels(model):
        raise InputError(f"model {model.name} has no nerve roots")
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= 1_000_000:
        raise InputError(f"count = {count!r} is not allowed: it must be a whole number from 1 to 1000000")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed = {seed!r} is not allowed: it must be a whole number from 0")
    limit = law.venular / units.MMHG if threshold is None else threshold
    if isinstance(limit, bool) or not isinstance(limit, int | float | np.number) or not 0.0 <= float(limit) < np.inf:
        raise InputError(f"threshold = {limit!r} is not allowed: it must be a pressure of 0 mmHg or more")
    settings = check_settings(model, parameters)
    person = resized(model, subject(model, settings))
    task = make_task(person, stance, posture, "rhythm")
    packed = pack_stance(pack(person), stance)
    columns = {name: np.array([value]) for name, value in settings.items()}
    out, cases = run_chain(task, columns, 1)
    raise_failure(packed, labelled(packed, out, settings=settings, task=task.words(), pictures=False), cases)
    factors = anatomy_factors(person, count, seed)
    pressure = np.empty(factors.shape[:3])
    population(
        packed.packed.arrays,
        out.body_rotation[0],
        out.body_position[0],
        out.disc[0],
        cases.flavum[0],
        cases.foramen_scale[0],
        factors,
        pressure,
    )
    pressure /= units.MMHG
    named = coordinates(packed, pictures=False)
    dims = ("foramen", "side")
    return xr.Dataset(
        {
            "probability": (
                dims,
                (pressure > limit).mean(axis=2),
                {"units": "1", "long_name": f"share of anatomies with more than {limit:g} mmHg on the root"},
            ),
            "pressed": (
                dims,
                (pressure > 0.0).mean(axis=2),
                {"units": "1", "long_name": "share of anatomies with any pressure on the root"},
            ),
            "pressure": (
                ("quantile", *dims),
                np.quantile(pressure, QUANTILES, axis=2),
                {"units": "mmHg", "long_name": "root contact pressure"},
            ),
        },
        coords={"quantile": list(QUANTILES), **{name: named[name] for name in ("foramen", "exiting_root", "side")}},
        attrs={"model": person.name, "anatomies": count, "threshold_mmHg": float(limit), "seed": seed},
    )


def anatomy_factors(model: Model, count: int, seed: int) -> Floats:
    """Width and height of the foramen, width of the root and stiffness over those of the model, (nf, 2, count, 4).

    Lognormal with median 1; the logarithm has the relative spread of the model.
    """
    law = model.root_law
    assert law is not None
    levels = foramen_levels(model)
    width = {root.level: root.width_sd for root in model.roots}
    spread = np.array(
        [(law.foramen_width_sd, law.foramen_height_sd, width[level], law.stiffness_sd) for level in levels]
    )
    draws = np.random.default_rng(seed).standard_normal((len(levels), 2, count, 4))
    factors: Floats = np.exp(spread[:, None, None, :] * draws)
    return factors


def piriformis_variants(
    model: Model,
    parameters: Mapping[str, float] | None = None,
    *,
    stance: str = "standing",
    posture: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Pressure of the piriformis on the sciatic nerve for every way of the nerve, a hypothesis, and how frequent it is.

    Parameters
    ----------
    parameters, stance, posture
        As for `spinesim.solve`; ``piriformis.variant`` is set here.

    Returns
    -------
    xarray.Dataset
        ``piriformis_pressure`` (variant, side) [mmHg] and ``frequency`` (variant) [1], variants below, through, above.

    Raises
    ------
    InputError
        As `spinesim.solve`, or if the model has no sciatic nerves.
    """
    if model.sciatic is None:
        raise InputError(f"model {model.name} has no sciatic nerves")
    ways = xr.DataArray(["below", "through", "above"], dims="variant", name="variant")
    cases = [
        solve(model, {**(parameters or {}), "piriformis.variant": way}, stance=stance, posture=posture)
        for way in range(ways.size)
    ]
    pressure = xr.concat([case["piriformis_pressure"] for case in cases], ways)
    frequency = ("variant", list(model.sciatic.frequency), {"units": "1", "long_name": "frequency of the variant"})
    return xr.Dataset({"piriformis_pressure": pressure, "frequency": frequency})


def nerve_tension(
    model: Model, *, hip_flexion: float = 0.0, knee_flexion: float = 0.0, lumbar_flexion: float = 0.0
) -> tuple[float, float]:
    """Lengthening [mm] and strain [1] of the right sciatic nerve in a posture imposed by someone's hands.

    Nothing is balanced: a straight-leg raise is ``hip_flexion=70``, a slump ``hip_flexion=90, lumbar_flexion=40`` with
    the knee straight. The ankle stays as in standing.

    Parameters
    ----------
    hip_flexion, knee_flexion
        [deg]; the thigh comes forward, the heel goes back.
    lumbar_flexion
        From the reference, over all levels by their shares of the rhythm [deg].

    Raises
    ------
    InputError
        If an angle is not within 180 deg, or the model has no sciatic nerves.
    """
    if model.sciatic is None:
        raise InputError(f"model {model.name} has no sciatic nerves")
    angles = {"hip_flexion": hip_flexion, "knee_flexion": knee_flexion, "lumbar_flexion": lumbar_flexion}
    for name, value in angles.items():
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not abs(float(value)) <= 180.0:
            raise InputError(f"{name} = {value!r} is not allowed: it must be a number from -180 to 180 deg")
    packed = pack(model)
    arrays = packed.arrays
    q = np.zeros(len(packed.coordinates))
    q[arrays.hip_flexion[1]] = hip_flexion * units.DEGREE
    q[arrays.knee_flexion[1]] = knee_flexion * units.DEGREE
    levels = [c for c in model.coordinates if c.joint in packed.foramina and c.name == "flexion"]
    shares = np.array([c.rhythm_share if lumbar_flexion >= 0.0 else c.rhythm_share_negative for c in levels])
    for coordinate, share in zip(levels, shares / shares.sum(), strict=True):
        q[packed.coordinates.index(coordinate.full_name)] = share * lumbar_flexion * units.DEGREE
    nb, nq = arrays.moves.shape
    turn, place = np.empty((nb, 3, 3)), np.empty((nb, 3))
    chain.forward(arrays, q, turn, place, np.empty((nq, 3)), np.empty((nq, 3)))
    values = np.empty((2, 3))
    sciatic.sciatic(arrays, 0, q, turn, place, np.zeros(packed.lines), values)
    return float(values[1, sciatic.LENGTHENING] / units.MILLIMETRE), float(values[1, sciatic.STRAIN])
