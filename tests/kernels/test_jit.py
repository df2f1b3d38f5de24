"""The decorators of all kernels."""

import ast
from pathlib import Path

import pytest

import spinesim.kernels

SOURCES = sorted(Path(spinesim.kernels.__file__).parent.glob("*.py"))
MAKERS = {"empty", "zeros", "ones", "full", "array", "copy", "eigh", "arange"}
GIVERS = {"_stable_stiffness", "stable_modes"}  #: kernels that return arrays


def functions_called(node):
    return [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]


def names_called(node):
    return {f.id for f in functions_called(node) if isinstance(f, ast.Name)}


def kernels():
    """By the name of every kernel its decorator, the makers of arrays in it, and what else it calls."""
    functions = {}
    for source in SOURCES:
        for node in ast.parse(source.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                methods = {f.attr for f in functions_called(node) if isinstance(f, ast.Attribute)}
                functions[node.name] = (ast.unparse(node.decorator_list[0]), methods & MAKERS, names_called(node))
    return functions


FUNCTIONS = kernels()


def makes(name):
    """What makes arrays in a kernel or in the stages that are compiled as part of it."""
    _, makers, calls = FUNCTIONS[name]
    found = makers | calls & GIVERS
    for other in calls & FUNCTIONS.keys() - {name}:
        if FUNCTIONS[other][0] == "stage":
            found |= makes(other)
    return found


@pytest.mark.parametrize("name", [name for name, (decorator, *_) in FUNCTIONS.items() if decorator != "stage"])
def test_kernel__says_that_it_makes_arrays(name):
    """Where it does not say so no references are counted, and an array would never be freed: numba does not notice."""
    assert bool(makes(name)) == ("makes_arrays" in FUNCTIONS[name][0])
