"""The one decorator of all kernels: compiled on first use, cached on disk, free of Python's lock.

numba's cache does not see that a *called* function in another file has changed, so the cache folder is keyed by a
digest of all kernel sources and of the versions that compile them. ``SPINESIM_CACHE_DIR`` moves the folder; where no
folder can be written, kernels are compiled anew in every process, and a warning says so.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np

log = logging.getLogger("spinesim")


def _digest() -> str:
    """Digest of everything the machine code depends on."""
    text = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text.update(path.name.encode())
        text.update(path.read_bytes())
    for version in (numba.__version__, llvmlite.__version__, np.__version__, sys.version):
        text.update(version.encode())
    return text.hexdigest()[:16]


DIGEST = _digest()


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _cache_folder() -> Path | None:
    """The first folder that can be written, or None."""
    roots = []
    if "SPINESIM_CACHE_DIR" in os.environ:
        roots.append(Path(os.environ["SPINESIM_CACHE_DIR"]))
    else:
        roots.append(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "spinesim")
        roots.append(Path(tempfile.gettempdir()) / f"spinesim-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
    for root in roots:
        if _writable(root / DIGEST):
            return root / DIGEST
    log.warning("no cache folder can be written (%s): spinesim compiles its kernels in every process", roots[0])
    return None


CACHE_FOLDER = _cache_folder()
_MARK = None if CACHE_FOLDER is None else CACHE_FOLDER / "compiled"
_HELPERS: list[subprocess.Popen[bytes]] = []


def announce() -> None:
    """Say, before a first call that has to compile, that it will take a while, and share it with a second process."""
    if _MARK is None or not _MARK.exists():
        log.warning("spinesim compiles its kernels on first use; this takes a minute or two and is then kept")
        _share()


def _share() -> None:
    """Let a second process compile from the other end, once per cache folder (see `spinesim.ahead`)."""
    if CACHE_FOLDER is None or not sys.executable:
        return
    try:
        (CACHE_FOLDER / "ahead").touch(exist_ok=False)
        same = f"import sys; sys.path[:] = {sys.path!r}; from spinesim.ahead import main; main()"
        quiet = subprocess.DEVNULL
        _HELPERS.append(subprocess.Popen([sys.executable, "-c", same], stdin=quiet, stdout=quiet, stderr=quiet))
    except OSError as error:
        log.debug("no second process compiles: %s", error)


def mark_compiled() -> None:
    """Remember that the kernels of this digest have been compiled and kept; a second process has no more to do."""
    while _HELPERS:
        helper = _HELPERS.pop()
        helper.terminate()
        helper.wait()
    if _MARK is not None:
        _MARK.touch()


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    options |= {"nogil": True, "no_cfunc_wrapper": True}
    if CACHE_FOLDER is None:
        return numba.njit(error_model="numpy", **options)(function)
    kept = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(CACHE_FOLDER)
    try:
        return numba.njit(error_model="numpy", cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = kept


def kernel(function: Callable[..., Any] | None = None, *, makes_arrays: bool = False) -> Any:
    """Compile a function without Python objects; division by zero and overflow give inf or nan, as in numpy.

    One that makes no arrays of its own counts no references: counting those of a whole model at every call takes
    longer than many a call. One that makes arrays must say so, or numba refuses it; so must one that is given some by
    a kernel it calls, or they are never freed.
    """
    if function is None:
        return partial(kernel, makes_arrays=makes_arrays)
    return _compiled(function, _nrt=makes_arrays)


def inner(function: Callable[..., Any] | None = None, *, makes_arrays: bool = False) -> Any:
    """A kernel that only kernels call: without the entry from Python, which would take as long to compile again."""
    if function is None:
        return partial(inner, makes_arrays=makes_arrays)
    return _compiled(function, _nrt=makes_arrays, no_cpython_wrapper=True)


def stage(function: Callable[..., Any]) -> Any:
    """A kernel with one place of use, compiled as part of it; from Python it can still be called by itself."""
    return _compiled(function, inline="always")
