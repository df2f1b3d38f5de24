"""Strength and load rows, and the alternatives to the constants decided on."""

import pytest

from spinesim.capacity import load_table, measured_rows, passive_share, strength_table, write
from spinesim.errors import InputError
from spinesim.solve import solve


def test_strength_table__all_rows_of_the_adult_are_inside(adult):
    """McNeill 1980, Kumar 1995, Cahalan 1989, Arnold 2010; the hip rows decided the tension of the hip."""
    table = strength_table(adult)
    assert (table.verdict == "inside").all()
    assert table.sizes["row"] == len(measured_rows("strength"))


def test_load_table__what_the_adult_meets_and_what_it_misses(adult):
    """None of these rows decided a constant."""
    table = load_table(adult)
    verdict = dict(zip(table.row.values.tolist(), table.verdict.values.tolist(), strict=True))
    inside = (
        "DP004",
        "DP008",
        "DP010",
        "DP056",
        "DP057",
        "DP058",
        "SL025",
        "SL027",
        "SL029",
        "SL031",
        "MA024",
    )
    assert {row: verdict[row] for row in inside} == dict.fromkeys(inside, "inside")
    assert verdict["HOLD60"] == "feasible"
    # known misses: standing without co-contraction, and the end of the range, where rhythm and passive law disagree
    assert verdict["DP001"] == verdict["SL049"] == "below"
    assert verdict["SL030"] == "below"  # 0.1 % below its band
    assert verdict["BEND90"] == "infeasible"
    assert str(table.missing.sel(row="BEND90").item()).startswith("L4_L5.flexion +")


def test_load_table__rows_are_the_cases_of_solve(adult):
    table = load_table(adult)
    case = solve(adult, {"load.hands": 20, "load.reach": 0.2}, posture={"trunk_flexion": 0})
    assert float(table.computed.sel(row="DP010")) == float(case.disc_pressure.sel(level="L4_L5"))
    ratio = table.computed.sel(row="DP010") / table.computed.sel(row="DP001")
    assert float(table.computed.sel(row="DP030")) == pytest.approx(100.0 * float(ratio))


def test_passive_share__grows_with_flexion(adult):
    shares = [passive_share(adult, "L4_L5", posture={"trunk_flexion": angle}) for angle in (20, 40, 65, 90)]
    assert shares == sorted(shares)
    assert shares[0] < 50.0 < shares[2]


def test_passive_share__and_active_muscle_make_up_the_whole(adult):
    """What is not passive is what the muscles and the pressure of the solved case give."""
    posture = {"trunk_flexion": 40}
    off = {"iap.highest": 0.0}
    share = passive_share(adult, "L5_S1", off, posture=posture)
    twice = passive_share(adult, "L5_S1", {**off, "load.hands": 20}, posture=posture)
    assert 0.0 < twice < share < 100.0


def test_measured_rows__every_row_says_where_it_comes_from():
    for name in ("strength", "loads"):
        for row in measured_rows(name):
            assert row["confidence"] in ("read", "literature-memory", "assumed")
            assert row["use"] in ("evidence", "calibration", "information")
            assert row["source"] or row["use"] == "information"
            if row["low"]:
                assert float(row["low"]) < float(row["high"])


def test_write__refuses_a_page_without_marks(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("# Nothing\n", encoding="utf-8")
    monkeypatch.setattr("spinesim.capacity.tables", lambda model: {"strength": "| a |"})
    with pytest.raises(InputError, match="the mark <!-- table: strength --> is missing"):
        write(page)
    page.write_text("a\n<!-- table: strength -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    write(page)
    assert page.read_text(encoding="utf-8") == "a\n<!-- table: strength -->\n\n| a |\n\n<!-- end -->\nb\n"
