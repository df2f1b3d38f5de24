"""Claims: the rule of the verdict, the table of the evidence, and findings that must follow from mechanics."""

import math
from pathlib import Path

import pytest

from spinesim import claims as module
from spinesim.claims import (
    EVIDENCE,
    NOT_ASKED,
    NOT_COMPUTED,
    Claim,
    Finding,
    case_words,
    claims,
    find_measure,
    judge,
    judged,
    main,
    size_words,
    tables,
)
from spinesim.cli import app
from spinesim.errors import InputError, ModelError
from spinesim.intervention import programme
from spinesim.solve import check_settings

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"


@pytest.fixture(scope="module")
def findings(adult):
    chosen = ["one_hand", "soft_tissue", "core_instability", "correction", "sitting_load"]
    return {f.claim.id: f for f in judged(adult, count=3, chosen=chosen)}


@pytest.mark.parametrize(
    ("numbers", "more", "less"),
    [
        ((2.0, 1.0, 3.0), "supported", "contradicted"),
        ((-2.0, -3.0, -1.0), "contradicted", "supported"),
        ((0.2, 0.1, 0.3), "too small", "opposite, too small"),
        ((2.0, -1.0, 5.0), "depends on the person", "contradicted"),
        ((0.2, -1.0, 1.0), "null", "null"),
        ((0.0, 0.0, 0.0), "null", "null"),
        ((math.nan, 0.0, 0.0), NOT_COMPUTED, NOT_COMPUTED),
    ],
)
def test_judge__follows_the_rule(numbers, more, less):
    assert judge("more", *numbers, 0.5) == more
    assert judge("less", *numbers, 0.5) == less


def test_judge__a_claim_without_a_side_takes_that_of_the_mean():
    assert judge("any", -2.0, -3.0, -1.0, 0.5) == "supported"
    assert judge("any", 2.0, 1.0, 3.0, 0.5) == "supported"


def test_claims__can_all_be_put_to_the_model(adult):
    assert len({claim.id for claim in claims()}) == len(claims()) > 30
    for claim in claims():
        assert claim.evidence in EVIDENCE
        assert claim.source
        if not claim.stance:
            continue
        for settings in (claim.settings, claim.settings_without):
            check_settings(adult, dict(settings))
        if claim.programme:
            programme(adult, claim.programme)
        assert {claim.stance, claim.stance_without} <= set(adult.stances)
        assert find_measure(adult, claim.outcome) or claim.outcome == "piriformis_pressure"
        assert (claim.settings, claim.programme, claim.stance) != (claim.settings_without, "", claim.stance_without)


def test_findings__that_follow_from_mechanics(findings):
    assert findings["one_hand"].verdict == "supported"
    assert findings["one_hand"].low > 0.0
    assert findings["soft_tissue"].verdict == "null"
    assert findings["core_instability"].mean < 0.0
    assert findings["correction"].verdict == NOT_ASKED
    assert findings["sitting_load"].count == 3


def test_judged__what_nothing_computes_is_said_so(adult, monkeypatch):
    claim = next(c for c in claims() if c.id == "one_hand")
    ghost = Claim(**{**claim.__dict__, "id": "ghost", "outcome": "pain"})
    monkeypatch.setattr(module, "claims", lambda: (ghost,))
    (found,) = judged(adult, count=1)
    assert found.verdict == NOT_COMPUTED
    assert size_words(found) == "—"


def test_judged__unknown_claims_are_refused(adult):
    with pytest.raises(InputError, match="There is no claim nonsense: claims are hip_flexors_forward"):
        judged(adult, chosen=["nonsense"])


def test_words__of_size_and_case():
    claim = next(c for c in claims() if c.id == "stretching_posture")
    found = Finding(claim, "supported", -2.5, -5.0, -0.00001, 8.0, "deg", 64)
    assert size_words(found) == "-2.5 deg (-5 to 0)"
    assert case_words(claim) == (
        "imbalance.lower_crossed = 1, 8 weeks of stretch.hip_flexors 3 times a week, standing; less "
        "imbalance.lower_crossed = 1, standing: anterior_pelvic_tilt"
    )


def test_tables__have_every_claim_and_count_the_verdicts(findings):
    made = tables(list(findings.values()))
    assert all(f.claim.claim in made["claims"] for f in findings.values())
    assert made["counts"].startswith("| model, down; evidence, across | ")


def test_main__writes_the_page(findings, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "judged", lambda model: list(findings.values()))
    page = tmp_path / "claims.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    assert main([str(page)]) == 0
    assert findings["one_hand"].claim.claim in page.read_text(encoding="utf-8")
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_page__has_every_claim_of_the_table():
    words = PAGE.read_text(encoding="utf-8")
    assert all(f"| {claim.claim} |" in words for claim in claims())


def test_command__shows_verdict_and_evidence(capsys):
    app(["claims", "--people", "1", "--claim", "pinching"], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "pinching" in shown
    assert "partly" in shown


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",supported,2.3 MPa", ",true,2.3 MPa", r"lifting: evidence = true, must be one of supported, partly"),
        ("compression.L4_L5,more,supported,2.3", "compression.L4_L5,,supported,2.3", "needs stance, stance_without"),
        (
            "load.hands=20,,,compression.L4_L5,more,supported,2.3",
            "load.hands,,,compression.L4_L5,more,supported,2.3",
            "with = load.hands, must have the form name=value",
        ),
        ("lifting_technique,", "lifting,", "the row appears twice"),
    ],
)
def test_claims__damage_is_one_sentence(old, new, message, monkeypatch, tmp_path):
    folder = Path(module.__file__).with_name("data")
    text = (folder / "claims.csv").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "claims.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "claims.py"))
    claims.cache_clear()
    try:
        with pytest.raises(ModelError, match=message):
            claims()
    finally:
        claims.cache_clear()
