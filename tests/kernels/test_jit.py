"""The decorators of all kernels: who makes arrays must say so.

A kernel that does not say so counts no references. Numba refuses one that makes an array; one that is given an array by
a kernel it calls would never free it, and nobody would notice.
"""

import ast
from pathlib import Path

import pytest

import spinesim.kernels

SOURCES = {path.stem: ast.parse(path.read_text()) for path in Path(spinesim.kernels.__file__).parent.glob("*.py")}
KERNELS = {
    (module, node.name): node
    for module, tree in SOURCES.items()
    for node in tree.body
    if isinstance(node, ast.FunctionDef) and node.decorator_list
}


def decorator(kernel):
    return ast.unparse(KERNELS[kernel].decorator_list[0])


def is_maker(call):
    """A call on numpy, or a copy of an array."""
    words = ast.unparse(call.func).split(".")
    return words[0] == "np" or (len(words) > 1 and words[-1] == "copy")


def called(node):
    """Kernels that are called in an expression or function, by name or through their module."""
    names = {ast.unparse(call.func).split(".")[-1] for call in ast.walk(node) if isinstance(call, ast.Call)}
    return {kernel for kernel in KERNELS if kernel[1] in names}


def fresh(node, made):
    """Whether an expression is, or holds, an array that was made here or given by a kernel."""
    if isinstance(node, ast.Tuple):
        return any(fresh(part, made) for part in node.elts)
    if isinstance(node, ast.Name):
        return node.id in made
    return isinstance(node, ast.Call) and (is_maker(node) or any(gives(kernel) for kernel in called(node)))


def gives(kernel):
    """Whether a kernel returns arrays of its own."""
    body, made = KERNELS[kernel], set()
    for node in ast.walk(body):
        if isinstance(node, ast.Assign):
            parts = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                parts = list(zip(node.targets[0].elts, node.value.elts, strict=True))
            for target, value in parts:
                if isinstance(value, ast.Call) and is_maker(value):
                    made |= {name.id for name in ast.walk(target) if isinstance(name, ast.Name)}
    return any(fresh(node.value, made) for node in ast.walk(body) if isinstance(node, ast.Return) and node.value)


def makes(kernel):
    """Whether a kernel, or a stage that is compiled as part of it, makes arrays or is given some."""
    body = KERNELS[kernel]
    if any(is_maker(node) for node in ast.walk(body) if isinstance(node, ast.Call)):
        return True
    others = called(body) - {kernel}
    return any(gives(other) or (decorator(other) == "stage" and makes(other)) for other in others)


def test_gives__finds_the_kernels_that_return_arrays():
    assert {kernel for kernel in KERNELS if gives(kernel)} == {
        ("outcome", "outcome"),
        ("stability", "_stable_stiffness"),
        ("stability", "stable_modes"),
    }


@pytest.mark.parametrize("kernel", [kernel for kernel in KERNELS if decorator(kernel) != "stage"], ids=".".join)
def test_kernel__says_that_it_makes_arrays(kernel):
    assert makes(kernel) == ("makes_arrays" in decorator(kernel))
