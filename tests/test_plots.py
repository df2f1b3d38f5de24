"""Figures and captions, from made-up results whose numbers are known."""

import itertools
import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.text import Text
from PIL import Image

from spinesim import plots
from spinesim.errors import InputError, ResultsFileError
from spinesim.plots import KINDS, caption, figure, save
from spinesim.plots.body import activation_limit, muscle_segments, points_of, shapes_of, vertebra
from spinesim.plots.cases import choose, ends_and_middle
from spinesim.plots.maps import edges
from spinesim.plots.overlay import look, spread
from spinesim.plots.stances import sides
from spinesim.plots.style import ACTIVATION, HATCHES, SERIES, UNSOLVED_MARKS, VALUES, level_name
from tests.synthetic import (
    synthetic_case,
    synthetic_comparison,
    synthetic_confusion,
    synthetic_course,
    synthetic_doses,
    synthetic_sensitivity,
    synthetic_sweep,
)

TIGHT, WEAK = "tightness.hip_flexors", "strength.gluteals"
DEGREES = list(range(0, 31, 3))


@pytest.fixture(scope="module")
def case() -> xr.Dataset:
    return synthetic_case(1.0)


@pytest.fixture(scope="module")
def line() -> xr.Dataset:
    return synthetic_sweep({TIGHT: DEGREES}, pictures=True)


@pytest.fixture(scope="module")
def grid() -> xr.Dataset:
    failed = {(6, 4): "infeasible", (6, 3): "infeasible", (5, 4): "not_converged"}
    return synthetic_sweep({TIGHT: range(0, 31, 5), WEAK: [1, 0.8, 0.6, 0.4, 0.2]}, failed=failed)


@pytest.fixture
def dataset(request, case, line, grid):
    kind = request.getfixturevalue("kind")
    if kind in NO_CASES:
        return NO_CASES[kind]()
    return {2: grid, 1: line}.get((KINDS[kind].axes or (0,))[0], case)


#: What draws no case of a body, and what it draws.
NO_CASES = {
    "confusion": synthetic_confusion,
    "tornado": synthetic_sensitivity,
    "sobol": synthetic_sensitivity,
    "forest": synthetic_comparison,
    "time_course": synthetic_comparison,
    "responders": synthetic_comparison,
    "pareto": synthetic_doses,
}

every_kind = pytest.mark.parametrize("kind", list(KINDS))


def texts_of(whole: Figure) -> list[Text]:
    """What can be read in the drawn figure."""
    whole.draw_without_rendering()
    unseen = set()  # ticks that matplotlib keeps beyond the ends of an axis
    for axis in whole.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        unseen |= {tick.label1 for tick in axis.get_major_ticks() if not low - 1e-9 <= tick.get_loc() <= high + 1e-9}
    return [
        text for text in whole.findobj(Text) if text.get_visible() and text.get_text().strip() and text not in unseen
    ]


