"""The same body at another size.

With λ the ratio of statures, μ the ratio of masses and φ = μ^(2/3) the ratio of forces:

=========================  =============================================  ======
table                      quantity                                       factor
=========================  =============================================  ======
model.toml                 body mass; stature                             μ; λ
scatter                    centre of mass; activation, trunk              λ; 1
foot, hand, carry, bulge   lengths, and lengths per angle                 λ
neutral_zone, curves       angles, preload, strains                       1
stability                  margin (mass · length); short range            μ λ; 1
abdomen                    points; area; pressures                        λ; φ; 1
bodies                     mass; centre of mass, origin                   μ; λ
joints, landmarks          points; disc frame angle                       λ; 1
coordinates                ranges of motion, rhythm shares                1
discs                      centre, heights, depth, width; area            λ; λ²
disc_laws                  c1, c2, c3 (area · depth² / height); preload   λ³; 1
disc_springs               stiffness (area / height); preload             λ; 1
muscles                    PCSA, passive force; fibre and tendon lengths  φ; λ
muscles, continued         specific tension, pennation, passive strains   1
muscle_paths               points; angles of conditions                   λ; 1
tissues, actuators         moments (force · length); rates                φ λ; 1
foramen_outline, pedicles  lengths                                        λ
canals, roots, root        lengths; angles, pressures, spreads            λ; 1
sciatic                    lengths; shares                                λ; 1
tests, tightness           angles, gains                                  1
stances                    places of supports; angles, shares             λ; 1
=========================  =============================================  ======

Muscle forces follow the cross-section, and the cross-section the two-thirds power of mass: geometric similarity, as
recommended for normalising strength by Jaric (2002). Passive joint moments take the same force times a length, so
muscles and capsule keep their proportion and the clinical tests read the same angles. Disc preloads are the loads of
the laboratory and stay.

References
----------
Jaric S. Muscle strength testing: use of normalisation for body size. Sports Med 32:615-631, 2002 (from memory).
"""

from __future__ import annotations

import math
from typing import TypeVar

from spinesim.errors import InputError
from spinesim.model.parts import Model, Part, Vector

P = TypeVar("P", bound=Part)

BODY_MASS_RANGE = (30.0, 200.0)  #: [kg]
STATURE_RANGE = (1.2, 2.2)  #: [m]


def scaled(model: Model, *, body_mass: float | None = None, stature: float | None = None) -> Model:
    """The model at another body mass or stature, by the laws in the table of this file.

    Parameters
    ----------
    body_mass
        Mass of the whole body [kg], 30 to 200. Default: that of the model.
    stature
        Standing height [m], 1.2 to 2.2. Default: that of the model.

    Raises
    ------
    InputError
        If a value lies outside its range.
    """
    mass = _allowed("body_mass", "kg", body_mass, BODY_MASS_RANGE, model.body_mass)
    height = _allowed("stature", "m", stature, STATURE_RANGE, model.stature)
    if mass == model.body_mass and height == model.stature:
        return model
    λ = height / model.stature
    μ = mass / model.body_mass
    φ = μ ** (2.0 / 3.0)
    return model.model_copy(
        update={
            "body_mass": mass,
            "stature": height,
            "scatter": _times(model.scatter, centre_of_mass=λ),
            "stability": _times(model.stability, margin=μ * λ),
            "abdomen": model.abdomen and _times(model.abdomen, diaphragm=λ, pelvic_floor=λ, area=φ),
            "foot": model.foot and _times(model.foot, front=λ, back=λ, side=λ),
            "hand": model.hand and _times(model.hand, shoulder_right=λ),
            "carry": model.carry and _times(model.carry, strap_right=λ, pack=λ),
            "bulge": _times(model.bulge, rest=λ, per_extension=λ),
            "bodies": _all_times(model.bodies, mass=μ, centre_of_mass=λ, origin_neutral=λ),
            "joints": _all_times(model.joints, centre_neutral=λ),
            "landmarks": _all_times(model.landmarks, position=λ),
            "discs": _all_times(
                model.discs,
                centre_neutral=λ,
                area=λ**2,
                height_posterior=λ,
                height_middle=λ,
                height_anterior=λ,
                depth=λ,
                width=λ,
            ),
            "disc_laws": _all_times(model.disc_laws, c1=λ**3, c2=λ**3, c3=λ**3),
            "disc_springs": _all_times(model.disc_springs, axial=λ, shear_anterior=λ, shear_lateral=λ),
            "muscles": tuple(
                m.model_copy(update={"path": _all_times(m.path, position=λ)})
                for m in _all_times(
                    model.muscles, pcsa=φ, passive_force=φ, optimal_fibre_length=λ, tendon_slack_length=λ
                )
            ),
            "tissues": _all_times(model.tissues, amplitude=φ * λ),
            "actuators": _all_times(model.actuators, max_moment=φ * λ),
            "foramen_outline": _all_times(model.foramen_outline, back=λ, up=λ),
            "pedicles": _all_times(model.pedicles, height=λ, width=λ),
            "canals": _all_times(model.canals, width=λ, depth=λ, lamina_above=λ, lamina_below=λ, flavum=λ),
            "roots": _all_times(model.roots, width=λ),
            "root_law": model.root_law and _times(model.root_law, cushion=λ, hold=λ),
            "sciatic": model.sciatic
            and _times(model.sciatic, below_canal=λ, hip_arm=λ, knee_arm=λ, width=λ, thickness=λ, breadth=λ),
            "stances": {
                name: stance.model_copy(
                    update={
                        "supports": _all_times(stance.supports, position=λ),
                        "contacts": _all_times(stance.contacts, position=λ, height=λ, stiffness=μ / λ, blend=λ),
                        "centre": stance.centre and tuple(x * λ for x in stance.centre),
                        "shifts": {body: tuple(x * λ for x in shift) for body, shift in stance.shifts.items()},
                    }
                )
                for name, stance in model.stances.items()
            },
        }
    )


def _times(part: P, **factors: float) -> P:
    """The part with each named number or vector multiplied by its factor."""
    update: dict[str, float | Vector] = {}
    for name, factor in factors.items():
        value = getattr(part, name)
        update[name] = tuple(x * factor for x in value) if isinstance(value, tuple) else value * factor
    return part.model_copy(update=update)


def _all_times(parts: tuple[P, ...], **factors: float) -> tuple[P, ...]:
    return tuple(_times(part, **factors) for part in parts)


def _allowed(name: str, unit: str, value: float | None, limits: tuple[float, float], default: float) -> float:
    if value is None:
        return default
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{name} = {value!r}, must be a number between {low:g} and {high:g} {unit}")
    if not low <= value <= high:
        raise InputError(f"{name} = {value:g} {unit}, must be between {low:g} and {high:g} {unit}")
    return float(value)
