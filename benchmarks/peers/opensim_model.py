"""The adult in OpenSim: same bodies, hinges, paths and posture, and static optimisation of that posture.

Every fascicle is a PathActuator through the points that are active in the posture; its optimal force is the kernels'
active force at full activation. Discs, tissue and passive muscle forces act as constant moments of the posture, feet
and hand loads as constant forces. So both programs balance the same moments with the same bounds.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.peers.engines import Agreement, agreement
from benchmarks.peers.measure import Timed
from benchmarks.peers.problem import Held

INERTIA = 0.1  # [kg m2] of every body about every axis: nothing accelerates, so its value decides nothing
FRAME = 0.01  # [s] between the equal frames of the held posture
FEW, MANY = 2, 8  # frames of a short and a long run


def vector(values):
    """A vector of OpenSim."""
    import opensim

    return opensim.Vec3(*(float(v) for v in values))


def lines(held: Held) -> tuple[str, ...]:
    """Names of the fascicles and, last, of the line along which the pressure pushes."""
    return (*held.packed.packed.muscles, "abdominal_pressure")


def active_routes(held: Held, anatomy) -> dict[int, list[int]]:
    """Points of the one route that each fascicle takes in a posture in which no conditional point fades."""
    weights = anatomy.route_weights(held.joints)
    if not np.isin(weights, [0.0, 1.0]).all():
        raise ValueError(f"{held.name}: a conditional point fades, which OpenSim cannot express")
    return {i: kept for (i, kept, _), weight in zip(anatomy.routes, weights, strict=True) if weight == 1.0}


def add_joint(model, anatomy, body, above, child) -> None:
    """A joint whose hinges follow each other as in the description; further axes only complete the three."""
    import opensim

    hinges = anatomy.hinges[body.name]
    axes = [anatomy.axis(c) for c in hinges]
    for unit in np.eye(3):
        if len(axes) < 3 and np.linalg.matrix_rank(np.array([*axes, unit])) == len(axes) + 1:
            axes.append(unit)
    transform = opensim.SpatialTransform()
    for k, axis in enumerate(axes):
        entry = transform.updTransformAxis(k)
        entry.setAxis(vector(axis))
        if k < len(hinges):
            names = opensim.ArrayStr()
            names.append(hinges[k].full_name)
            entry.setCoordinateNames(names)
            entry.set_function(opensim.LinearFunction(1.0, 0.0))
        else:
            entry.set_function(opensim.Constant(0.0))
    joint = anatomy.joints[body.name]
    parent = model.getGround() if above is None else model.getBodySet().get(above.name)
    at = np.zeros(3) if above is None else np.subtract(joint.centre_neutral, above.origin_neutral)
    zero = vector(np.zeros(3))
    made = opensim.CustomJoint(joint.name, parent, vector(at), zero, child, zero, zero, transform)
    model.addJoint(made)


def add_bodies(model, anatomy) -> None:
    """All bodies with their joints."""
    import opensim

    description = anatomy.model
    above = {b.name: b for b in description.bodies}
    for body in description.bodies:
        made = opensim.Body(
            body.name, body.mass, vector(body.centre_of_mass), opensim.Inertia(INERTIA, INERTIA, INERTIA)
        )
        model.addBody(made)
        add_joint(model, anatomy, body, above.get(body.parent), made)


def add_muscles(model, held: Held, anatomy) -> None:
    """A path actuator for every fascicle, and a torque from the ground for every ankle actuator."""
    import opensim

    stance, lower, upper = held.packed.arrays, held.cases.lower[0], held.cases.upper[0]
    bodies = model.getBodySet()
    n = held.work.length.size
    for i, kept in active_routes(held, anatomy).items():
        muscle = opensim.PathActuator()
        muscle.setName(lines(held)[i])
        muscle.setOptimalForce(float(held.work.active[i]))
        for p in kept:
            body = bodies.get(anatomy.bodies[anatomy.point_body[p]])
            muscle.addNewPathPoint(f"{muscle.getName()}_{p}", body, vector(anatomy.point_local[p]))
        muscle.setMinControl(float(lower[i]))
        muscle.setMaxControl(float(upper[i]))
        model.addForce(muscle)
    lean = held.packed.free.index("lean")
    for i, name in enumerate(held.packed.actuators):
        body = held.packed.packed.bodies[stance.actuator_body[i]]
        # lean turns the legs about minus z
        torque = opensim.TorqueActuator(model.getGround(), bodies.get(body), vector((0, 0, 1)), True)
        torque.setName(name)
        torque.setOptimalForce(float(stance.actuator_moment[i, lean]))
        torque.setMinControl(float(lower[n + i]))
        torque.setMaxControl(float(upper[n + i]))
        model.addForce(torque)


def add_constant_loads(model, held: Held) -> None:
    """Feet and hands as constant forces; discs, tissue and passive muscles as constant moments of this posture."""
    import opensim

    for k, (body, point, force) in enumerate(held.vertical_forces):
        pull = opensim.PrescribedForce(f"load_{k}", model.getBodySet().get(body))
        pull.setPointIsInGlobalFrame(False)
        pull.setForceIsInGlobalFrame(True)
        pull.setPointFunctions(*(opensim.Constant(float(v)) for v in point))
        pull.setForceFunctions(*(opensim.Constant(v) for v in (0.0, float(force), 0.0)))
        model.addForce(pull)
    for name, moment in zip(held.packed.packed.coordinates, held.passive_moments, strict=True):
        constant = opensim.ExpressionBasedCoordinateForce(name, repr(float(moment)))
        constant.setName(f"passive_{name}")
        model.addForce(constant)


def hold_stance(model, held: Held) -> None:
    """Lock what the stance holds, and let both hips flex alike, as its free coordinates do."""
    import opensim

    coordinates = model.updCoordinateSet()
    moved = {name for free in held.packed.stance.free for name in free.moves}
    for name, value in held.joints.items():
        coordinate = coordinates.get(name)
        coordinate.setDefaultValue(value)
        coordinate.setDefaultLocked(name not in moved)
    names = opensim.ArrayStr()
    names.append("hip_r.flexion")
    coupler = opensim.CoordinateCouplerConstraint()
    coupler.setName("hips_alike")
    coupler.setIndependentCoordinateNames(names)
    coupler.setDependentCoordinateName("hip_l.flexion")
    coupler.setFunction(opensim.LinearFunction(1.0, 0.0))
    model.addConstraint(coupler)


def build(held: Held, anatomy, *, stance: bool):
    """The model in a posture; with its stance or with every joint coordinate free."""
    import opensim

    model = opensim.Model()
    model.setName(anatomy.model.name)
    model.setGravity(vector((0.0, -anatomy.model.gravity, 0.0)))
    add_bodies(model, anatomy)
    add_muscles(model, held, anatomy)
    add_constant_loads(model, held)
    if stance:
        hold_stance(model, held)
    model.finalizeConnections()
    return model


def check(held: Held, anatomy) -> tuple[Agreement, list[Timed]]:
    """Lengths, arms and weight moments of OpenSim against the kernels, and what they take through its interface.

    Weight moments are what inverse dynamics asks for at rest, less the constant passive moments.
    """
    import opensim

    model = build(held, anatomy, stance=False)
    state = model.initSystem()
    coordinates = [model.getCoordinateSet().get(name) for name in held.packed.packed.coordinates]
    place = [_speed_index(coordinate, state) for coordinate in coordinates]
    forces = model.getForceSet()
    paths = [opensim.PathActuator.safeDownCast(forces.get(name)).getGeometryPath() for name in lines(held)]
    values = [held.joints[c.getName()] for c in coordinates]

    def settle(shift: float) -> None:
        for coordinate, value in zip(coordinates, values, strict=True):
            coordinate.setValue(state, value + shift, False)
        model.realizeVelocity(state)

    def lengths():
        settle(1e-4)
        return [path.getLength(state) for path in paths]

    def arms():
        settle(2e-4)
        return [[path.computeMomentArm(state, c) for c in coordinates] for path in paths]

    settle(0.0)
    length = np.array([path.getLength(state) for path in paths])
    gradient = -np.array([[path.computeMomentArm(state, c) for c in coordinates] for path in paths])
    needed = opensim.InverseDynamicsSolver(model).solve(state)
    moments = -np.array([needed[p] for p in place])
    found = agreement(held, length, gradient, moments - held.passive_moments)
    return found, [
        Timed("OpenSim", "lengths", lengths),
        Timed("OpenSim", "full moment-arm matrix (computeMomentArm)", arms, slow=True),
    ]


def _speed_index(coordinate, state) -> int:
    """Where a coordinate stands in the vectors of the multibody system."""
    coordinate.setSpeedValue(state, 1.0)
    speeds = state.getU()
    index = next(i for i in range(speeds.size()) if speeds[i] == 1.0)
    coordinate.setSpeedValue(state, 0.0)
    return index


def static_optimisation(held: Held, anatomy, *, tolerance: float | None, repeats: int) -> Timed:
    """OpenSim's StaticOptimization of equal frames of the held posture, p = 2, per frame.

    The time of a frame is that of a long run less that of a short one, so reading the model and starting up do not
    count. The answer is the last frame's.
    """
    import opensim

    opensim.Logger.setLevelString("Off")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(held, anatomy, stance=True).printToXML(str(folder / "model.osim"))
        _write_motion(held, folder / "motion.sto")
        times = []
        for _ in range(repeats):
            short, long = (_run(folder, frames, tolerance) for frames in (FEW, MANY))
            times.append((long - short) / (MANY - FEW))
        table = opensim.TimeSeriesTable(str(folder / "result" / "frames_StaticOptimization_activation.sto"))
        labels = list(table.getColumnLabels())
        last = table.getMatrix().to_numpy()[-1]
    order = [labels.index(name) for name in (*lines(held), *held.packed.actuators)]
    what = "default (1e-4)" if tolerance is None else f"{tolerance:.0e}".replace("e-0", "e-")
    return Timed("OpenSim static optimisation", what, lambda: None, times=times, answer=last[order])


def _write_motion(held: Held, path: Path) -> None:
    """A file of equal frames; more of them than are used, as the splines through them need."""
    names = list(held.joints)
    frame = "\t".join(repr(held.joints[name]) for name in names)
    rows = [f"{k * FRAME!r}\t{frame}" for k in range(MANY + 10)]
    head = ["Coordinates", "version=1", f"nRows={len(rows)}", f"nColumns={len(names) + 1}", "inDegrees=no", "endheader"]
    path.write_text("\n".join([*head, "\t".join(["time", *names]), *rows]) + "\n")


def _run(folder: Path, frames: int, tolerance: float | None) -> float:
    """Time of one run of the tool [s]."""
    import opensim

    end = (frames - 1) * FRAME
    optimisation = opensim.StaticOptimization()
    optimisation.setStartTime(0.0)
    optimisation.setEndTime(end)
    optimisation.setStepInterval(1)
    optimisation.setUseModelForceSet(True)
    optimisation.setUseMusclePhysiology(False)
    optimisation.setActivationExponent(2.0)
    if tolerance is not None:
        optimisation.setConvergenceCriterion(tolerance)
        optimisation.setMaxIterations(1000)
    tool = opensim.AnalyzeTool()
    tool.setName("frames")
    tool.setModelFilename(str(folder / "model.osim"))
    tool.setCoordinatesFileName(str(folder / "motion.sto"))
    tool.setLowpassCutoffFrequency(-1.0)
    tool.setInitialTime(0.0)
    tool.setFinalTime(end)
    tool.setResultsDir(str(folder / "result"))
    tool.setReplaceForceSet(False)
    tool.setSolveForEquilibrium(False)
    tool.getAnalysisSet().cloneAndAppend(optimisation)
    setup = str(folder / "setup.xml")
    tool.printToXML(setup)
    read = opensim.AnalyzeTool(setup)  # a tool only loads its model when it is read from a file
    begin = time.perf_counter()
    if not read.run():
        raise RuntimeError("OpenSim's AnalyzeTool failed")
    return time.perf_counter() - begin