def legend_of(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def names_in(ax) -> list[str]:
    """Names written beside the lines, from below."""
    return [text.get_text() for text in ax.texts if text.get_text()]


def leaders(ax) -> dict[str, tuple[float, float]]:
    """End of the line that each name points at."""
    return dict(zip(names_in(ax), [text.xy for text in ax.texts if not text.get_text()], strict=True))


def words_of(whole: Figure) -> str:
    return " | ".join(text.get_text() for text in texts_of(whole))


# How figures look


@every_kind
def test_figure__has_labelled_axes(kind, dataset):
    ax = figure(kind, dataset).axes[0]
    assert ax.get_xlabel()
    named_rows = [label.get_text() for label in ax.get_yticklabels() if label.get_text()]
    assert ax.get_ylabel() or "hip flexors" in named_rows
    units = re.findall(r"\[(deg|N|m|mm|mm²|mmHg)\]", ax.get_xlabel() + ax.get_ylabel())
    assert units or kind in ("cocontraction", "confusion", "sobol")  # activations, names and shares have no unit


@every_kind
def test_figure__texts_are_large_and_do_not_overlap(kind, dataset):
    whole = figure(kind, dataset)
    texts = texts_of(whole)
    assert all(text.get_fontsize() >= 8 for text in texts)
    boxes = [(text, text.get_window_extent().padded(-0.5)) for text in texts]
    hits = [(a.get_text(), b.get_text()) for (a, p), (b, q) in itertools.combinations(boxes, 2) if p.overlaps(q)]
    assert not hits


@pytest.mark.parametrize(("kind", "options"), [*((kind, {}) for kind in KINDS), ("foramen_area", {"change": True})])
@pytest.mark.parametrize("count", [2, 3])
def test_figure__panels_do_not_overlap_either(kind, options, count, dataset, line):
    shown = line if options else dataset
    words = ["first run", "second run", "third run"][:count]
    whole = figure(kind, [shown] * count, titles=words, **options)
    boxes = [(text, text.get_window_extent().padded(-0.5)) for text in texts_of(whole)]
    hits = [(a.get_text(), b.get_text()) for (a, p), (b, q) in itertools.combinations(boxes, 2) if p.overlaps(q)]
    assert not hits
    if KINDS[kind].together:
        assert names_in(whole.axes[0]) == words
        return
    headings = [ax.get_legend().get_title().get_text() for ax in whole.axes if ax.get_legend()]
    assert [heading for heading in headings if heading] == words


@every_kind
def test_save__svg_keeps_text_at_reading_size_and_the_caption(kind, dataset, tmp_path):
    words = caption(kind, dataset)
    text = save(figure(kind, dataset), tmp_path / "figure.svg", words).read_text(encoding="utf-8")
    sizes = [float(size) for size in re.findall(r"font:[^;\"]*?([\d.]+)px", text)]
    sizes += [float(size) for size in re.findall(r"font-size: ?([\d.]+)px", text)]
    assert sizes
    assert min(sizes) >= 8
    assert words[:40] in text


@every_kind
def test_save__png_carries_the_caption_and_the_same_figure_gives_the_same_file(kind, dataset, tmp_path):
    words = caption(kind, dataset)
    first = save(figure(kind, dataset), tmp_path / "first.png", words)
    second = save(figure(kind, dataset), tmp_path / "second.png", words)
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert image.text["Description"] == words
        assert image.info["dpi"][0] == pytest.approx(200, abs=0.1)


@every_kind
def test_kind__draws_on_given_axes_and_makes_its_own(kind, dataset):
    import matplotlib.pyplot as plt

    ax = figure(kind, dataset).axes[0]
    given = Figure(layout="constrained").subplots()
    assert KINDS[kind].draw(dataset, given) is given
    own = KINDS[kind].draw(dataset)
    plt.close(own.figure)
    assert own.get_xlabel() == given.get_xlabel() == ax.get_xlabel()


def _lightness(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_series__differ_without_colour():
    assert len({(dashes, marker) for _, dashes, marker in SERIES}) == len(SERIES)
    assert len({marker for _, _, marker in SERIES}) == len(SERIES)


def test_activation_colours__get_darker_all_the_way_from_light_grey():
    light = [_lightness(to_hex(ACTIVATION(x))) for x in np.linspace(0, 1, 50)]
    assert np.all(np.diff(light) < 0)
    red, green, blue, _ = ACTIVATION(0.0)
    assert red == green == blue > 0.8


# Tilt and lordosis


def test_tilt_and_lordosis__draws_changes_from_the_first_case(line):
    ax = plots.tilt_and_lordosis(line, Figure().subplots())
    tilt, lordosis = ax.lines[:2]
    np.testing.assert_allclose(tilt.get_ydata(), np.linspace(0, 3, len(DEGREES)))
    np.testing.assert_allclose(lordosis.get_ydata(), np.linspace(0, 4, len(DEGREES)), atol=1e-12)
    assert legend_of(ax) == ["anterior pelvic tilt, from 0.0 deg", "lumbar lordosis, from 57.7 deg"]
    assert ax.get_xlabel() == f"{TIGHT} [deg]"


def test_tilt_and_lordosis__caption_gives_change_and_rate(line):
    assert caption("tilt_and_lordosis", line, titles=["standing"]) == (
        "standing: anterior pelvic tilt rises by 3.0 deg (0.10 deg per deg) and lumbar lordosis rises by 4.0 deg "
        "(0.13 deg per deg) from tightness.hip_flexors = 0 deg to 30 deg."
    )


def test_tilt_and_lordosis__small_changes_are_called_small(line):
    flat = line.copy(deep=True)
    flat["anterior_pelvic_tilt"] *= 0.01
    words = caption("tilt_and_lordosis", flat)
    assert words.startswith("Anterior pelvic tilt changes by less than 0.05 deg and lumbar")


def test_tilt_and_lordosis__marks_and_tells_what_has_no_solution():
    sweep = synthetic_sweep({TIGHT: DEGREES}, failed={(9,): "not_converged", (10,): "infeasible", (4,): "infeasible"})
    ax = plots.tilt_and_lordosis(sweep, Figure().subplots())
    marks = {drawn.get_label(): list(drawn.get_xdata()) for drawn in ax.lines}
    assert marks["no solution: infeasible (2)"] == [12, 30]
    assert marks["no solution: not converged (1)"] == [27]
    assert np.isnan(ax.lines[0].get_ydata()[[4, 9, 10]]).all()
    words = caption("tilt_and_lordosis", sweep)
    assert "to 24 deg." in words
    assert words.endswith("3 of 11 cases have no solution (2 infeasible, 1 not converged).")


def test_tilt_and_lordosis__unstable_cases_are_marked_like_other_unsolved_ones():
    sweep = synthetic_sweep({TIGHT: DEGREES}, failed={(10,): "unstable"})
    ax = plots.tilt_and_lordosis(sweep, Figure().subplots())
    marks = {drawn.get_label(): list(drawn.get_xdata()) for drawn in ax.lines}
    assert marks["no solution: unstable (1)"] == [30]
    assert caption("tilt_and_lordosis", sweep).endswith("1 of 11 cases have no solution (1 unstable).")


def test_tilt_and_lordosis__of_nothing_solved_is_still_a_figure():
    sweep = synthetic_sweep({TIGHT: [0, 10]}, failed={(0,): "infeasible", (1,): "infeasible"})
    assert "no solution: infeasible (2)" in words_of(figure("tilt_and_lordosis", sweep))
    assert caption("tilt_and_lordosis", sweep).startswith("Fewer than two cases are solved. 2 of 2")


def test_tilt_and_lordosis__marks_a_jump_and_a_second_branch(line):
    jumping = line.copy(deep=True)
    jumping["anterior_pelvic_tilt"][7:] += 2.0
    jumping["branch"][7:] = 1.0
    ax = plots.tilt_and_lordosis(jumping, Figure().subplots())
    drawn = {each.get_label(): each for each in ax.lines}
    assert drawn["jump"].get_xdata()[0] == 19.5
    assert list(drawn["another solution exists"].get_xdata()) == [21, 24, 27, 30]
    words = caption("tilt_and_lordosis", jumping)
    assert "The anterior pelvic tilt jumps by +2.30 deg between 18 and 21 deg." in words
    assert (
        "4 of the 11 solved cases are marked: there, or at the end of their chain of solves, another solution" in words
    )


def test_tilt_and_lordosis__tells_when_the_curve_turns_back(line):
    turning = line.copy(deep=True)
    turning["lumbar_lordosis"][8:] = [59.0, 58.0, 57.0]
    assert "The lumbar lordosis turns back on the way, between 57.0 and 60.5." in caption("tilt_and_lordosis", turning)


def test_tilt_and_lordosis__runs_from_healthy_to_weak():
    sweep = synthetic_sweep({WEAK: [1.0, 0.6, 0.2]})
    ax = plots.tilt_and_lordosis(sweep, Figure().subplots())
    assert ax.get_xlim() == (1.0, 0.2)
    assert caption("tilt_and_lordosis", sweep).endswith("from strength.gluteals = 1 to 0.2.")


def test_tilt_and_lordosis__wants_one_axis(case, grid):
    with pytest.raises(InputError, match=r"one sweep axis and the result has 2 \(tightness.*with 'case'"):
        figure("tilt_and_lordosis", grid)
    with pytest.raises(InputError, match="one sweep axis and the result has 0"):
        caption("tilt_and_lordosis", case)
    chosen = figure("tilt_and_lordosis", grid, case={WEAK: 0.6})
    assert "strength.gluteals = 0.6" in words_of(chosen)


# Muscles


def test_muscle_groups__sums_by_group_and_side(case):
    ax = plots.muscle_groups(case, Figure().subplots(), healthy=synthetic_case(0.0))
    assert legend_of(ax) == ["left", "healthy", "right"]
    bars = {container.get_label(): [bar.get_width() for bar in container] for container in ax.containers}
    assert bars["left"] == [20] * 6
    assert bars["right"] == [25, 20, 20, 20, 20, 20]
    assert bars["healthy"] == [10] * 6
    assert {bar.get_hatch() for bar in ax.containers[0]} != {bar.get_hatch() for bar in ax.containers[2]}


def test_muscle_groups__caption_names_strongest_asymmetry_and_change(case):
    assert caption("muscle_groups", case, healthy=synthetic_case(0.0)) == (
        "The hip flexors pull hardest, 45 N in sum; the largest difference between the sides is 5 N more on the right "
        "in the hip flexors; against healthy the hip flexors change most, by +25 N."
    )
    assert "left and right pull alike" in caption("muscle_groups", synthetic_case(0.0))


def test_muscle_groups__of_a_sweep_shows_the_case_asked_for(line):
    whole = figure("muscle_groups", line, case={TIGHT: 14})
    assert "tightness.hip_flexors = 15 deg" in words_of(whole)
    assert [bar.get_width() for bar in whole.axes[0].containers[0]] == [15] * 6
    assert "tightness.hip_flexors = 30 deg" in words_of(figure("muscle_groups", line))


def test_muscle_groups__panels_have_the_same_order(case):
    whole = figure("muscle_groups", [case, case])
    for ax in whole.axes:
        assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert whole.axes[0].get_yticklabels()[0].get_text() == "hip flexors"


# Discs and foramina


def test_disc_loads__draws_ends_and_middle(line):
    ax = plots.disc_loads(line, Figure().subplots())
    curves = [list(drawn.get_xdata()) for drawn in ax.lines if len(drawn.get_xdata()) == 6]
    assert curves[0] == [500 - 20 * i for i in range(6)]
    assert curves[4] == [600 - 20 * i for i in range(6)]
    assert curves[1] == curves[3] == curves[5] == [80 - 30 * i for i in range(6)]
    assert [label.get_text() for label in ax.get_yticklabels()][:2] == ["L5/S1", "L4/L5"]
    assert legend_of(ax)[:3] == [f"{TIGHT} = {value} deg" for value in (0, 15, 30)]


def test_disc_loads__caption_gives_the_change(line, case):
    assert caption("disc_loads", line) == (
        "L5/S1 is compressed most, by 600 N (tightness.hip_flexors = 30 deg) against 500 N (tightness.hip_flexors = "
        "0 deg), a change of +20.0 %; the largest anterior shear is +80 N at L5/S1."
    )
    assert "600 N (this case) against 500 N (healthy)" in caption("disc_loads", case, healthy=synthetic_case(0.0))


def test_foramen_area__draws_both_sides_beside_each_other(case):
    ax = plots.foramen_area(case, Figure().subplots(), healthy=synthetic_case(0.0))
    drawn = [each for each in ax.lines if len(each.get_xdata()) == 5]
    np.testing.assert_allclose(drawn[2].get_xdata(), 0.95 * (100 + 10 * np.arange(5)))
    np.testing.assert_allclose(drawn[3].get_xdata(), 0.98 * (100 + 10 * np.arange(5)))
    assert np.all(drawn[2].get_ydata() > drawn[3].get_ydata())
    assert "L4/L5 (root L4)" in [label.get_text() for label in ax.get_yticklabels()]
    assert "foramen area [mm²]" in ax.get_xlabel()


def test_foramen_area__change_is_against_healthy_or_the_first_case(case, line):
    for dataset, options in ((case, {"healthy": synthetic_case(0.0)}), (line, {})):
        ax = plots.foramen_area(dataset, Figure().subplots(), change=True, **options)
        drawn = [each for each in ax.lines if len(each.get_xdata()) == 5]
        np.testing.assert_allclose(drawn[-2].get_xdata(), -5.0)
        np.testing.assert_allclose(drawn[-1].get_xdata(), -2.0)
        assert "[%]" in ax.get_xlabel()
    with pytest.raises(InputError, match="needs a healthy result or a sweep"):
        figure("foramen_area", case, change=True)


def test_foramen_area__caption_gives_smallest_and_largest_change(line):
    assert caption("foramen_area", line) == (
        "The smallest foramen is L5/S1 right, 95 mm² (tightness.hip_flexors = 30 deg); from tightness.hip_flexors = "
        "0 deg to tightness.hip_flexors = 30 deg the area changes most at L5/S1 right, by -5.0 %."
    )


# Body


def test_body__draws_every_piece_of_every_muscle_path(case):
    pieces, values = muscle_segments(case, "sagittal")
    assert len(pieces) == len(case["path_point"]) - len(case["muscle"])
    assert np.all(np.diff(values) >= 0)
    ax = plots.body_sagittal(case, Figure().subplots())
    (lines,) = [each for each in ax.collections if isinstance(each, LineCollection)]
    assert len(lines.get_segments()) == len(pieces)
    assert to_hex(lines.get_colors()[0]) == to_hex(ACTIVATION(0.0))
    assert ax.get_aspect() == 1


def test_body__bones_stand_where_the_landmarks_are(case):
    points = points_of(case["bone_position"])
    corners = vertebra(points, "L4", "sagittal")
    np.testing.assert_array_equal(corners[0], points["L4_sup_ant"])
    wide = vertebra(points, "L4", "frontal")
    depth = np.linalg.norm(points["L4_sup_ant"] - points["L4_sup_post"])
    np.testing.assert_allclose(np.linalg.norm(wide[0] - wide[1]), depth)
    assert wide[0, 2] > 0 > wide[1, 2]
    outlines = [shape for shape, closed in shapes_of(case["bone_position"], "sagittal") if closed]
    assert len(outlines) == 8  # six vertebrae, two hip bones


def test_body__hip_joint_may_be_known_as_hip_centre(case):
    renamed = case["bone_position"].copy()
    renamed["bone_point"] = [name.replace("hip_r", "hip_centre_r") for name in renamed["bone_point"].values]
    assert "hip_r" in points_of(renamed)


def test_body__of_an_unknown_model_joins_the_points_of_each_body():
    position = xr.DataArray(
        np.arange(12.0).reshape(4, 3),
        dims=("bone_point", "xyz"),
        coords={"bone_point": ["a", "b", "c", "d"], "bone_body": ("bone_point", ["trunk", "trunk", "leg", "leg"])},
    )
    shapes = shapes_of(position, "sagittal")
    assert [(shape.tolist(), closed) for shape, closed in shapes] == [
        ([[0, 1, 2], [3, 4, 5]], False),
        ([[6, 7, 8], [9, 10, 11]], False),
    ]


def test_body__ghost_and_arrows(case):
    whole = figure("body_sagittal", case, region="lumbar", arrows=True)
    assert "healthy" in legend_of(whole.axes[0])
    words = words_of(whole)
    assert "L5/S1  600 N" in words
    assert "T12/L1  500 N" in words
    arrows = [text for text in whole.axes[0].texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 6
    tips = {tuple(np.round(arrow.xy, 6)) for arrow in arrows}
    points = points_of(case["bone_position"])
    sacrum = (points["S1_sup_ant"] + points["S1_sup_post"])[:2] / 2
    assert tuple(np.round(sacrum, 6)) in tips
    assert all(arrow.xyann[1] > arrow.xy[1] for arrow in arrows)  # compression pushes down on the lower vertebra


def test_body__right_is_right_from_behind(case):
    ax = plots.body_frontal(case, Figure().subplots())
    assert "to the right" in ax.get_xlabel()
    assert ax.get_xlim()[0] < ax.get_xlim()[1]


def test_body__panels_share_the_activation_scale(case):
    quiet = synthetic_case(0.0)
    assert activation_limit([quiet]) == 0.05
    assert activation_limit([quiet, case]) == 0.1
    whole = figure("body_frontal", [quiet, case])
    scales = [ax.child_axes[0].get_xlim() for ax in whole.axes]
    assert scales == [(0.0, 0.1), (0.0, 0.1)]


def test_body__caption(case):
    words = caption("body_sagittal", case)
    assert words.startswith("The pelvis is tilted forward by 3.0 deg, with a lumbar lordosis of 61.7 deg;")
    assert words.endswith("belongs to the quadratus lumborum, left, 0.08.")
    back = case.copy(deep=True)
    back["anterior_pelvic_tilt"] *= -1
    assert "tilted backward by 3.0 deg" in caption("body_frontal", back)


def test_body__wants_a_known_region(case):
    with pytest.raises(InputError, match="no body region knee: allowed are whole, lumbar"):
        figure("body_sagittal", case, region="knee")


# Heat map


def test_heat_map__hatches_what_has_no_solution_and_says_why(grid):
    ax = plots.heat_map(grid, Figure().subplots())
    hatches = [patch.get_hatch() for patch in ax.patches]
    assert sorted(hatches) == sorted([HATCHES["infeasible"]] * 2 + [HATCHES["not_converged"]])
    assert legend_of(ax) == ["no solution: infeasible (2 of 35)", "no solution: not converged (1 of 35)"]
    mesh = ax.collections[0]
    values = np.ma.getmaskarray(mesh.get_array()).reshape(7, 5)
    assert values.sum() == 3
    assert values[6, 4]
    assert mesh.get_cmap().name == VALUES
    boxes = {tuple(np.round((*patch.get_xy(), patch.get_width(), patch.get_height()), 6)) for patch in ax.patches}
    assert (0.1, 27.5, 0.2, 5.0) in boxes


def test_heat_map__has_no_legend_when_all_is_solved():
    ax = plots.heat_map(synthetic_sweep({TIGHT: [0, 1], WEAK: [1, 0.5]}), Figure().subplots())
    assert ax.get_legend() is None
    assert not ax.patches


def test_heat_map__panels_share_the_colours(grid):
    lower = grid.copy(deep=True)
    lower["anterior_pelvic_tilt"] -= 10.0
    meshes = [ax.collections[0] for ax in figure("heat_map", [grid, lower]).axes if ax.get_xlabel()]
    assert [mesh.get_clim() for mesh in meshes] == [(-10.0, 5.0)] * 2
    alone = figure("heat_map", lower).axes[0].collections[0]
    assert alone.get_clim() == (-10.0, -5.0)


def test_heat_map__labels_axes_and_colours(grid):
    whole = figure("heat_map", grid, variable="compression", at={"level": "L4_L5"})
    assert whole.axes[0].get_xlabel() == WEAK
    assert whole.axes[0].get_ylabel() == f"{TIGHT} [deg]"
    assert whole.axes[1].get_ylabel() == "compression at L4/L5 [N]"
    assert whole.axes[0].get_xlim() == pytest.approx((1.1, 0.1))


def test_heat_map__caption_gives_least_and_most_and_failures(grid):
    assert caption("heat_map", grid) == (
        "Anterior pelvic tilt lies between 0 deg (strength.gluteals = 1, tightness.hip_flexors = 0) and 5 deg "
        "(strength.gluteals = 0.2, tightness.hip_flexors = 20). 3 of 35 cases have no solution "
        "(2 infeasible, 1 not converged)."
    )


def test_heat_map__of_nothing_solved_is_all_hatched():
    failed = dict.fromkeys(itertools.product(range(2), range(2)), "infeasible")
    sweep = synthetic_sweep({TIGHT: [0, 1], WEAK: [1, 0.5]}, failed=failed)
    ax = figure("heat_map", sweep).axes[0]
    assert len(ax.patches) == 4
    assert caption("heat_map", sweep) == "No case is solved. 4 of 4 cases have no solution (4 infeasible)."


def test_heat_map__wants_one_number_per_case(grid, line):
    with pytest.raises(InputError, match="one number per level: choose with 'at'"):
        figure("heat_map", grid, variable="compression")
    with pytest.raises(InputError, match="no level 'L9': allowed are L5_S1, L4_L5"):
        figure("heat_map", grid, variable="compression", at={"level": "L9"})
    with pytest.raises(InputError, match="no dimension 'side' to choose 'at': it has level"):
        figure("heat_map", grid, variable="compression", at={"side": "left"})
    with pytest.raises(InputError, match="draws two sweep axes and the result has 1"):
        figure("heat_map", line)


def test_edges__are_halfway_between_neighbours():
    np.testing.assert_allclose(edges(np.array([1.0, 2.0, 4.0])), [0.5, 1.5, 3.0, 5.0])
    np.testing.assert_allclose(edges(np.array([3.0])), [2.5, 3.5])


def test_heat_map__unstable_cases_have_their_own_hatch():
    sweep = synthetic_sweep({TIGHT: [0, 1], WEAK: [1, 0.5]}, failed={(1, 1): "unstable", (0, 0): "infeasible"})
    ax = plots.heat_map(sweep, Figure().subplots())
    assert [patch.get_hatch() for patch in ax.patches] == [HATCHES["infeasible"], HATCHES["unstable"]]
    assert legend_of(ax)[1] == "no solution: unstable (1 of 4)"


def test_statuses__have_a_hatch_and_a_mark_of_their_own():
    from spinesim.labelled import STATUS

    assert set(HATCHES) == set(UNSOLVED_MARKS) == {*STATUS, "pending"} - {"solved"}
    assert len(set(HATCHES.values())) == len(set(UNSOLVED_MARKS.values())) == len(HATCHES)


# Lines


def test_lines__draws_every_run_in_one_frame_and_names_it_at_its_end(line):
    flat = line.copy(deep=True)
    flat["anterior_pelvic_tilt"] *= 0.1
    whole = figure("lines", [line, flat], titles=["steep", "flat"])
    ax = whole.axes[0]
    assert len(whole.axes) == 1
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.linspace(0, 3, len(DEGREES)))
    np.testing.assert_allclose(ax.lines[1].get_ydata(), np.linspace(0, 0.3, len(DEGREES)))
    assert names_in(ax) == ["flat", "steep"]  # from below
    assert leaders(ax) == {"flat": (30, pytest.approx(0.3)), "steep": (30, pytest.approx(3))}
    heights = [text.get_position()[1] for text in ax.texts if text.get_text()]
    assert heights == sorted(heights)
    assert ax.get_legend() is None


def test_lines__draws_one_line_for_every_value_of_a_second_axis():
    sweep = synthetic_sweep({WEAK: [1, 0.6, 0.2], TIGHT: DEGREES})
    ax = figure("lines", sweep, variable="compression", at={"level": "L4_L5"}, titles=["both"]).axes[0]
    assert names_in(ax) == [f"{WEAK} = {value}" for value in ("1", "0.6", "0.2")]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (f"{TIGHT} [deg]", "compression at L4/L5 [N]")
    assert ax.get_legend().get_title().get_text() == "both"
    np.testing.assert_allclose(ax.lines[2].get_ydata(), 580 + np.linspace(0, 100, len(DEGREES)))
    other = figure("lines", sweep, along=WEAK, case={TIGHT: 30}, change=True).axes[0]
    np.testing.assert_allclose(other.lines[0].get_ydata(), [0.0, 1.5, 3.0])
    assert other.get_ylabel() == "change of anterior pelvic tilt [deg]"
    assert other.get_xlim()[0] > other.get_xlim()[1]  # from strong to weak


def test_lines__runs_over_different_axes_share_a_frame_if_their_unit_is_one():
    hips, hams = (synthetic_sweep({f"tightness.{group}": DEGREES}) for group in ("hip_flexors", "hamstrings"))
    ax = figure("lines", [hips, hams], titles=["hips", "hamstrings"]).axes[0]
    assert ax.get_xlabel() == "tightness named at each line [deg]"
    weak = synthetic_sweep({WEAK: [1, 0.5]})
    with pytest.raises(InputError, match=r"one unit, not over tightness.hip_flexors \[deg\], strength.gluteals \[1\]"):
        figure("lines", [hips, weak], titles=["hips", "weak"])


def test_lines__marks_and_tells_what_has_no_solution_in_the_colour_of_its_line(line):
    failed = synthetic_sweep({TIGHT: DEGREES}, failed={(10,): "infeasible", (9,): "not_converged", (4,): "infeasible"})
    ax = figure("lines", [line, failed], titles=["whole", "broken"]).axes[0]
    marks = {each.get_marker(): each for each in ax.lines if each.get_marker() in UNSOLVED_MARKS.values()}
    assert list(marks[UNSOLVED_MARKS["infeasible"]].get_xdata()) == [12, 30]
    assert list(marks[UNSOLVED_MARKS["not_converged"]].get_xdata()) == [27]
    assert {each.get_color() for each in marks.values()} == {ax.lines[1].get_color()}
    assert legend_of(ax) == ["no solution: infeasible (2)", "no solution: not converged (1)"]
    words = caption("lines", [line, failed], titles=["whole", "broken"])
    assert words.endswith("3 of 11 cases of broken have no solution (2 infeasible, 1 not converged).")
    assert {name: end[0] for name, end in leaders(ax).items()} == {"whole": 30, "broken": 24}


def test_lines__marks_a_jump_and_another_solution(line):
    jumping = line.copy(deep=True)
    jumping["anterior_pelvic_tilt"][7:] += 2.0
    jumping["branch"][7:] = 1.0
    ax = figure("lines", jumping).axes[0]
    assert legend_of(ax) == ["another solution exists", "jump"]
    assert list(ax.lines[1].get_xdata()) == [18, 21]
    assert np.isnan(ax.lines[0].get_ydata()).sum() == 1  # the line is broken there
    assert list(ax.lines[2].get_xdata()) == [21, 24, 27, 30]
    words = caption("lines", jumping, titles=["standing"])
    assert "The line jumps by +2.3 deg between 18 and 21." in words
    assert "4 of 11 cases of the line have another solution" in words


def test_lines__caption_says_how_every_line_runs(line):
    flat, late = line.copy(deep=True), line.copy(deep=True)
    flat["anterior_pelvic_tilt"] *= 0.1
    late["anterior_pelvic_tilt"][:] = np.array(DEGREES) ** 4 / 3e5
    words = caption("lines", [line, flat, late], titles=["even", "flat", "late"])
    assert words == (
        "Anterior pelvic tilt along tightness.hip_flexors, 0 to 30 deg: even 0.00 to 3.00 deg (linear); "
        "late 0.00 to 2.70 deg (beyond 15 only); null for flat, at 0.00 to within 0.3 deg."
    )
    nothing = synthetic_sweep({TIGHT: [0, 10]}, failed={(0,): "infeasible", (1,): "infeasible"})
    assert caption("lines", nothing).startswith("No line has two solved cases. Fewer than two cases of the line")
    assert "no solution: infeasible (2)" in words_of(figure("lines", nothing))


def test_lines__refuses_other_axes_and_too_many_lines(line, case):
    with pytest.raises(InputError, match="the result has 0"):
        figure("lines", case)
    with pytest.raises(InputError, match=r"no axis strength\.core to draw 'along': it has tightness"):
        figure("lines", line, along="strength.core")
    with pytest.raises(InputError, match="16 lines at most, not 17"):
        figure("lines", [line] * 17, titles=["x"] * 17)


def test_lines__draws_a_line_for_every_entry_of_a_dimension_the_largest_first_of_all(line):
    ax = figure("lines", line, variable="compression", over="level", most=3).axes[0]
    sizes = np.abs(line["compression"]).max(TIGHT)
    wanted = sorted(line["level"].values[np.argsort(-sizes.values)[:3]].tolist())
    assert sorted(text.get_text() for text in ax.texts if text.get_text()) == [
        name.replace("_", "/") for name in wanted
    ]
    with pytest.raises(InputError, match="compression has no dimension 'side' to draw lines 'over': it has level"):
        figure("lines", line, variable="compression", over="side")
    for most in (0, 17, "two", True):
        with pytest.raises(InputError, match="from 1 to 16 entries of level, not most = "):
            figure("lines", line, variable="compression", over="level", most=most)


def test_level_name__writes_levels_as_clinicians_do_and_other_names_as_words():
    assert level_name("L5_S1") == "L5/S1"
    assert level_name("T12_L1.flexion") == "T12/L1 flexion"
    assert level_name("hip_flexors.active") == "hip flexors active"


def test_lines__of_a_course_run_along_the_weeks():
    options = {"variable": "strength", "at": {"muscle_group": "core"}}
    ax = figure("lines", synthetic_course(), **options).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("week", "strength of core")
    assert caption("lines", synthetic_course(), **options) == (
        "Strength of core along week, 0 to 2 week: the line 0.60 to 0.80. "
        "1 of 3 cases of the line have no solution (1 infeasible)."
    )


def test_lines__looks_differ_without_colour():
    looks = [look(number) for number in range(16)]
    assert len({(each["ls"], each["marker"]) for each in looks}) == 16
    assert len({each["color"] for each in looks[:8]}) == 8


@pytest.mark.parametrize("wanted", [[0.1, 0.5, 0.9], [0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0], [0.2, 0.21, 0.9]])
def test_spread__moves_names_no_more_than_they_need(wanted):
    heights = np.full(len(wanted), 0.1)
    places = spread(np.array(wanted), heights)
    assert np.all(np.diff(places) >= 0.1 - 1e-12)
    assert places.min() >= 0.05 - 1e-12
    assert places.max() <= 0.95 + 1e-12
    if min(np.diff(wanted)) >= 0.1 and min(wanted) >= 0.05:
        np.testing.assert_allclose(places, wanted)
    if wanted == [0.5] * 4:
        assert places.mean() == pytest.approx(0.5)


# Stability


def test_buckling_mode__draws_the_posture_and_the_displaced_body_in_both_views(case):
    ax = plots.buckling_mode(case, Figure().subplots())
    assert legend_of(ax) == ["bones of the model", "buckling mode, largest angle 5 deg"]
    heads = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert len(heads) == 4
    places = {name: points_of(case[name])["head_com"] for name in ("bone_position", "buckled_bone_position")}
    from_the_side, from_behind = heads[:2], heads[2:]
    assert [each.center for each in from_the_side] == [tuple(place[:2]) for place in places.values()]
    moved = from_behind[1].center[0] - from_behind[0].center[0]
    assert moved == pytest.approx(places["buckled_bone_position"][2] - places["bone_position"][2])
    assert moved > 0.05
    assert to_hex(heads[0].get_edgecolor()) != to_hex(heads[1].get_edgecolor())
    assert ax.get_aspect() == 1


def test_buckling_mode__caption_gives_margin_verdict_and_direction(case):
    assert caption("buckling_mode", synthetic_case(0.0), titles=["relaxed"]) == (
        "relaxed: the stability margin is -100 N·m/rad, the posture would buckle; the motion with the least stiffness "
        "goes sideways (100% of the squared angles) with its largest angle at L3/L4 bend, drawn as 5 deg."
    )
    assert "is 0 N·m/rad, just stable;" in caption("buckling_mode", case)
    assert "is 100 N·m/rad, stable;" in caption("buckling_mode", synthetic_case(2.0))
    tilting = case.copy(deep=True)
    tilting["buckling_mode"][:] = [0.0, 1.0, *[0.0] * 18]
    assert "goes forward or backward (100% of the squared angles) with its largest angle at pelvic tilt" in caption(
        "buckling_mode", tilting
    )


def test_buckling_mode__wants_a_known_region(case):
    assert figure("buckling_mode", case, region="lumbar").axes[0].get_ylim() == (-0.06, 0.36)
    with pytest.raises(InputError, match="no body region knee"):
        figure("buckling_mode", case, region="knee")


def test_stability__stacks_margin_cocontraction_and_cost_over_one_axis(line):
    whole = figure("stability", line, groups=["hip_flexors", "erectors"])
    cost, margin, groups = whole.axes
    np.testing.assert_allclose(margin.lines[0].get_ydata(), np.linspace(-100, 0, len(DEGREES)))
    np.testing.assert_allclose(groups.lines[1].get_ydata(), np.linspace(0, 0.02, len(DEGREES)))
    np.testing.assert_allclose(cost.lines[0].get_ydata(), np.linspace(0, 30, len(DEGREES)), atol=1e-12)
    np.testing.assert_allclose(cost.lines[1].get_ydata(), np.linspace(0, 25, len(DEGREES)), atol=1e-12)
    assert legend_of(groups) == ["hip flexors", "erectors"]
    assert legend_of(cost) == ["L5/S1", "L4/L5"]
    assert cost.get_xlim() == margin.get_xlim() == groups.get_xlim()
    tops = [ax.get_position().y1 for ax in (cost, groups, margin)]
    assert tops == sorted(tops)
    assert [ax.get_ylabel() for ax in (margin, groups, cost)] == [
        "stability margin [N·m/rad]",
        "group cocontraction",
        "cocontraction compression [N]",
    ]


def test_stability__panels_share_scales_and_groups(line):
    quiet = line.copy(deep=True)
    quiet["group_cocontraction"] *= 0.0
    quiet["stability_margin"] -= 400.0
    whole = figure("stability", [line, quiet])
    margins, groups = ([ax for ax in whole.axes if ax.get_label() == f"part {i}"] for i in range(2))
    assert margins[0].get_ylim() == margins[1].get_ylim()
    assert margins[0].get_ylim()[0] < -500
    assert legend_of(groups[0]) == legend_of(groups[1]) == ["hip flexors", "gluteals", "hamstrings", "erectors"]
    assert [ax.get_ylabel() for ax in groups] == ["group cocontraction", ""]


def test_stability__marks_and_tells_what_has_no_solution():
    sweep = synthetic_sweep({WEAK: [1.0, 0.8, 0.6, 0.4]}, failed={(3,): "unstable", (2,): "not_converged"})
    ax = figure("stability", sweep).axes[0]
    assert legend_of(ax)[2:] == ["no solution: unstable (1)", "no solution: not converged (1)"]
    assert ax.get_xlim() == (1.0, 0.4)
    words = caption("stability", sweep)
    assert words.startswith("From strength.gluteals = 1 to 0.8 the stability margin goes from -100 to -67 N·m/rad")
    assert words.endswith("2 of 4 cases have no solution (1 not converged, 1 unstable).")


def test_stability__caption_gives_cost_in_newtons_and_parts(line):
    # 30 N of 600 N at L5/S1, the rest being the least effort
    assert caption("stability", line) == (
        "From tightness.hip_flexors = 0 deg to 30 deg the stability margin goes from -100 to 0 N·m/rad, and what "
        "co-contraction adds to the compression at L5/S1 from 0 N (0 %) to 30 N (5 %); of the groups shown the hip "
        "flexors and then the erectors co-contract most."
    )


def test_stability__refuses_unknown_and_too_many_groups_and_other_axes(line, case):
    with pytest.raises(InputError, match="no muscle group tail: allowed are hip_flexors"):
        figure("stability", line, groups=["tail"])
    with pytest.raises(InputError, match="draws 1 to 4 muscle groups, not 5"):
        figure("stability", line, groups=["hip_flexors", "gluteals", "hamstrings", "core", "erectors"])
    with pytest.raises(InputError, match="stability draws one sweep axis and the result has 0"):
        figure("stability", case)
    with pytest.raises(InputError, match="give it axes of a grid of subplots"):
        plots.stability(line, Figure().add_axes((0.1, 0.1, 0.8, 0.8)))


def test_cocontraction__bars_end_at_the_activation_and_start_at_the_least_effort(case):
    ax = plots.cocontraction(case, Figure().subplots())
    least, added, taken = ax.containers
    np.testing.assert_allclose([bar.get_width() for bar in least], [0.02, 0.03, 0.03, 0.03, 0.01, 0.03])
    np.testing.assert_allclose([bar.get_width() for bar in added], [0.01, 0.02])
    np.testing.assert_allclose([bar.get_x() + bar.get_width() for bar in added], 0.03)
    assert [(bar.get_x(), bar.get_width()) for bar in taken] == [(pytest.approx(0.03), pytest.approx(0.005))]
    assert len({bars[0].get_hatch() for bars in ax.containers}) == 3
    assert legend_of(ax) == ["least effort", "added by co-contraction", "taken away by it"]


def test_cocontraction__caption_names_the_groups_raised_and_lowered_most(case):
    assert caption("cocontraction", case) == (
        "Co-contraction raises the erectors from 1.0 to 3.0 % and lowers the quadratus lumborum from 3.5 to 3.0 %."
    )
    assert caption("cocontraction", synthetic_case(0.0)) == "No muscle group co-contracts."


# Stance


def test_stance__draws_what_carries_the_body_in_both_views(case):
    whole = figure("stance", case)
    from_the_side, from_behind = whole.axes
    assert (from_the_side.get_xlabel(), from_the_side.get_ylabel()) == ("seen from its right: forward [m]", "up [m]")
    assert from_behind.get_xlabel() == "seen from behind: to the right [m]"
    assert [text.get_text() for text in from_the_side.texts if text.get_text()] == ["700 N"]  # both feet are one there
    assert [text.get_text() for text in from_behind.texts if text.get_text()] == ["400 N", "300 N"]
    arrows = [text for text in from_behind.texts if getattr(text, "arrow_patch", None)]
    assert [arrow.xy for arrow in arrows] == [(0.0835, -0.826), (-0.0835, -0.826)]
    lengths = [arrow.xy[1] - arrow.xyann[1] for arrow in arrows]
    assert lengths[0] / lengths[1] == pytest.approx(400 / 300)
    assert from_the_side.get_ylim() == from_behind.get_ylim()


@pytest.mark.parametrize(
    ("up", "labels"),
    [
        ((1, 0, 0), ("from its right: towards the feet", "up", "from above: towards the feet")),
        ((-1, 0, 0), ("from its right: towards the head", "up", "from above: towards the head")),
        ((0, 0, 1), ("from above: towards the feet", "forward", "from behind: towards the feet")),
        ((0, 0, -1), ("from above: towards the head", "forward", "from behind: towards the head")),
        ((0.5, 0.866, 0), ("from its right: horizontal", "up", "from behind: to the right")),
    ],
)
def test_stance__is_turned_until_gravity_points_down(case, up, labels):
    turned = case.copy(deep=True)
    turned["up_direction"][:] = np.array(up) / np.linalg.norm(up)
    parts = [ax for ax in figure("stance", turned).axes if "seen" in ax.get_xlabel()]
    if abs(up[1]) < 0.5:  # the view from the side lies above that from behind
        parts.sort(key=lambda ax: -ax.get_position().y0)
    drawn = (parts[0].get_xlabel(), parts[0].get_ylabel(), parts[1].get_xlabel())
    assert tuple(label.removeprefix("seen ").removesuffix(" [m]") for label in drawn) == labels
    for side in sides(turned["up_direction"].values):
        assert np.allclose(side.plane @ side.plane.T, np.eye(2))
        seen_up = side.plane @ turned["up_direction"].values
        if side.viewer == "from above":
            np.testing.assert_allclose(seen_up, 0.0, atol=1e-12)
        else:
            assert seen_up[1] > 0.8
            assert abs(seen_up[0]) < 1e-12


def test_stance__draws_contacts_and_loads_with_their_forces(case):
    held = case.copy(deep=True)
    held["contact_force"][:] = 150.0
    held["load_weight"][:] = [98.0, 0.0]
    side, behind = figure("stance", held).axes
    assert [text.get_text() for text in side.texts if text.get_text()] == ["700 N", "150 N", "98 N"]
    arrow = [text for text in side.texts if getattr(text, "arrow_patch", None)][1]
    assert arrow.xy == (-0.15, 0.35)
    assert arrow.xyann[0] < -0.15  # it pushes forward
    assert "load" in legend_of(side)
    assert [text.get_text() for text in behind.texts if text.get_text()] == ["400 N", "300 N", "98 N"]


def test_stance__caption_gives_forces_and_what_holds(case):
    assert caption("stance", case) == (
        "standing: the body is carried or pressed at ankle r 400 N, ankle l 300 N, backrest 0 N; supports hold at most "
        "2.00 N·m, at pelvis.list; ideal moments hold at most 5.00 N·m, at pelvis.turn."
    )


def test_confusion__shows_every_probability_and_names_the_severity():
    dataset = synthetic_confusion()
    ax = figure("confusion", dataset, case={"severity": 0.5}).axes[0]
    rows = [label.get_text() for label in ax.get_yticklabels()]
    # what reads as health stands beside it
    assert rows[:4] == ["healthy", "weight in hand (left)", "weight in hand (right)", "strong"]
    assert ax.get_ylabel() == "true imbalance, severity = 0.5"
    written = [text.get_text() for text in ax.texts]
    assert written[:6] == ["20", "20", "20", "10", "15", "15"]
    assert len(written) == int((dataset.naming_probability.values[0] >= 0.01).sum())


def test_confusion__caption_says_what_is_told_apart_and_what_is_not():
    assert caption("confusion", synthetic_confusion()) == (
        "severity = 1: 1 of 5 imbalances are named rightly in 90 % or more: strong; exactly as healthy read weight in "
        "hand (left), weight in hand (right); of healthy bodies 40 % are named to have an imbalance that can be read; "
        "the commonest mistake takes near (left) for near (right) (40 %)."
    )
    assert "0 of 5 imbalances are named rightly" in caption("confusion", synthetic_confusion(), case={"severity": 0.5})


# Comparisons


def test_forest__best_first_hollow_where_it_is_no_better_than_nothing():
    ax = figure("forest", synthetic_comparison(), week=8.0).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "stretch hip flexors",
        "soft tissue hip flexors",
        "strengthen core + plank (weeks\n0-4, 2 a week)",
    ]
    filled = [marks for marks in ax.lines if marks.get_marker() == "s" and marks.get_markerfacecolor() != "white"]
    np.testing.assert_allclose(filled[0].get_xdata(), [2.0, -1.0])
    hollow = [marks for marks in ax.lines if marks.get_marker() == "s" and marks.get_markerfacecolor() == "white"]
    assert hollow[0].get_xdata().tolist() == [0.0]


def test_forest__caption_says_what_is_better_worse_and_no_better():
    words = caption("forest", synthetic_comparison(), week=8.0)
    assert words.startswith("anterior pelvic tilt, week 8: better than nothing: stretch hip flexors (2.00 deg, 1.6")
    assert "no better than nothing: soft tissue hip flexors (0.00 deg, 0.00 to 0.00)" in words
    assert "worse than nothing: strengthen core + plank (weeks 0-4, 2 a week) (-1.00 deg" in words
    assert words.endswith("(12 people, middle 95 %).")


def test_forest__of_another_outcome_and_what_there_is_not():
    assert "too little to matter: strengthen core" in caption(
        "forest", synthetic_comparison(), outcome="compression.L4_L5", week=8.0
    )
    with pytest.raises(InputError, match=r"no outcome compression.L4_L6: did you mean compression.L4_L5\?"):
        figure("forest", synthetic_comparison(), outcome="compression.L4_L6")
    with pytest.raises(InputError, match="no week 5: it has 0, 8, 16"):
        figure("forest", synthetic_comparison(), week=5.0)


def test_time_course__lines_and_what_is_left():
    ax = figure("time_course", synthetic_comparison()).axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.0, 2.0, 1.0])
    assert "stretch hip flexors: 2.00 deg in week 8 (better than nothing), 1.00 in week 16" in caption(
        "time_course", synthetic_comparison()
    )
    with pytest.raises(InputError, match="has a single week"):
        figure("time_course", synthetic_comparison().isel(week=1))


