"""Elastic contacts, and the energy from which weights and contacts get their moments in every stance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import spence

from spinesim.kernels import gravity
from spinesim.kernels.chain import forward
from spinesim.kernels.contact import _press, contact_moments
from spinesim.model.read import load_model
from tests.kernels.scene import differences, random_free, scene

press = _press.py_func  # only kernels call the compiled one
STANCES = tuple(load_model("adult").stances)
PRESSED = tuple(name for name, stance in load_model("adult").stances.items() if stance.contacts)
SETTINGS = {
    "load.hand.right": 5,
    "load.shoulder.left": 4,
    "load.back": 7,
    "load.reach": 0.2,
    "leg_length.left": 12,
    "bed.sag": 25,
    "backrest.forward": 15,
}


def energy(s, adult, anatomy, posture):
    """Potential energy [N m] of weights, loads and contacts, which the supports lift and press by equal forces."""
    description = adult.stances[s.packed.stance.name]
    up = np.array(description.up)
    turn, place = anatomy.pose(posture)

    def at(body, point):
        return turn[body] @ np.asarray(point) + place[body]

    centre = sum(p.share * at(p.body, p.position) for p in description.supports)
    total = 0.0
    for body in adult.bodies:
        if body.name not in description.unweighted:
            point = np.add(body.centre_of_mass, description.shifts.get(body.name, (0.0, 0.0, 0.0)))
            force = description.weight_factor * adult.gravity * body.mass
            total += force * up @ (at(body.name, point) - centre)
    for force, point in zip(s.cases.load[0], s.cases.load_point[0], strict=True):
        total += force * up @ (at("thorax", point) - centre)
    for contact, height in zip(description.contacts, s.cases.contact_height[0], strict=True):
        depth = height - np.array(contact.normal) @ (at(contact.body, contact.position) - centre)
        total += stored(depth, contact.stiffness, contact.blend)
    return total


def stored(depth, stiffness, blend):
    """Energy of a contact: its force k w log(1 + exp(d / w)) integrated from far above, -k w^2 Li2(-exp(d / w))."""
    return -stiffness * blend**2 * spence(1.0 + np.exp(depth / blend))


def with_nothing_but_weight_and_contact(s):
    """The scene's moments less those of discs, tissue, muscles and the pressure."""

    def moments(free):
        s.configure(free)
        w, moment = s.work, np.zeros(s.work.q.size)
        gravity.add_turning(w.axes, w.leverage, s.stance.up, 1.0, moment)
        contact_moments(s.model, s.stance, s.stance.support_share, s.cases.contact_height[0], w, moment)
        return s.rates.T @ moment

    return moments


@pytest.mark.parametrize("stance", STANCES)
def test_moments__of_weights_and_contacts_are_minus_the_change_of_their_energy(adult, anatomy, stance):
    s = scene(adult, stance, SETTINGS)
    moments = with_nothing_but_weight_and_contact(s)
    for seed in range(2):
        free = random_free(s, np.random.default_rng(seed), 0.7)
        change = differences(lambda u: energy(s, adult, anatomy, s.joints(u)), free)
        # over 1e-5 rad the soft beginning of a contact bends by some 1e-8 of its force
        assert moments(free) == pytest.approx(-change, abs=1e-6 + 1e-7 * np.abs(change).max()), seed


@pytest.mark.parametrize("stance", STANCES)
def test_tangent__is_minus_the_change_of_all_moments_in_every_stance(adult, stance):
    """Random posture, random activations: also where contacts press and a strength scales an actuator."""
    s = scene(adult, stance, SETTINGS | {"strength.quadriceps.left": 0.7, "tightness.hamstrings.right": 10})
    rng = np.random.default_rng(len(stance))
    free = random_free(s, rng, 0.8)
    activation = rng.uniform(0.0, 1.0, s.stance.cost.size)
    change = differences(lambda u: s.moments(u, activation), free)
    s.configure(free)
    stiffness = s.tangent(activation)
    assert stiffness == pytest.approx(stiffness.T, abs=1e-9 * np.abs(stiffness).max())
    assert stiffness == pytest.approx(-change, abs=1e-6 * np.abs(change).max())


@pytest.mark.parametrize("stance", PRESSED)
def test_contact__presses_by_how_deep_its_point_is_in_its_surface(adult, anatomy, stance):
    s = scene(adult, stance, SETTINGS)
    description, free = adult.stances[stance], random_free(s, np.random.default_rng(4))
    s.configure(free)
    posture = s.joints(free)
    centre = sum(p.share * anatomy.world(posture, p.body, p.position) for p in description.supports)
    for c, contact in enumerate(description.contacts):
        raised = {"bed": SETTINGS["bed.sag"], "backrest": SETTINGS["backrest.forward"], "harness": 0}[contact.surface]
        height = contact.height + raised / 1e3
        assert s.cases.contact_height[0, c] == pytest.approx(height, abs=1e-15)
        expected = height - (anatomy.world(posture, contact.body, contact.position) - centre) @ contact.normal
        pressing = contact.stiffness * contact.blend * np.logaddexp(0.0, expected / contact.blend)
        assert s.work.pressing[c] == pytest.approx(pressing, rel=1e-12)


