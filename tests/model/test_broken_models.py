"""Every mistake in a model file is one sentence with file, line, entry, value and what is allowed."""

import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinesim.errors import ModelError
from spinesim.model.read import load_model
from tests.model.broken import cells, copy_of_adult, edit, line_of, set_cell, write


@pytest.fixture
def folder(tmp_path):
    return copy_of_adult(tmp_path)


def complaint(folder):
    """The message about a broken folder, with the path up to the model left out."""
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(folder.as_posix(), "adult")


def test_broken__value_out_of_range_names_file_line_entry_value_and_rule(folder):
    line = line_of(folder / "muscles.csv", "ps_l3_tp")
    set_cell(folder / "muscles.csv", line, "pcsa_m2", "-1.2")
    assert complaint(folder) == f"adult/muscles.csv line {line}: ps_l3_tp: pcsa_m2 = -1.2, must be greater than 0"


# table, first cell of the row, column, value, what the message must say
CELLS = [
    ("bodies", "L4", "mass_kg", "0", "L4: mass_kg = 0, must be greater than 0"),
    ("bodies", "L4", "mass_kg", "heavy", "L4: mass_kg = heavy, must be a finite number"),
    ("bodies", "L4", "mass_kg", "nan", "L4: mass_kg = nan, must be a finite number"),
    ("bodies", "L4", "mass_kg", "inf", "L4: mass_kg = inf, must be a finite number"),
    ("bodies", "L4", "mass_kg", "1e999", "L4: mass_kg = 1e999, must be a finite number"),
    ("bodies", "L4", "mass_kg", "2_0", "L4: mass_kg = 2_0, must be a finite number"),
    ("bodies", "L4", "mass_kg", "", "L4: mass_kg is empty"),
    ("bodies", "L4", "mass_kg", " 2", "the cell ' 2' has spaces around it"),
    ("bodies", "L4", "parent", "L6", "L4: parent = L6, must be a body listed above it"),
    ("bodies", "L4", "name", "L5", "L5: name = L5, is listed already in line 3"),
    ("bodies", "pelvis", "parent", "L5", "pelvis: parent = L5, the first body must be carried by 'ground'"),
    ("bodies", "L4", "source", "", "L4: source is empty"),
    ("bodies", "L4", "source", "deleva1996+me2020", "'me2020' is not one"),
    ("bodies", "L4", "confidence", "certain", "L4: confidence = certain, must be 'extracted', 'read'"),
    ("joints", "L4_L5", "parent", "L3", "L4_L5: parent = L3, must be 'L5'"),
    ("joints", "L4_L5", "child", "L9", "L4_L5: child = L9, is not a body of bodies.csv"),
    ("joints", "L4_L5", "kind", "glue", "L4_L5: kind = glue, must be 'root', 'disc', 'ball' or 'hinge'"),
    ("joints", "L4_L5", "kind", "root", "L4_L5: kind = root, must be 'root' for the joint with 'ground'"),
    ("joints", "L4_L5", "kind", "ball", "the disc joints must form one unbranched column"),
    (
        "joints",
        "L4_L5",
        "centre_neutral_y_m",
        "0.2",
        "centre_neutral_y_m = 0.2, must equal the origin of L4, 0.12947 m",
    ),
    ("coordinates", "hip_r", "axis_z", "2", "axis has length 2, must be a unit vector"),
    ("coordinates", "hip_r", "name", "tilt", "hip_r.tilt: name = tilt, must be one of flexion, adduction, rotation"),
    ("coordinates", "hip_r", "highest_deg", "-30", "highest_deg = -30, must be greater than the lowest angle"),
    ("coordinates", "hip_r", "rhythm_share", "0.1", "rhythm_share = 0.1, must be 0 outside the spine"),
    ("coordinates", "L4_L5", "rhythm_share", "0.5", "the rhythm_share of flexion adds up to 1.28333 over the levels"),
    ("coordinates", "L4_L5", "joint", "L4_L6", "joint = L4_L6, is not a joint of joints.csv; did you mean 'L4_L5'?"),
    ("coordinates", "L4_L5", "joint", "T12_L1", "must be grouped by joint in the order of joints.csv"),
    ("discs", "L4_L5", "area_m2", "-1", "L4_L5: area_m2 = -1, must be greater than 0"),
    ("discs", "L4_L5", "name", "L4", "L4: name = L4, is not a disc joint"),
    ("disc_laws", "L4_L5", "preload_N", "100", "there is no row for L5_S1 flexion positive 100 N"),
    ("disc_laws", "L4_L5", "direction", "up", "direction = up, must be 'positive' or 'negative'"),
    ("disc_laws", "L4_L5", "direction", "negative", "this law is listed twice"),
    ("disc_springs", "L4_L5", "axial_N_per_m", "0", "axial_N_per_m = 0, must be greater than 0"),
    ("disc_springs", "L4_L5", "preload_N", "-5", "preload_N = -5, must be greater than or equal to 0"),
    ("tissues", "hip_tissue_7_r", "coordinate", "hip_r.flex", "is not a coordinate; did you mean 'hip_r.flexion'?"),
    ("tissues", "hip_tissue_7_r", "coupling_per_rad", "1", "coupling_per_rad = 1, must be empty without a second"),
    ("tissues", "hip_tissue_7_r", "second", "hip_r.flexion", "second = hip_r.flexion, must be another coordinate"),
    ("tissues", "hip_tissue_7_r", "second", "knee_r.flexion", "rate_per_rad = 0, must not be 0 when a second"),
    ("tissues", "hip_tissue_7_r", "tightness_group", "hips", "tightness_group = hips, is not a group of model.toml"),
    ("tissues", "hip_tissue_7_r", "name", "hip_tissue_6_l", "is the mirror image of hip_tissue_6_r"),
    ("muscles", "ps_l3_tp", "name", "ps_l2_tp", "name = ps_l2_tp, is listed already in line 5"),
    ("muscles", "ps_l3_tp", "pennation_rad", "1.3", "pennation_rad = 1.3, must be less than 1.2"),
    ("muscles", "ps_l3_tp", "side", "left", "side = left, must be 'right'"),
    ("muscles", "ps_l3_tp", "name", "nameless", "fascicle = ps_l3_tp, is not a fascicle of muscles.csv"),
    ("muscle_paths", "ps_l3_tp", "body", "L8", "ps_l3_tp: body = L8, is not a body of bodies.csv"),
    ("muscle_paths", "ps_l3_tp", "point", "3", "point = 3, must be 0: points are counted from 0 along the path"),
    ("muscle_paths", "ps_l3_tp", "condition", "hip_r.flexion", "needs a lowest and a highest angle beside it"),
    ("muscle_paths", "ps_l3_tp", "condition_lowest_rad", "0.1", "= 0.1, must be empty without a condition"),
    ("muscle_paths", "ps_l3_tp", "fascicle", "ps_l1_vb", "the points of a fascicle must follow one another"),
    ("actuators", "vasti_r", "coordinate", "knee", "is not a joint coordinate or free coordinate of a stance"),
    ("actuators", "vasti_r", "max_moment_Nm", "0", "max_moment_Nm = 0, must not be 0"),
    ("actuators", "vasti_r", "side", "midline", "side = midline, must be 'right' for a name that ends in _r"),
    ("actuators", "ankle_dorsiflexion_r", "name", "shin_r", "'ankle_dorsiflexion_r' is not in actuators.csv"),
    ("landmarks", "asis_r", "body", "pelwis", "body = pelwis, is not a body of bodies.csv; did you mean 'pelvis'?"),
    ("landmarks", "asis_r", "name", "psis_r", "psis_r: name = psis_r, is listed already"),
    ("landmarks", "shoulder_centre_r", "name", "arm_r", "shoulder_landmark = shoulder_centre_r, must be a landmark"),
    ("foramen_outline", "L4_L5", "part", "side", "L4_L5 pedicle_inferior: part = side, must be 'upper', 'lower'"),
    ("foramen_outline", "L4_L5", "name", "pedicle", "the points and parts of every level must be those of the first"),
    ("foramen_outline", "L4_L5", "level", "L4_L6", "level = L4_L6, is not a level of joints.csv; did you mean"),
    ("foramen_outline", "L5_S1", "name", "pedicle", "the points and parts of every level must be those of the first"),
    ("pedicles", "L3", "vertebra", "thorax", "level = L3_L4, needs L3 in pedicles.csv"),
    ("canals", "L4_L5", "level", "T12_L1", "level = T12_L1, is not a level of foramen_outline.csv"),
    ("roots", "L4_L5", "width_m", "-1", "L4_L5: width_m = -1, must be greater than 0"),
    ("canals", "L4_L5", "width_m", "0", "width_m = 0, must be greater than 0"),
    ("pedicles", "L3", "vertebra", "L6", "vertebra = L6, is not a body of bodies.csv"),
    ("pedicles", "L3", "width_m", "0", "width_m = 0, must be greater than 0"),
    ("tests", "adductors", "coordinate", "hip_r.bend", "coordinate = hip_r.bend, is not a coordinate"),
    ("tests", "adductors", "group", "thighs", "is not a group of tests.csv"),
    ("tightness", "adductors", "theta_deg", "90", "theta_deg = -15, must increase within a group"),
    ("tightness", "adductors", "gain", "-1", "gain = -1, must not be negative"),
]