def test_responders__mean_of_every_class_of_incidence():
    whole = figure("responders", synthetic_comparison(), week=8.0)
    people = whole.axes[0].lines[1]
    np.testing.assert_allclose(people.get_ydata(), 2.0 + 0.02 * (people.get_xdata() - people.get_xdata().mean()))
    words = caption("responders", synthetic_comparison(), week=8.0)
    assert "below 44 deg: 1.70 deg in 3 people" in words
    assert "r = 1.00" in words
    with pytest.raises(InputError, match="no programme nap: it has nothing, stretch"):
        figure("responders", synthetic_comparison(), programme="nap")
    with pytest.raises(InputError, match="this comparison has none"):
        figure("responders", synthetic_comparison().drop_vars("person_incidence"))


def test_pareto__joins_the_doses_that_no_other_beats():
    ax = figure("pareto", synthetic_doses()).axes[0]
    steps = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    assert steps.get_ydata().tolist() == [1.0, 1.6, 2.0]
    assert caption("pareto", synthetic_doses()) == (
        "anterior pelvic tilt: the largest benefit is 2.00 deg, stretch hip flexors for 4 weeks 2 times a week, 8 "
        "sessions; half of it or more comes with stretch hip flexors for 1 week 2 times a week, 2 sessions (1.00 deg)."
    )
    none = synthetic_doses()
    none["dose_benefit"] = 0.0 * none["dose_benefit"]
    none["on_front"] = ("dose", [1.0, 0, 0, 0, 0, 0])
    assert caption("pareto", none) == "anterior pelvic tilt: no dose is better than nothing."


