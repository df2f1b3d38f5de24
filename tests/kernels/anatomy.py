"""The body computed again from its description, in plain numpy and in MuJoCo, without the packed arrays.

Nothing here imports `spinesim.model.pack` or a kernel, so agreement is agreement of two programs.
"""

from __future__ import annotations

import itertools
from functools import cached_property

import mujoco
import numpy as np
from numpy.polynomial import Polynomial
from scipy.spatial.transform import Rotation

#: Rises from 0 to 1 between 0 and 1 with two continuous derivatives: integral of 30 x^2 (1 - x)^2.
STEP = (30.0 * Polynomial([0.0, 1.0]) ** 2 * Polynomial([1.0, -1.0]) ** 2).integ()


def step(x):
    """Smooth step of a number, constant outside 0 to 1."""
    return float(STEP(min(max(x, 0.0), 1.0)))


class Anatomy:
    """Forward kinematics and path lengths of a model description."""

    def __init__(self, model):
        self.model = model
        self.bodies = [body.name for body in model.bodies]
        self.coordinates = [c.full_name for c in model.coordinates]
        self.joints = {joint.child: joint for joint in model.joints}
        self.hinges = {
            body: [c for c in model.coordinates if c.joint == self.joints[body].name] for body in self.bodies
        }
        #: points of every line: the fascicles, and last the line from diaphragm to pelvic floor
        self.lines = [[(p.body, p.position, p) for p in muscle.path] for muscle in model.muscles]
        if model.abdomen is not None:
            ends = (("thorax", model.abdomen.diaphragm), ("pelvis", model.abdomen.pelvic_floor))
            self.lines.append([(body, position, None) for body, position in ends])
        points = [(self.bodies.index(body), position) for line in self.lines for body, position, _ in line]
        self.point_body = np.array([b for b, _ in points])
        self.point_local = np.array([p for _, p in points])

    def axis(self, coordinate):
        """Hinge axis in the frame of the body that it turns (all frames are parallel in the reference)."""
        angle = self.joints[self.child(coordinate)].frame_angle
        return Rotation.from_euler("z", angle).apply(coordinate.axis)

    def child(self, coordinate):
        return next(body for body, joint in self.joints.items() if joint.name == coordinate.joint)

    def pose(self, q):
        """Rotation matrix and origin of every body at joint coordinates given by full name [rad], others 0."""
        turn, place = {}, {}
        for body in self.model.bodies:
            joint = self.joints[body.name]
            rotation, origin = np.eye(3), np.zeros(3)
            if body.name != self.bodies[0]:
                above = next(b for b in self.model.bodies if b.name == joint.parent)
                rotation = turn[above.name]
                offset = np.subtract(joint.centre_neutral, above.origin_neutral)
                origin = place[above.name] + rotation @ offset
            for c in self.hinges[body.name]:
                rotation = rotation @ Rotation.from_rotvec(q.get(c.full_name, 0.0) * self.axis(c)).as_matrix()
            turn[body.name], place[body.name] = rotation, origin
        return turn, place

    def world(self, q, body, point):
        """World position of a point of a body."""
        turn, place = self.pose(q)
        return turn[body] @ np.asarray(point) + place[body]

    @cached_property
    def routes(self):
        """For every line its polylines: indices of the points passed, and per conditional point whether it is.

        A fascicle with one conditional point has two routes, with it and past it.
        """
        routes, first = [], 0
        for i, line in enumerate(self.lines):
            conditional = [p for p, (_, _, point) in enumerate(line) if point is not None and point.condition]
            for chosen in itertools.product([True, False], repeat=len(conditional)):
                dropped = {p for p, used in zip(conditional, chosen, strict=True) if not used}
                kept = [first + p for p in range(len(line)) if p not in dropped]
                conditions = [(line[p][2], used) for p, used in zip(conditional, chosen, strict=True)]
                routes.append((i, kept, conditions))
            first += len(line)
        return routes

    def route_weights(self, q):
        """Share of every route in the length of its line: conditional points fade over the blend of the model."""
        blend = self.model.condition_blend
        weights = []
        for _, _, conditions in self.routes:
            weight = 1.0
            for point, used in conditions:
                angle = q.get(point.condition, 0.0)
                active = step((angle - point.condition_lowest + blend) / (2 * blend))
                active *= step((point.condition_highest + blend - angle) / (2 * blend))
                weight *= active if used else 1.0 - active
            weights.append(weight)
        return np.array(weights)

    @cached_property
    def _segments(self):
        start, end, route = [], [], []
        for r, (_, kept, _) in enumerate(self.routes):
            start += kept[:-1]
            end += kept[1:]
            route += [r] * (len(kept) - 1)
        return np.array(start), np.array(end), np.array(route)

    def lengths(self, q):
        """Length of every line [m]."""
        turn, place = self.pose(q)
        rotation = np.array([turn[b] for b in self.bodies])[self.point_body]
        points = np.einsum("pij,pj->pi", rotation, self.point_local)
        points += np.array([place[b] for b in self.bodies])[self.point_body]
        start, end, route = self._segments
        span = np.linalg.norm(points[end] - points[start], axis=1)
        by_route = np.bincount(route, span, len(self.routes)) * self.route_weights(q)
        return np.bincount([i for i, _, _ in self.routes], by_route, len(self.lines))

    def length_rates(self, q, probe=1e-5):
        """Change of every length by every coordinate [m/rad], by central differences; error about 1e-10."""
        rates = np.empty((len(self.lines), len(self.coordinates)))
        for k, name in enumerate(self.coordinates):
            ahead = self.lengths({**q, name: q.get(name, 0.0) + probe})
            behind = self.lengths({**q, name: q.get(name, 0.0) - probe})
            rates[:, k] = (ahead - behind) / (2 * probe)
        return rates

    def potential(self, q, loads=()):
        """Potential energy of all weights and of loads (force [N], body, point) [N m]."""
        turn, place = self.pose(q)
        energy = 0.0
        for body in self.model.bodies:
            height = (turn[body.name] @ np.array(body.centre_of_mass) + place[body.name])[1]
            energy += self.model.gravity * body.mass * height
        for force, body, point in loads:
            energy += force * (turn[body] @ np.asarray(point) + place[body])[1]
        return energy

    def random_posture(self, rng, clear_of_blends):
        """All coordinates at random in their ranges; either no condition fades, or every condition does."""
        q = {c.full_name: rng.uniform(c.lowest, c.highest) for c in self.model.coordinates}
        blend = self.model.condition_blend
        edges = {}
        for muscle in self.model.muscles:
            for point in muscle.path:
                if point.condition:
                    edges.setdefault(point.condition, set()).update({point.condition_lowest, point.condition_highest})
        for c in self.model.coordinates:
            for_this = [e for e in edges.get(c.full_name, ()) if c.lowest <= e <= c.highest]
            if not clear_of_blends and for_this:
                q[c.full_name] = rng.choice(for_this) + rng.uniform(-blend, blend)
            while clear_of_blends and any(abs(q[c.full_name] - e) <= blend for e in for_this):
                q[c.full_name] = rng.uniform(c.lowest, c.highest)
        return q


