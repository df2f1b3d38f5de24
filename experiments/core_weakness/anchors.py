"""Published anchors of stability, computed with the model: the numbers of the table in README.md.

    python experiments/core_weakness/anchors.py

What a run of the scenario cannot ask for: muscles taken away while the others stay as active as they were, a spine
without muscles, a weight on its top, and the cost of co-contraction from one posture to the next.
"""

import numpy as np
from scipy.optimize import brentq

import spinesim as ss
from spinesim.stiffness import Stiffness

UPRIGHT = {"trunk_flexion": 0}
TRUNK = ("abdominals", "multifidus", "erectors", "quadratus_lumborum", "latissimus")
LEGS = ("hip_flexors", "gluteals", "hamstrings", "quadriceps", "adductors", "piriformis", "hip_rotators")


def volume_mean(model, case, muscles):
    """Activation of some anatomical muscles, their fascicles weighted by volume [%]."""
    chosen = [m.muscle in muscles for m in model.muscles]
    volume = np.array([m.max_force * m.optimal_fibre_length for m in model.muscles])
    return 100 * float(np.average(case.activation.values[chosen], weights=volume[chosen]))


def activity(model):
    """TS048, MA046 to MA048: how active muscles are in quiet standing, and with 32 kg in the hands."""
    quiet = ss.solve(model)
    loaded = ss.solve(model, {"load.hands": 32}, posture=UPRIGHT, stability=True)
    trunk = {muscle for group in TRUNK for muscle in model.groups[group]}
    yield "TS048 trunk muscles, mean by volume", f"{volume_mean(model, quiet, trunk):.1f} %"
    yield "TS048 the same with 32 kg", f"{volume_mean(model, loaded, trunk):.1f} %"
    for row, group in (("MA046", "erectors"), ("MA047", "abdominals")):
        yield f"{row} {group}", f"{volume_mean(model, quiet, model.groups[group]):.2f} %"
    for row, muscle in (("MA047", "external_oblique"), ("MA047", "internal_oblique"), ("MA047", "rectus_abdominis"),
                        ("MA048", "psoas"), ("MA048", "iliacus")):  # fmt: skip
        yield f"{row} {muscle}", f"{volume_mean(model, quiet, [muscle]):.2f} %"
    most = quiet.activation.idxmax("muscle").item()
    yield f"most active fascicle, {most}", f"{100 * quiet.activation.max().item():.0f} %"


def cost(model):
    """TS034: what co-contraction adds to the compression of least effort."""
    for load in (0, 10):
        for angle in (0, 5, 10, 15, 20, 30):
            case = ss.solve(model, {"load.hands": load}, stance="forward_bend", posture={"trunk_flexion": angle},
                            stability=True)  # fmt: skip
            least = case.compression - case.cocontraction_compression
            part = 100 * case.cocontraction_compression / least
            shares = " and ".join(f"{part.sel(level=level).item():.0f} %" for level in ("L5_S1", "L4_L5"))
            yield f"TS034 trunk at {angle} deg, {load} kg: L5/S1 and L4/L5", shares


def removal(model, load=0):
    """What each muscle group is worth: margin lost without it, the others as active as before.

    Balance is not asked for again; the loss is counted in parts of what all active muscles together supply.
    """
    case = ss.solve(model, {"load.hands": load}, posture=UPRIGHT, stability=True)
    body = Stiffness(model, load=load, lean=case.lean.item())
    active = body.of(case)
    whole = body.margin(active) - body.margin(body.none())
    yield f"all muscles, {load} kg", f"{whole:.0f} N m/rad"
    members = {group: [m.muscle in model.groups[group] for m in model.muscles] for group in ("core", *TRUNK, *LEGS)}
    members["external_oblique"] = [m.muscle == "external_oblique" for m in model.muscles]
    for group, chosen in members.items():
        without = active.copy()
        without[: body.fascicles][chosen] = 0.0
        lost = body.margin(active) - body.margin(without)
        anew = ss.solve(model, {"load.hands": load, f"inhibition.{group}": 0}, posture=UPRIGHT, stability=True,
                        raise_on_failure=False)  # fmt: skip
        effort = f", effort x {anew.effort.item() / case.effort.item():.2f}" if anew.status.item() == "solved" else ""
        words = f"{lost:.0f} N m/rad, {lost / whole:.0%}; balanced anew: {anew.status.item()}{effort}"
        yield f"without {group}, {load} kg", words
    without = active.copy()
    without[body.fascicles] = 0.0
    lost = body.margin(active) - body.margin(without)
    yield f"TS038 without transversus, {load} kg", f"{lost:.1f} N m/rad, {lost / whole:.2%}"


def bare_spine(model):
    """TS047: the weight under which a lumbar spine without muscles buckles, the sacrum fixed.

    On the top of L1, as in the test of five lumbar segments, or at the centre of mass of the thorax.
    """
    top = np.mean([m.position for m in model.landmarks if m.name in ("L1_sup_ant", "L1_sup_post")], axis=0)
    for fraction in (model.neutral_zone.fraction, 1.0):
        zone = model.neutral_zone.model_copy(update={"fraction": fraction})
        body = Stiffness(model.model_copy(update={"neutral_zone": zone}), preload=0.0)
        body.cases.stiffness[:] = 0.0  # no passive muscle either
        arrays, bodies = body.arrays, body.stance.packed.bodies
        centre = body.support.body_centre.copy()
        centre[bodies.index("L1")] = top
        body.support = body.support._replace(body_centre=centre)
        for name, where in (("L1", "top of L1"), ("thorax", "centre of the thorax")):

            def margin(weight, name=name, body=body, arrays=arrays, bodies=bodies):
                mass = np.zeros_like(arrays.body_mass)
                mass[bodies.index(name)] = weight / arrays.gravity
                body.arrays = arrays._replace(body_mass=mass)
                levels = "" if name == "thorax" else "T12"  # what is above the weight does not move
                return body.least(body.none(), lambda each: "." in each and not (levels and each.startswith(levels)))

            weight = brentq(margin, 0.0, 2000.0)
            yield f"TS047 weight at the {where}, eta = {fraction:g}", f"{weight:.0f} N"


def weakest_core(model):
    """The least strength of the core with which the upright posture can be made stable."""
    for load in (0, 10):
        for strength in (1.0, 0.2, 0.05, 0.02, 0.01, 0.0):
            case = ss.solve(model, {"load.hands": load, "strength.core": strength}, posture=UPRIGHT, stability=True,
                            raise_on_failure=False)  # fmt: skip
            most = case.group_activation.sel(muscle_group="abdominals").item()
            words = f", abdominals {100 * most:.1f} %" if case.status.item() == "solved" else ""
            yield f"core {strength:g}, {load} kg", case.status.item() + words


def ceiling(model):
    """How large a margin any activations reach upright."""
    for margin in range(5, 51, 5):
        case = ss.solve(model, posture=UPRIGHT, stability=float(margin), raise_on_failure=False)
        yield f"margin of {margin} N m/rad demanded", case.status.item()


def main():
    """Print all anchors."""
    model = ss.load_model("adult")
    for part in (activity, cost, removal, lambda m: removal(m, 10), bare_spine, weakest_core, ceiling):
        for name, value in part(model):
            print(f"{name}: {value}")
        print()


if __name__ == "__main__":
    main()