# Sensitivity


def test_tornado__bars_are_effects_with_the_largest_on_top():
    ax = figure("tornado", synthetic_sensitivity(), outcome="compression.L4_L5").axes[0]
    low, high = ax.get_ylim()
    assert low > high
    names = [label.get_text().split("\n")[0] for label in ax.get_yticklabels()]
    assert names == ["tightness.hip_flexors", "load.hands", "strength.core", "strength.gluteals"]
    widths = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in ax.patches}
    assert widths == {0: 140.0, 1: 70.0, 2: 30.0, 3: -25.0}
    assert legend_of(ax) == ["rises with it", "falls with it"]
    assert ax.get_xlabel() == "change of compression, L4/L5 over the range [N]"


def test_tornado__panels_have_one_order():
    other = synthetic_sensitivity()
    other["effect"] = other["effect"] * [0.1, 10.0, 1.0, 1.0]
    whole = figure("tornado", [synthetic_sensitivity(), other], titles=["a", "b"])
    for ax, effects in zip(whole.axes, ([-1.5, 6.0, -0.5, 0.0], [-15.0, 0.6, -0.5, 0.0]), strict=True):
        widths = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in ax.patches}
        assert [widths[i] for i in range(4)] == pytest.approx(effects)


def test_tornado__panels_have_one_scale():
    other = synthetic_sensitivity()
    other["effect"] = other["effect"] * 10.0
    first, second = figure("tornado", [synthetic_sensitivity(), other], titles=["a", "b"]).axes
    assert first.get_xlim() == second.get_xlim()