@pytest.mark.parametrize(("table", "first", "heading", "value", "words"), CELLS)
def test_broken__cell(folder, table, first, heading, value, words):
    path = folder / f"{table}.csv"
    set_cell(path, line_of(path, first), heading, value)
    message = complaint(folder)
    assert words in message
    assert re.match(r"adult/\w+(\.csv|/\w+\.toml|\.toml)( line \d+)?: ", message)


@pytest.mark.parametrize("name", ["bodies.csv", "muscle_paths.csv", "disc_laws.csv", "sources.toml"])
def test_broken__missing_file(folder, name):
    (folder / name).unlink()
    assert complaint(folder) == f"adult/{name}: the file is missing"


def test_broken__missing_column(folder):
    rows = cells(folder / "muscles.csv")
    write(folder / "muscles.csv", [[c for i, c in enumerate(r) if i != 3] for r in rows])
    assert complaint(folder) == "adult/muscles.csv line 1: the column pcsa_m2 or pcsa_cm2 or pcsa_mm2 is missing"


def test_broken__unknown_column(folder):
    edit(folder / "muscles.csv", "pcsa_m2", "pcsa_m2,colour")
    assert "adult/muscles.csv line 1: unknown column 'colour'; the columns are name, muscle" in complaint(folder)


def test_broken__the_same_column_in_two_units(folder):
    edit(folder / "muscles.csv", "pcsa_m2,", "pcsa_m2,pcsa_cm2,")
    assert complaint(folder) == "adult/muscles.csv line 1: the columns pcsa_m2 and pcsa_cm2 say the same; keep one"


