"""Free-body diagrams of every body of a result, from the Dataset and the model's description alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from tests.kernels.anatomy import STEP, Anatomy


@dataclass
class Wrench:
    """Force [N] and moment about a body's joint [N m], world frame."""

    force: np.ndarray
    moment: np.ndarray

    @classmethod
    def zero(cls):
        return cls(np.zeros(3), np.zeros(3))


class FreeBody:
    """All known forces of a result, body by body.

    What acts: weights and carried loads, the supports against them, elastic contacts with what they take off the
    supports, the pull of every fascicle at every point of its path, the push of the intra-abdominal pressure on
    diaphragm and pelvic floor along the line between them, ankle and knee actuators, the resistance of
    discs and of the tissue around hips and knees. Where a conditional point fades with a joint angle, the
    changing path does work on that angle, which is a couple between the two bodies of that joint.
    """

    def __init__(self, model, dataset, loads=(), reach=0.0, tissue_shift=None):
        """``loads`` [kg] by the names ``hand.right``, ``hand.left``, ``shoulder.right``, ``shoulder.left``, ``back``."""
        self.model, self.dataset, self.anatomy = model, dataset, Anatomy(model)
        self.loads, self.reach = dict(loads), reach
        self.tissue_shift = np.zeros(len(model.tissues)) if tissue_shift is None else tissue_shift
        self.stance = model.stances[dataset.attrs["stance"]]
        self.up = np.array(self.stance.up)
        self.q = self._joints()
        self.turn, self.place = self.anatomy.pose(self.q)
        self.known = {body: Wrench.zero() for body in self.anatomy.bodies}
        self.weights = list(self._weights())
        self.contacts = list(self._contacts())
        self.supports = list(self._supports())
        for body, force, point in (*self.weights, *self.contacts, *self.supports):
            self._push(body, force, point)
        self._ground_moments()
        self._muscles()

    # what the Dataset says about the posture

    def _joints(self):
        angle = {"pelvis.list": self.dataset.pelvic_list, "pelvis.turn": self.dataset.pelvic_turn}
        # the tilt of a result is taken in the sagittal plane of the pelvis, that of the joint before list and turn
        seen, aside, turn = (np.radians(float(self.dataset[f"{name}"])) for name in (
            "anterior_pelvic_tilt", "pelvic_list", "pelvic_turn"
        ))  # fmt: skip
        tilt = np.arctan((np.tan(seen) * np.cos(aside) + np.sin(aside) * np.sin(turn)) / np.cos(turn))
        angle["pelvis.tilt"] = np.degrees(tilt)
        for side in ("right", "left"):
            for motion in ("flexion", "adduction", "rotation"):
                angle[f"hip_{side[0]}.{motion}"] = self.dataset[f"hip_{motion}"].sel(side=side)
            angle[f"knee_{side[0]}.flexion"] = self.dataset.knee_flexion.sel(side=side)
        for level in self.dataset.level.values:
            for axis in self.dataset.axis.values:
                angle[f"{level}.{axis}"] = self.dataset.segment_angle.sel(level=level, axis=axis)
        return {name: np.radians(float(angle[name])) for name in self.anatomy.coordinates}

    # forces

    def _push(self, body, force, point):
        self.known[body].force += force
        self.known[body].moment += np.cross(point - self.place[body], force)

    def at(self, body, point):
        return self.turn[body] @ np.asarray(point) + self.place[body]

    def _weights(self):
        """Weights of bodies and carried loads, more or less than at rest in a cut of a movement."""
        gravity = self.model.gravity * self.stance.weight_factor * -self.up
        for body in self.model.bodies:
            if body.name not in self.stance.unweighted:
                centre = np.add(body.centre_of_mass, self.stance.shifts.get(body.name, (0.0, 0.0, 0.0)))
                yield body.name, body.mass * gravity, self.at(body.name, centre)
        for place, mass in self.loads.items():
            yield "thorax", mass * gravity, self.at("thorax", self._hangs(place))

    def _hangs(self, place):
        """Where a load hangs, in the frame of the thorax."""
        where, _, side = place.partition(".")
        if where == "back":
            return self.model.carry.pack
        x, y, z = self.model.hand.shoulder_right if where == "hand" else self.model.carry.strap_right
        return x + (self.reach if where == "hand" else 0.0), y, z if side == "right" else -z

    def _contacts(self):
        for contact in self.stance.contacts:
            force = float(self.dataset.contact_force.sel(contact=contact.name))
            yield contact.body, force * np.array(contact.normal), self.at(contact.body, contact.position)

    def depth(self, contact, height):
        """How deep a contact's point is in its surface, which stands at a height over the support centre [m]."""
        centre = sum(s.share * self.at(s.body, s.position) for s in self.stance.supports)
        return height - (self.at(contact.body, contact.position) - centre) @ np.array(contact.normal)

    def _ground_moments(self):
        """Moment of the ground on each foot: the ankle muscles shift the pressure under it."""
        known = {actuator.name: actuator for actuator in self.model.actuators}
        self.ankles = []
        self.actuated = dict.fromkeys(self.anatomy.coordinates, 0.0)
        for name in self.stance.actuators:
            actuator = known[name]
            moment = float(self.dataset.actuator_moment.sel(actuator=name))
            aside = moment if actuator.side == "right" else -moment
            # positive forward: about -z; positive to the leg's own side
            couple = {"lean": np.array([0.0, 0.0, -moment]), "sway": np.array([aside, 0.0, 0.0])}
            if actuator.coordinate in couple:
                self.ankles.append((couple[actuator.coordinate], actuator.coordinate, actuator.side[0]))
                self.known[f"shank_{actuator.side[0]}"].moment += couple[actuator.coordinate]
            else:
                self.actuated[actuator.coordinate] += moment

    def assumed_work(self, free):
        """Work in a free motion that the balance counts otherwise than the diagram [N m].

        The balance lets ankles act on lean and sway themselves, the diagram on the turn of the shank about the axes of
        the ground; the balance splits the support as the stance does, the diagram as the weights pass between the
        feet. Neither differs while the pelvis neither lists nor turns.
        """
        work = 0.0
        for couple, coordinate, side in self.ankles:
            turn, _ = self._motion(free, f"shank_{side}", self.place[f"shank_{side}"])
            ideal = {"lean": -couple[2], "sway": couple[0] if side == "r" else -couple[0]}[coordinate]
            work += (ideal if free.name == coordinate else 0.0) - couple @ turn
        total = sum(force for _, force, _ in self.supports)
        for support, (body, force, point) in zip(self.stance.supports, self.supports, strict=True):
            _, moved = self._motion(free, body, point)
            work += (support.share * total - force) @ moved
        return work

    def _motion(self, free, body, point):
        """Turn of a body and velocity of a point of it in a free motion of the stance, world frame."""
        turn, moved = np.zeros(3), np.zeros(3)
        while body:
            for name, axis in self.axes(body).items():
                turn += free.moves.get(name, 0.0) * axis
                moved += free.moves.get(name, 0.0) * np.cross(axis, point - self.place[body])
            body = next(b.parent for b in self.model.bodies if b.name == body)
            body = body if body in self.anatomy.bodies else ""
        return turn, moved

    def _supports(self):
        """Force at every support: the weights less the contacts, split by where the weights pass between the sides."""
        total = sum(force for _, force, _ in self.weights)
        self.weight = np.linalg.norm(total)
        share = {support.name: support.share for support in self.stance.supports}
        if len(share) == 2:
            centre = sum((force @ -self.up) * point for _, force, point in self.weights)[2] / self.weight
            z = {s.side: self.at(s.body, s.position)[2] for s in self.stance.supports}
            right = (centre - z["left"]) / (z["right"] - z["left"])
            share = {s.name: right if s.side == "right" else 1.0 - right for s in self.stance.supports}
        rest = -total - sum(force for _, force, _ in self.contacts)
        for s in self.stance.supports:
            yield s.body, share[s.name] * rest, self.at(s.body, s.position)

    def _muscles(self):
        a = self.anatomy
        points = np.array([self.at(a.bodies[b], p) for b, p in zip(a.point_body, a.point_local, strict=True)])
        self.points = points
        pull = np.zeros_like(points)
        push = 1e3 * float(self.dataset.intra_abdominal_pressure) * self.model.abdomen.area  # kPa
        tension = np.append(self.dataset.muscle_force.values, -push)
        spans = []
        for (i, kept, _), share in zip(a.routes, a.route_weights(self.q), strict=True):
            span = 0.0
            for start, end in itertools.pairwise(kept):
                line = points[end] - points[start]
                length = np.linalg.norm(line)
                span += length
                pull[start] += share * tension[i] * line / length
                pull[end] -= share * tension[i] * line / length
            spans.append(span)
        for p, b in enumerate(a.point_body):
            self._push(a.bodies[b], pull[p], points[p])
        for (i, _, conditions), span in zip(a.routes, spans, strict=True):
            for point, used in conditions:
                rate = self._fading(point) * (1.0 if used else -1.0)
                self._couple(point.condition, -tension[i] * span * rate)

    def _fading(self, point):
        """Change of the weight of a conditional point by its coordinate."""
        blend, slope = self.model.condition_blend, STEP.deriv()
        x = (self.q[point.condition] - point.condition_lowest + blend) / (2 * blend)
        y = (point.condition_highest + blend - self.q[point.condition]) / (2 * blend)
        inside = [0.0 < v < 1.0 for v in (x, y)]
        up, down = (float(STEP(min(max(v, 0.0), 1.0))) for v in (x, y))
        return ((slope(x) if inside[0] else 0.0) * down - up * (slope(y) if inside[1] else 0.0)) / (2 * blend)

    def _couple(self, coordinate, moment):
        """A moment about one hinge from the parent on the child, with its opposite on the parent."""
        child = next(b for b, j in self.anatomy.joints.items() if j.name == coordinate.split(".")[0])
        if moment:
            vector = self.joint_moment(child, {coordinate: moment})
            self.known[child].moment += vector
            self.known[self.anatomy.joints[child].parent].moment -= vector

    # joints

    def axes(self, body):
        """World axes of the hinges of a body's joint."""
        hinges = self.anatomy.hinges[body]
        found = {}
        for k, hinge in enumerate(hinges):
            later = {h.full_name: 0.0 for h in hinges[k:]}
            frame, _ = self.anatomy.pose({**self.q, **later})
            found[hinge.full_name] = frame[body] @ self.anatomy.axis(hinge)
        return found

    def joint_moment(self, body, about):
        """The moment vector whose components along the hinge axes are given; the least one for fewer than three."""
        axes = self.axes(body)
        rows = np.array(list(axes.values()))
        return np.linalg.lstsq(rows, np.array([about.get(name, 0.0) for name in axes]), rcond=None)[0]

    def disc_moments(self, level, preload):
        """Moments of a disc on the upper vertebra about its hinges, transcribed from the law."""
        zone = self.model.neutral_zone
        moments = {}
        for axis in ("flexion", "bend", "turn"):
            angle = self.q[f"{level}.{axis}"]
            rows = {}
            for law in self.model.disc_laws:
                if law.level == level and law.coordinate == axis:
                    rows.setdefault(law.direction, {})[law.preload] = np.array([law.c1, law.c2, law.c3])
            plus, minus = (
                np.array([np.interp(preload, sorted(r), [r[p][c] for p in sorted(r)]) for c in range(3)])
                for r in (rows["positive"], rows["negative"])
            )
            side = np.tanh(angle / zone.blend)
            c1, c2, c3 = 0.5 * (plus + minus) + 0.5 * (plus - minus) * side
            soft = zone.fraction + (1 - zone.fraction) * (1 - np.exp(-((angle / zone.width) ** 2)))
            moments[f"{level}.{axis}"] = -(c1 * soft * angle + c2 * side * angle**2 + c3 * angle**3)
        return moments

    def tissue_moments(self):
        """Moments of the tissue around hips and knees about their hinges."""
        moments = dict.fromkeys(self.anatomy.coordinates, 0.0)
        for tissue, shift in zip(self.model.tissues, self.tissue_shift, strict=True):
            second = tissue.coupling * self.q[tissue.second] if tissue.second else 0.0
            own = tissue.amplitude * np.exp(tissue.rate * (self.q[tissue.coordinate] - shift) + second)
            moments[tissue.coordinate] += own
            if tissue.second:
                moments[tissue.second] += tissue.coupling / tissue.rate * own
        return moments

    def disc_force(self, level):
        """Force on the upper vertebra through a disc, from the compression and shears of the Dataset."""
        joint = next(j for j in self.model.joints if j.name == level)
        frame = self.turn[joint.parent] @ Rotation.from_euler("z", joint.frame_angle).as_matrix()
        at = self.dataset.sel(level=level)
        on_lower = frame @ [float(at.shear_anterior), -float(at.compression), float(at.shear_lateral)]
        return -on_lower

    def residuals(self, preload):
        """What is left on every body when every joint passes on what the result says it does.

        Returns
        -------
        force, moment : dict by body
            Remaining force [N] and moment [N m] of the spine's bodies and the pelvis. The legs are cut at hip and
            knee, whose forces follow from them.
        hinges : dict by coordinate
            Moment [N m] that hips, knees and the ground must give about each hinge beyond tissue, muscles and
            actuators.
        hip_force : dict by side
            Magnitude of the force in each hip [N].
        """
        force = {body: wrench.force.copy() for body, wrench in self.known.items()}
        moment = {body: wrench.moment.copy() for body, wrench in self.known.items()}

        def pass_on(child, joint_force, joint_moment):
            parent = self.anatomy.joints[child].parent
            force[child] += joint_force
            moment[child] += joint_moment
            force[parent] -= joint_force
            moment[parent] -= joint_moment + np.cross(self.place[child] - self.place[parent], joint_force)

        for level in self.model.levels:
            child = next(j.child for j in self.model.joints if j.name == level)
            pass_on(child, self.disc_force(level), self.joint_moment(child, self.disc_moments(level, preload)))
        tissue, hinges, hip_force = self.tissue_moments(), {}, {}
        for side, name in (("r", "right"), ("l", "left")):
            for body in (f"shank_{side}", f"femur_{side}"):
                needed_force, needed_moment = -force[body], -moment[body]
                for coordinate, axis in self.axes(body).items():
                    hinges[coordinate] = axis @ needed_moment - tissue[coordinate] - self.actuated[coordinate]
                pass_on(body, needed_force, needed_moment)
            hip_force[name] = np.linalg.norm(needed_force)
        for coordinate, axis in self.axes("pelvis").items():
            hinges[coordinate] = -axis @ moment["pelvis"]
        return force, moment, hinges, hip_force