def test_sensitivity_captions__say_the_finding():
    assert caption("tornado", synthetic_sensitivity()) == (
        "Anterior pelvic tilt is moved most by tightness.hip_flexors from 0 to 15 deg by +6 deg (5.7 to 6.3); "
        "then strength.core from 0.7 to 1.2 by -1.5 deg (-1.57 to -1.43); then load.hands from 0 to 8 kg by -0.5 deg "
        "(-0.525 to -0.475) (mean over the ranges of the others). 3 of 384 cases have no solution; the pairs they "
        "belong to are left out."
    )
    assert caption("sobol", synthetic_sensitivity(), outcome="compression.L4_L5") == (
        "Of the variance of compression, L4/L5 (standard deviation 45 N) the largest shares, interactions included, "
        "are due to tightness.hip_flexors 0.70 (0.68 to 0.72), load.hands 0.25 (0.23 to 0.27), strength.core 0.08 "
        "(0.06 to 0.1); by themselves the parameters explain 0.88 in all. 3 of 384 cases have no solution; the pairs "
        "they belong to are left out."
    )
    assert "below 0.05 with their interval: load.hands, strength.gluteals" in caption("sobol", synthetic_sensitivity())


@pytest.mark.parametrize("kind", ["tornado", "sobol"])
def test_sensitivity__of_what_the_file_does_not_hold(kind):
    with pytest.raises(InputError, match=r"no outcome lean: it has anterior_pelvic_tilt, compression.L4_L5"):
        figure(kind, synthetic_sensitivity(), outcome="lean")
    with pytest.raises(InputError, match=r"no parameter x: it has tightness"):
        figure(kind, synthetic_sensitivity(), order=["x"])