def test_broken__repeated_column(folder):
    edit(folder / "muscles.csv", "pcsa_m2,", "pcsa_m2,pcsa_m2,")
    assert complaint(folder) == "adult/muscles.csv line 1: the column pcsa_m2 appears 2 times"


def test_broken__empty_table(folder):
    (folder / "bodies.csv").write_text("", encoding="utf-8")
    assert complaint(folder) == "adult/bodies.csv: the file is empty"


def test_broken__table_of_headings_only(folder):
    write(folder / "bodies.csv", cells(folder / "bodies.csv")[:1])
    assert complaint(folder) == "adult/bodies.csv: the table has headings but no rows"


def test_broken__wrong_number_of_cells(folder):
    rows = cells(folder / "discs.csv")
    rows[3] = rows[3][:-2]
    write(folder / "discs.csv", rows)
    assert complaint(folder) == "adult/discs.csv line 4: 11 cells, but the table has 13 columns"


def test_broken__empty_line(folder):
    rows = cells(folder / "discs.csv")
    write(folder / "discs.csv", [*rows[:2], [], *rows[2:]])
    assert complaint(folder) == "adult/discs.csv line 3: the line is empty; remove it"


def test_broken__open_quotation_mark(folder):
    edit(folder / "tests.csv", '"athletes, relaxed', 'athletes", relaxed')
    assert complaint(folder).startswith("adult/tests.csv line 2: ")
    edit(folder / "tests.csv", 'athletes", relaxed; n = 117"', '"athletes, relaxed; n = 117')
    assert complaint(folder).startswith("adult/tests.csv line 2: ")


def test_broken__cell_over_two_lines(folder):
    edit(folder / "tests.csv", "athletes, relaxed", "athletes,\nrelaxed")
    assert "adult/tests.csv line 2: a cell runs over the end of the line" in complaint(folder)


def test_broken__not_utf8(folder):
    path = folder / "discs.csv"
    lines = path.read_bytes().split(b"\n")
    lines[2] += b"\xe4"
    path.write_bytes(b"\n".join(lines))
    assert complaint(folder) == "adult/discs.csv line 3: not UTF-8 text; save the file as UTF-8"


def test_broken__misspelt_table_is_not_overlooked(folder):
    (folder / "tissues.csv").rename(folder / "tisues.csv")
    assert "adult/tisues.csv: no such table (did you mean tissues.csv?)" in complaint(folder)


