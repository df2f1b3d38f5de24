"""The register of result variables is consistent with itself."""

import pytest

from spinesim.variables import (
    ADAPTATION_COORDINATES,
    ADAPTATIONS,
    ASSESSMENT_COORDINATES,
    ASSESSMENTS,
    COMPARISON_COORDINATES,
    COMPARISONS,
    COORDINATES,
    SENSITIVITIES,
    SENSITIVITY_COORDINATES,
    VARIABLES,
    attributes,
)

REGISTERS = (VARIABLES, ASSESSMENTS, SENSITIVITIES, COMPARISONS, ADAPTATIONS)
COORDINATE_REGISTERS = (
    *(COORDINATES, ASSESSMENT_COORDINATES, SENSITIVITY_COORDINATES, COMPARISON_COORDINATES),
    ADAPTATION_COORDINATES,
)
KNOWN = {name: variable for register in REGISTERS for name, variable in register.items()}
PLACES = {name: variable for register in COORDINATE_REGISTERS for name, variable in register.items()}


@pytest.mark.parametrize("variable", [*KNOWN.values(), *PLACES.values()], ids=lambda variable: variable.name)
def test_register__says_one_sentence_and_knows_its_dimensions(variable):
    assert variable.description[0].isupper()
    assert variable.description.endswith(".")
    assert all(dim in PLACES for dim in variable.dims)


def test_register__has_no_name_twice():
    assert not KNOWN.keys() & PLACES.keys()
    assert len(KNOWN) == sum(map(len, REGISTERS))
    assert len(PLACES) == sum(map(len, COORDINATE_REGISTERS))
    assert all(name == variable.name for name, variable in (KNOWN | PLACES).items())


def test_register__only_words_have_no_unit():
    assert {name for name, variable in KNOWN.items() if not variable.units} == {"status"}


def test_attributes__are_what_an_array_carries():
    assert attributes("hip_contact_force") == {
        "units": "N",
        "long_name": "hip contact force",
        "description": VARIABLES["hip_contact_force"].description,
    }
    assert attributes("level")["units"] == ""