# What all kinds share


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].axes is None and kind not in NO_CASES])
def test_figure__of_a_case_without_solution_says_so(kind):
    failed = synthetic_case(1.0, status="infeasible")
    assert "no solution (infeasible)" in words_of(figure(kind, failed))
    assert "no solution (infeasible)" in caption(kind, failed).lower()


@every_kind
def test_figure__names_what_the_file_lacks(kind, dataset):
    lacking = dataset.drop_vars([name for name in KINDS[kind].needs if name in dataset])
    with pytest.raises(InputError, match=r"holds no"):
        figure(kind, lacking)


def test_choose__takes_the_nearest_value_within_the_axis(line):
    assert float(choose(line, {TIGHT: 13.0})[TIGHT]) == 12
    with pytest.raises(InputError, match=r"tightness.hip_flexors = 31 lies outside the axis, 0 to 30\."):
        choose(line, {TIGHT: 31})
    with pytest.raises(InputError, match=r"no axis tightness.hip_flexor: did you mean tightness.hip_flexors\?"):
        choose(line, {"tightness.hip_flexor": 3})
    with pytest.raises(InputError, match=r"no axis x: it has tightness"):
        choose(line, {"x": 3})


@pytest.mark.parametrize(("length", "expected"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (31, [0, 15, 30])])
def test_ends_and_middle(length, expected):
    assert ends_and_middle(length) == expected