def test_broken__path_of_one_point(folder):
    rows = cells(folder / "muscle_paths.csv")
    first = next(i for i, r in enumerate(rows) if r[0] == "il_l1")
    write(folder / "muscle_paths.csv", [r for i, r in enumerate(rows) if r[0] != "il_l1" or i == first])
    assert "il_l1: muscle_paths.csv gives 1 points, at least 2 are needed" in complaint(folder)


def test_broken__path_that_crosses_no_joint(folder):
    path = folder / "muscle_paths.csv"
    rows = cells(path)
    for row in rows:
        if row[0] == "il_l1":
            row[2] = "pelvis"
    write(path, rows)
    assert "il_l1: body = pelvis, the whole path lies on one body; it must cross a joint" in complaint(folder)


def test_broken__conditional_end_of_a_path(folder):
    path = folder / "muscle_paths.csv"
    line = line_of(path, "iliacus")
    for heading, value in (
        ("condition", "hip_r.flexion"),
        ("condition_lowest_rad", "0"),
        ("condition_highest_rad", "1"),
    ):
        set_cell(path, line, heading, value)
    assert f"adult/muscle_paths.csv line {line}: iliacus: condition = hip_r.flexion" in complaint(folder)


def test_broken__only_one_preload(folder):
    for name in ("disc_laws", "disc_springs"):
        rows = cells(folder / f"{name}.csv")
        column = rows[0].index("preload_N")
        write(folder / f"{name}.csv", [rows[0], *(r for r in rows[1:] if r[column] == "500")])
    assert "only one preload; the laws are interpolated between two or more" in complaint(folder)


def test_broken__model_without_stances(folder):
    for path in (folder / "stances").glob("*.toml"):
        path.unlink()
    assert "adult/stances: there is no stance" in complaint(folder)


# file, old text, new text, what the message must say
DOCUMENTS = [
    ("model.toml", "[scatter]", "[scatter", "model.toml: not valid TOML"),
    ("model.toml", "value = 75.0", 'value = "75"', "body_mass_kg.value = 75, must be a number"),
    ("model.toml", "value = 75.0", "value = nan", "body_mass_kg.value = nan, must be a finite number"),
    ("model.toml", "value = 75.0", "value = -75.0", "must be greater than 0"),
    ("model.toml", "value = 75.0", "value = true", "body_mass_kg.value = True, must be a number"),
    ("model.toml", "value = 75.0", "value = 1" + "0" * 400, "must be a finite number"),
    ("model.toml", "body_mass_kg = {", "body_weight = {", "body_mass_kg is missing"),
    ("model.toml", 'name = "adult"', 'name = "adult"\nage = 40', "line 5: unknown key age"),
    ("model.toml", 'name = "adult"', "name = 3", "line 4: name = 3, must be text"),
    ("calibration.toml", "fraction = { value = 0", "fraction = { value = 1", "must be less than or equal to 1"),
    ("model.toml", "value = 500.0", "value = 501.0", "must be less than or equal to 500"),
    ("model.toml", "0.1, 1.0, 0.353553390593274, 0.0,", "0.1, 1.0,", "must be a list of 12 numbers"),
    ("model.toml", 'source = "dreischarf2013"', 'source = "nobody"', "'nobody' is not one"),
    ("model.toml", '["piriformis"]', '["pirifromis"]', "'pirifromis' is not a muscle of muscles.csv; did you mean"),
    ("model.toml", '["piriformis"]', "[]", "groups.piriformis = [], must name at least one muscle"),
    ("model.toml", '["piriformis"]', '["piriformis", "piriformis"]', "names a muscle twice"),
    ("model.toml", '["piriformis"]', "3", "groups.piriformis = 3, must be a list of texts"),
    ("model.toml", "capillary_mmHg = { value = 40.0", "capillary_mmHg = { value = 60.0", "must rise from venular to"),
    ("model.toml", "cushion_mm = { value = 0.5", "cushion_mm = { value = -0.5", "must be greater than 0"),
    ("model.toml", "[0.831, 0.120, 0.049]", "[0.9, 0.2, 0.1]", "sciatic.frequency must add up to 1"),
    ("model.toml", "[0.831, 0.120, 0.049]", "[0.9, 0.1]", "must be a list of 3 numbers"),
    ("sources.toml", "aaos1965 =", "aaos =", "'aaos1965' is not one"),
    ("sources.toml", 'jenis_an2000 = "', "jenis_an2000 = 2 #", "jenis_an2000 = 2, must be text"),
    ("stances/sitting.toml", "trunk_flexion_deg = -7.5", "", "trunk_flexion_rad or trunk_flexion_deg is missing"),
    ("stances/sitting.toml", "upright = false", 'upright = "no"', "upright = no, must be true or false"),
    ("stances/sitting.toml", '"femur_r", "shank_r"', '"femur", "shank_r"', "'femur' is not a body"),
    ("stances/sitting.toml", 'name = "sitting"', 'name = "seated"', "name = seated, must be the name of the file"),
    ("stances/sitting.toml", '"knee_l.flexion" = 90.0', '"knee.flexion" = 90.0', "'knee.flexion' is not a coordinate"),
    ("stances/sitting.toml", '"hip_l.rotation", "knee_l.flexion"', '"hip_l.rotation"', "but it is none of these"),
    ("stances/sitting.toml", "locked = []", 'locked = ["knee_l.flexion"]', "but it is more than one of these"),
    ("stances/sitting.toml", "locked = []", 'locked = ["elbow.flexion"]', "'elbow.flexion' is not a coordinate"),
    ("stances/sitting.toml", "actuators = []", 'actuators = ["wings_r"]', "'wings_r' is not in actuators.csv"),
    (
        "stances/sitting.toml",
        "actuators = []",
        'actuators = ["ankle_dorsiflexion_r"]',
        "ankle_dorsiflexion_r needs the free coordinate 'lean'",
    ),
    ("stances/standing.toml", '"pelvis.tilt" = 1.0', '"pelvis.tlit" = 1.0', "did you mean 'pelvis.tilt'?"),
    ("stances/standing.toml", '"pelvis.tilt" = 1.0', '"pelvis.tilt" = 0', "the rate of pelvis.tilt must not be 0"),
    ("stances/standing.toml", 'name = "ankle_l"', 'name = "ankle_r"', "supports: 'ankle_r' is listed twice"),
    ("stances/standing.toml", 'body = "shank_l"', 'body = "foot_l"', "must be a body of bodies.csv"),
    ("stances/standing.toml", 'side = "left"', 'side = "port"', "must be 'right', 'left' or 'midline'"),
    ("stances/forward_bend.toml", "trunk_flexion = 40.0", "trunk_flex = 40.0", "'trunk_flex' is not a posture angle"),
    ("stances/forward_bend.toml", 'like = "standing"', 'like = "hanging"', "must be the name of another stance"),
    (
        "stances/forward_bend.toml",
        'confidence = "assumed"',
        'confidence = "sure"',
        "confidence = sure, must be 'extrac",
    ),
]