@given(
    depth=st.floats(-1.0, 1.0), stiffness=st.floats(1.0, 1e6), blend=st.floats(1e-4, 0.05), step=st.floats(1e-6, 0.1)
)
def test_press__never_pulls_and_only_stiffens_with_depth(depth, stiffness, blend, step):
    force, slope = press(depth, stiffness, blend)
    deeper, _ = press(depth + step, stiffness, blend)
    assert force >= 0.0
    assert deeper >= force
    assert 0.0 <= slope <= stiffness
    # never less than the spring itself, never more than its soft beginning adds
    spring = stiffness * max(depth, 0.0)
    assert spring * (1 - 1e-12) <= force <= spring + stiffness * blend * np.log(2.0) * (1 + 1e-12)


@given(
    depth=st.floats(0.0, 1.0).map(lambda x: 0.05 * 40 + x), stiffness=st.floats(1.0, 1e6), blend=st.floats(1e-4, 0.05)
)
def test_press__is_a_spring_where_it_is_deep(depth, stiffness, blend):
    assert press(depth, stiffness, blend) == pytest.approx((stiffness * depth, stiffness), rel=1e-15)


@given(x=st.floats(-30.0, 30.0), stiffness=st.floats(1.0, 1e6), blend=st.floats(1e-4, 0.05))
def test_press__slope_is_the_change_of_the_force(x, stiffness, blend):
    depth, probe = x * blend, 1e-4 * blend
    change = (press(depth + probe, stiffness, blend)[0] - press(depth - probe, stiffness, blend)[0]) / (2 * probe)
    assert press(depth, stiffness, blend)[1] == pytest.approx(change, rel=1e-5, abs=1e-9 * stiffness)


@pytest.mark.parametrize(
    ("stance", "hinge"),
    [("supine", "T12_L1.flexion"), ("prone", "T12_L1.flexion"), ("side_lying_left", "T12_L1.bend")],
)
@pytest.mark.parametrize("contact", ["last", "all"])
def test_block_on_a_bed__rests_where_the_bed_gives_its_share_of_the_weight(adult, anatomy, stance, hinge, contact):
    """The thorax, hinged below and with nothing else to hold it, is a lever on springs."""
    s = scene(adult, stance)
    count = s.stance.contact_body.size
    kept = {"last": [count - 1], "all": list(range(count))}[contact]
    soft = s.stance._replace(contact_stiffness=np.where(np.isin(np.arange(count), kept), s.stance.contact_stiffness, 0))
    k, up = s.packed.packed.coordinates.index(hinge), np.array(adult.stances[stance].up)
    w, q, height = s.work, s.stance.offset.copy(), s.cases.contact_height[0]

    def moment(angle):
        q[k] = angle
        forward(s.model, q, w.turn, w.place, w.axes, w.centres)
        gravity.weights(
            s.model, soft, soft.support_share, s.cases.load[0], s.cases.load_point[0],
            w.turn, w.place, w.centres, w.leverage, w.centre,
        )  # fmt: skip
        total = np.zeros(q.size)
        gravity.add_turning(w.axes, w.leverage, soft.up, 1.0, total)
        contact_moments(s.model, soft, soft.support_share, height, w, total)
        return total[k]

    # where the bed begins to press, the lever is steady: between its far sides it has one place of rest
    rest = [angle for angle in np.linspace(-0.6, 0.6, 241) if moment(angle) > 0.0 >= moment(angle + 0.005)]
    assert len(rest) == 1, rest
    moment(brentq(moment, rest[0], rest[0] + 0.005, xtol=1e-15))
    posture = dict(zip(s.packed.packed.coordinates, q.tolist(), strict=True))
    joint = anatomy.world(posture, "thorax", (0.0, 0.0, 0.0))
    axis = w.axes[k]

    def lever(point):
        return np.cross(axis, anatomy.world(posture, "thorax", point) - joint) @ up

    thorax = next(body for body in adult.bodies if body.name == "thorax")
    points = [c.position for c in adult.stances[stance].contacts]
    given = sum(w.pressing[c] * lever(points[c]) for c in kept)
    assert given == pytest.approx(thorax.mass * adult.gravity * lever(thorax.centre_of_mass), rel=1e-8)
    if contact == "last":  # one spring: its force is the weight by the ratio of the levers
        share = lever(thorax.centre_of_mass) / lever(points[-1])
        assert w.pressing[-1] == pytest.approx(share * thorax.mass * adult.gravity, rel=1e-8)
        assert 0.2 < share < 0.8