def test_figure__refuses_unknown_kinds_and_options(case):
    with pytest.raises(InputError, match=r"no figure kind disc_load: did you mean disc_loads\?"):
        figure("disc_load", case)
    with pytest.raises(InputError, match="no figure kind pie: allowed are tilt_and_lordosis"):
        caption("pie", case)
    with pytest.raises(InputError, match="disc_loads has no option colour: allowed are case, healthy, title"):
        figure("disc_loads", case, colour="red")


def test_save__refuses_other_endings_and_missing_folders(case, tmp_path):
    whole = figure("disc_loads", case)
    with pytest.raises(InputError, match="saved as png, svg, pdf, not as 'bmp'"):
        save(whole, tmp_path / "figure.bmp", "words")
    with pytest.raises(ResultsFileError, match="cannot be written"):
        save(whole, tmp_path / "nowhere" / "figure.png", "words")
    assert save(whole, tmp_path / "figure.pdf", "words").read_bytes().startswith(b"%PDF")


def test_figure__is_the_same_after_a_round_trip_through_a_file(line, tmp_path):
    from spinesim import results

    results.write(line, tmp_path / "line.nc")
    again = results.open_results(tmp_path / "line.nc")
    for kind in ("tilt_and_lordosis", "body_sagittal", "foramen_area"):
        assert caption(kind, again) == caption(kind, line)
        save(figure(kind, line), tmp_path / "before.svg", "")
        save(figure(kind, again), tmp_path / "after.svg", "")
        assert (tmp_path / "before.svg").read_text() == (tmp_path / "after.svg").read_text()