# stance, old text, new text, what the message must say
STANCES = [
    ("prone", 'body = "thorax"\nposition_m = [0.128', 'body = "thrax"\nposition_m = [0.128', "did you mean 'thorax'?"),
    ("prone", 'name = "bed_head"', 'name = "bed_thorax_l"', "contacts: 'bed_thorax_l' is listed twice"),
    (
        "prone",
        'surface = "bed"\nbody = "thorax"\nposition_m = [0.128',
        'surface = "sofa"\nbody = "thorax"\nposition_m = [0.128',
        "contacts.surface = sofa, must be 'bed', 'backrest' or 'harness'",
    ),
    (
        "prone",
        "stiffness_N_per_m = 4000.0",
        "stiffness_N_per_m = 0",
        "contacts.stiffness_N_per_m = 0, must be greater than 0",
    ),
    ("prone", "stiffness_N_per_m = 4000.0", "stiffness_Nm = 4000.0", "contacts.stiffness_N_per_mm is missing"),
    ("prone", "height_m = -0.003", "height_m = nan", "contacts.height_m = nan, must be a finite number"),
    (
        "prone",
        "stiffness_N_per_m = 4000.0\nblend_mm = 3.0",
        "stiffness_N_per_m = 4000.0\nblend_mm = -3.0",
        "contacts.blend_mm = -3.0, must be greater than 0",
    ),
    (
        "prone",
        "position_m = [0.128, 0.4446, 0.0]\nnormal = [-1.0, 0.0, 0.0]",
        "position_m = [0.128, 0.4446, 0.0]\nnormal = [0.0, 0.0, 0.0]",
        "contacts.normal = [0.0, 0.0, 0.0], must be a direction, not 0",
    ),
    ("prone", "up = [-1.0, 0.0, 0.0]", "up = [0, 0, 0]", "up = [0, 0, 0], must be a direction, not 0"),
    ("prone", "up = [-1.0, 0.0, 0.0]", "up = [-1.0, 0.0]", "up = [-1.0, 0.0], must be a list of 3 numbers"),
    ("prone", "up = [-1.0, 0.0, 0.0]", "up = [inf, 0.0, 0.0]", "up = [inf, 0.0, 0.0], must be a finite number"),
    ("prone", "supported = true", "supported = 1", "supported = 1, must be true or false"),
    ("prone", '    "spine",', '    "spin",', "must be a list of tables and the word 'spine'"),
    ("prone", '    "spine",', '    "spine", "spine",', "free: 'L5_S1.flexion' is listed twice"),
    ("prone", '    "spine",', "    3,", "free must be a table"),
    ("overhead_squat", 'body = "thorax"', 'body = "arms"', "shifts.body = arms, must be a body of bodies.csv"),
    ("overhead_squat", "by_m = [0.0, 0.0818, 0.0]", "by_m = [0.0818]", "must be a list of 3 numbers"),
    ("overhead_squat", "by_m = [0.0, 0.0818, 0.0]", "by_m = [0, 0, 0]\nfor_s = 3", "unknown key shifts.for_s"),
    ("gait_mid_stance_right", "weight_factor = 0.78", "weight_factor = 0", "weight_factor = 0, must be greater than 0"),
    ("gait_mid_stance_right", "weight_factor = 0.78", 'weight_factor = "1"', "weight_factor = 1, must be a number"),
    ("gait_mid_stance_right", "centre_m = [0.05, 0.0]", "centre_m = 0.05", "must be a list of 2 numbers"),
    ("gait_mid_stance_right", '"hip_flexion.left" = 25.0', '"hip_flexion.up" = 25.0', "is not a posture angle"),
    (
        "gait_mid_stance_right",
        '"hip_flexion.left" = 25.0',
        '"knee_flexion.left" = 25.0',
        "held: knee_flexion.left is not free in this stance",
    ),
    ("lift_stoop", "trunk_flexion = 70.0", "pelvic_list = 3.0", "held: pelvic_list is not free in this stance"),
    ("sitting_upright", 'like = "sitting"', "like = 3", "like = 3, must be the name of another stance"),
    (
        "sitting_upright",
        'like = "sitting"',
        'like = ["sitting"]',
        "like = ['sitting'], must be the name of another stance",
    ),
    ("sitting_upright", 'like = "sitting"', 'like = "sitting_upright"', "must be the name of another stance"),
    ("sitting_upright", 'like = "sitting"', 'like = "single_leg_left"', "must not be a stance that is itself a mirror"),
    ("sitting", "actuators = []", "actuators = []\nmirror = true", "mirror = True, needs the key like"),
    ("single_leg_left", 'like = "single_leg_right"', 'like = "single_leg_left"', "must be the name of another stance"),
    ("single_leg_left", "mirror = true", 'mirror = "yes"', "mirror = yes, must be true or false"),
    ("single_leg_right", "share = 1.0", "share = 0.7", "the shares of the supports add up to 0.7, must be 1"),
    ("single_leg_right", "share = 1.0", "share = 1.5", "must be less than or equal to 1"),
    ("single_leg_right", 'body = "shank_r"', 'body = "foot_r"', "supports.body = foot_r, must be a body of bodies.csv"),
    ("single_leg_right", '"ankle_inversion_r", ', '"ankle_invertion_r", ', "did you mean 'ankle_inversion_r'?"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), STANCES)