class Engine:
    """The same bodies, hinges and paths in MuJoCo: one spatial tendon for every route."""

    def __init__(self, anatomy):
        self.anatomy = anatomy
        self.model = mujoco.MjModel.from_xml_string(self._xml())
        self.data = mujoco.MjData(self.model)
        self._joints = [self.model.joint(name) for name in anatomy.coordinates]
        self._routes = [self.model.tendon(f"route{r}").id for r in range(len(anatomy.routes))]

    def _xml(self):
        a = self.anatomy
        sites = {body: [] for body in a.bodies}
        for p, (b, local) in enumerate(zip(a.point_body, a.point_local, strict=True)):
            sites[a.bodies[b]].append(f'<site name="p{p}" pos="{_numbers(local)}"/>')

        def element(name):
            body = next(b for b in a.model.bodies if b.name == name)
            above = next((b for b in a.model.bodies if b.name == body.parent), None)
            at = np.subtract(a.joints[name].centre_neutral, above.origin_neutral if above else np.zeros(3))
            parts = [f'<body name="{name}" pos="{_numbers(at)}">']
            parts.append(f'<inertial pos="{_numbers(body.centre_of_mass)}" mass="{body.mass!r}" diaginertia="1 1 1"/>')
            for c in a.hinges[name]:
                parts.append(f'<joint name="{c.full_name}" type="hinge" axis="{_numbers(a.axis(c))}"/>')
            parts += sites[name]
            parts += [element(other.name) for other in a.model.bodies if other.parent == name]
            return "".join([*parts, "</body>"])

        tendons = "".join(
            f'<spatial name="route{r}">' + "".join(f'<site site="p{p}"/>' for p in kept) + "</spatial>"
            for r, (_, kept, _) in enumerate(a.routes)
        )
        return (
            f'<mujoco><compiler angle="radian" autolimits="false"/><option gravity="0 {-a.model.gravity!r} 0"/>'
            f"<worldbody>{element(a.bodies[0])}</worldbody><tendon>{tendons}</tendon></mujoco>"
        )

    def settle(self, q):
        """Move to joint coordinates."""
        for joint in self._joints:
            self.data.qpos[joint.qposadr[0]] = q.get(joint.name, 0.0)
        mujoco.mj_forward(self.model, self.data)

    def route_lengths(self):
        return self.data.ten_length[self._routes]

    def route_rates(self):
        """Change of the length of every route by every coordinate, in the order of the description."""
        m, d = self.model, self.data
        rates = np.zeros((m.ntendon, m.nv))
        for t in range(m.ntendon):
            entries = slice(m.ten_J_rowadr[t], m.ten_J_rowadr[t] + m.ten_J_rownnz[t])
            rates[t, m.ten_J_colind[entries]] = d.ten_J[entries]
        return rates[self._routes][:, [joint.dofadr[0] for joint in self._joints]]

    def weight_moments(self):
        """Moments of the weights about all coordinates [N m]."""
        return -self.data.qfrc_bias[[joint.dofadr[0] for joint in self._joints]]


def _numbers(values):
    return " ".join(repr(float(v)) for v in values)