def test_broken__stance(folder, name, old, new, words):
    edit(folder / "stances" / f"{name}.toml", old, new)
    message = complaint(folder)
    assert words in message
    assert re.match(rf"adult/stances/{name}\.toml line \d+: ", message)


def test_broken__stances_like_each_other_in_a_circle(folder):
    edit(folder / "stances" / "sitting_upright.toml", 'like = "sitting"', 'like = "sitting_slumped"')
    edit(folder / "stances" / "sitting_slumped.toml", 'like = "sitting"', 'like = "sitting_upright"')
    assert "which is not like this one" in complaint(folder)


def test_broken__stance_without_supports(folder):
    path = folder / "stances" / "single_leg_right.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("[[supports]]")[0], encoding="utf-8")
    assert "a stance needs at least one support" in complaint(folder)


def test_broken__stance_in_which_nothing_weighs(folder):
    bodies = [row[0] for row in cells(folder / "bodies.csv")[1:]]
    listed = ", ".join(f'"{name}"' for name in bodies)
    edit(
        folder / "stances" / "sitting.toml",
        'unweighted = ["femur_r", "shank_r", "femur_l", "shank_l"]',
        f"unweighted = [{listed}]",
    )
    assert "must leave at least one body whose weight acts on the chain" in complaint(folder)


@pytest.mark.parametrize(("key", "words"), [("strap_right_m", "strap_right_m"), ("pack_m", "pack_m")])
def test_broken__carry(folder, key, words):
    edit(folder / "model.toml", f"{key} = {{ value = [", f"{key} = {{ value = [1.0, ")
    assert words in complaint(folder)
    assert "must be a list of 3 numbers" in complaint(folder)


@pytest.mark.parametrize(("name", "old", "new", "words"), DOCUMENTS)
def test_broken__document(folder, name, old, new, words):
    edit(folder / name, old, new)
    message = complaint(folder)
    assert words in message
    assert message.startswith("adult/")


CROSSED, SIDE = "lower_crossed", "left_right_strength"
IMBALANCES = [
    (
        CROSSED,
        '"strength.gluteals" = { value = 0.6',
        '"strength.gluteal" = { value = 0.6',
        "did you mean strength.gluteals",
    ),
    (CROSSED, "value = 20.0", "value = 50.0", "= 50 deg is not allowed: it must be a number from -20 to 40 deg"),
    (
        CROSSED,
        "value = 20.0",
        "value = nan",
        "parameters.tightness.hip_flexors_deg.value = nan, must be a finite number",
    ),
    (
        CROSSED,
        "hip_flexors_deg",
        "hip_flexors",
        "tightness.hip_flexors: must end in the unit, tightness.hip_flexors_deg",
    ),
    (CROSSED, "tightness.hip_flexors_deg", "tightness.gluteals_deg", "gluteals has no clinical test"),
    (CROSSED, '{ value = 20.0, source = "assumed"', "{ value = 20.0", "tightness.hip_flexors_deg.source is missing"),
    (CROSSED, '{ value = 20.0, source = "assumed"', '{ value = 20.0, source = "me2020"', "'me2020' is not one"),
    (CROSSED, "{ value = 20.0,", "{", "tightness.hip_flexors_deg.value is missing"),
    (
        CROSSED,
        '"strength.gluteals" = {',
        '"strength.gluteals" = { kind = 2,',
        "unknown key parameters.strength.gluteals.kind",
    ),
    (CROSSED, '"stiffness.erectors"', '"subject.mass_kg"', "subject.mass_kg: an imbalance may set strength, stiffness"),
    (CROSSED, '"stiffness.erectors"', '"inhibition.lower"', "There is no parameter inhibition.lower"),
    (CROSSED, 'source = "preece2021+heino1990', 'source = "preece+heino1990', "'preece' is not one"),
    (CROSSED, 'confidence = "read"', 'confidence = "sure"', "confidence = sure, must be 'extracted', 'read'"),
    (CROSSED, 'sides = "both"', 'sides = "left"', "sides = left, must be 'both' or 'one'"),
    (CROSSED, 'name = "lower_crossed"', 'name = "crossed"', "name = crossed, must be the name of the file"),
    (CROSSED, "claim = ", "story = ", "claim is missing"),
    (CROSSED, "claim = ", "story = 1\nclaim = ", "unknown key story"),
    (SIDE, '"strength.gluteals"', '"strength.gluteals.left"', "There is no parameter strength.gluteals.left.left"),
    (SIDE, '"strength.gluteals"', '"load.hands_kg"', "There is no parameter load.hands.left"),
    (
        "weak_core",
        '"strength.core"',
        '"inhibition.core" = { value = 0.1, source = "assumed", confidence = "assumed" }\n"tone.core"',
        "above its inhibition of 0.1: it must be no larger",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), IMBALANCES)
def test_broken__imbalance(folder, name, old, new, words):
    edit(folder / "imbalances" / f"{name}.toml", old, new)
    message = complaint(folder)
    assert words in message
    assert re.match(rf"adult/imbalances/{name}\.toml line \d+: ", message)


def test_broken__imbalance_names_the_line_of_its_entry(folder):
    path = folder / "imbalances" / "lower_crossed.toml"
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "strength.abdominals" in text)
    edit(path, '"strength.abdominals" = { value = 0.6', '"strength.abdominals" = { value = 4')
    assert complaint(folder) == (
        f"adult/imbalances/lower_crossed.toml line {line}: strength.abdominals = 4 is not allowed: "
        "it must be a number from 0 to 3"
    )


def test_broken__imbalance_without_parameters(folder):
    path = folder / "imbalances" / "weak_core.toml"
    path.write_text(path.read_text().partition('"strength')[0])
    assert complaint(folder).endswith("parameters = {}, must set at least one parameter")


def test_broken__load_of_a_model_without_hands(folder):
    path = folder / "model.toml"
    content = re.sub(r"\[hand\].*?\n\[", "[", path.read_text(), flags=re.DOTALL)
    path.write_text(content)
    assert re.search(r"imbalances/backpack\.toml line \d+: load\.back_kg: the model has no hands", complaint(folder))


def test_imbalances__may_be_absent(folder):
    for path in (folder / "imbalances").iterdir():
        path.unlink()
    assert load_model(folder).imbalances == {}


def test_broken__unbalanced_support_shares(folder):
    path = folder / "stances" / "standing.toml"
    content = path.read_text(encoding="utf-8").rsplit("share = 0.5", 1)
    path.write_text("share = 0.4".join(content), encoding="utf-8")
    assert "the shares of the supports add up to 0.9, must be 1" in complaint(folder)


def test_broken__malformed_toml_names_the_line(folder):
    edit(folder / "stances" / "sitting.toml", "upright = false", "upright = perhaps")
    assert re.match(r"adult/stances/sitting\.toml: not valid TOML: .*line 8", complaint(folder))


def test_tables__optional_ones_may_be_absent(folder):
    for name in ("foramen_outline", "pedicles", "canals", "roots", "tests", "tightness", "tissues"):
        (folder / f"{name}.csv").unlink()
    shutil.rmtree(folder / "imbalances")  # they set tightness and loads, which need tests and hands
    path = folder / "model.toml"
    content = path.read_text(encoding="utf-8")
    for first, last in (("[foot]", "[bulge]"), ("[root]", "[groups]")):
        start, end = content.index(first), content.index(last)
        content = content[:start] + content[end:]
    path.write_text(content, encoding="utf-8")
    model = load_model(folder)
    assert (model.foramen_outline, model.pedicles, model.canals, model.tests) == ((), (), (), ())
    assert (model.foot, model.hand, model.root_law, model.sciatic) == (None,) * 4


def test_tables__any_unit_of_a_dimension_may_stand_in_the_heading(folder, adult):
    rows = cells(folder / "muscles.csv")
    area, angle = rows[0].index("pcsa_m2"), rows[0].index("pennation_rad")
    rows[0][area], rows[0][angle] = "pcsa_cm2", "pennation_deg"
    for row in rows[1:]:
        row[area] = repr(float(row[area]) * 1e4)
        row[angle] = repr(float(row[angle]) * 57.29577951308232)
    write(folder / "muscles.csv", rows)
    for here, there in zip(load_model(folder).muscles, adult.muscles, strict=True):
        assert here.pcsa == pytest.approx(there.pcsa, rel=1e-12)
        assert here.pennation == pytest.approx(there.pennation, rel=1e-12)


TABLES = ["bodies", "joints", "coordinates", "discs", "disc_springs", "tissues", "actuators", "tests", "pedicles"]
DAMAGE = st.one_of(
    st.sampled_from(
        ["", "nan", "-inf", "1e400", "-1", "0", "1e-300", "ground", "L5", "hip_r.flexion", '"', "a\nb", "\0"]
    ),
    st.text(max_size=6).filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t)),
    st.floats().map(repr),
)


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    return copy_of_adult(tmp_path_factory.mktemp("spoiled"))


def verdict(folder):
    """The message about a folder, "" if it loads; any other exception passes through and fails the test."""
    try:
        load_model(folder)
    except ModelError as error:
        return str(error)
    return ""


@given(table=st.sampled_from(TABLES), place=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), value=DAMAGE)
def test_broken__any_damaged_cell_loads_or_names_its_place(spoiled, table, place, value):
    path = spoiled / f"{table}.csv"
    sound = path.read_bytes()
    rows = cells(path)
    row = rows[place[0] % len(rows)]
    row[place[1] % len(row)] = value
    try:
        write(path, rows)
        assert re.fullmatch(r"|.*adult/[\w/]+\.(csv|toml).*", verdict(spoiled), re.DOTALL)
    finally:
        path.write_bytes(sound)


@given(table=st.sampled_from(TABLES), where=st.integers(0, 10**6), damage=st.binary(min_size=1, max_size=3))
def test_broken__any_damaged_bytes_load_or_name_their_place(spoiled, table, where, damage):
    path = spoiled / f"{table}.csv"
    sound = path.read_bytes()
    start = where % len(sound)
    try:
        path.write_bytes(sound[:start] + damage + sound[start + len(damage) :])
        assert re.fullmatch(r"|.*adult/[\w/]+\.(csv|toml).*", verdict(spoiled), re.DOTALL)
    finally:
        path.write_bytes(sound)
