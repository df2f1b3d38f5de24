"""Results files: bit-identical round trips, atomic writing, and the store from which a stopped sweep resumes."""

import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spinesim import results
from spinesim.errors import ResultsFileError
from spinesim.results import SweepStore, _boxes, open_results, write
from spinesim.variables import attributes

AXIS = "tightness.hip_flexors"
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


def result(compression, status, names=("ps_l1_r", "ps_l1_l"), **attrs):
    """A sweep over one axis with one number per level, one per case, one word per case, and muscle coordinates."""
    n_cases, n_levels = compression.shape
    return xr.Dataset(
        {
            "compression": ((AXIS, "level"), compression, attributes("compression")),
            "effort": ((AXIS,), compression[:, 0], attributes("effort")),
            "status": ((AXIS,), status, attributes("status")),
        },
        coords={
            AXIS: (AXIS, np.arange(n_cases), {"units": "deg", "long_name": "tightness of the hip flexors"}),
            "level": ("level", np.array([f"level {n}" for n in range(n_levels)]), attributes("level")),
            "muscle": ("muscle", np.array(names, dtype=str), attributes("muscle")),
            "muscle_side": ("muscle", np.full(len(names), "right"), attributes("muscle_side")),
        },
        attrs={"model": "adult", "seed": 7, "gravity": 9.81, "note": "", **attrs},
    )


def example():
    return result(np.array([[1.0, np.nan], [2.0, -0.0]]), np.array(["solved", "infeasible"], dtype="<U13"))


def assert_bit_identical(found, expected):
    assert found.sizes == expected.sizes
    assert list(found.data_vars) == list(expected.data_vars)
    assert list(found.coords) == list(expected.coords)
    assert found.attrs == expected.attrs
    assert [type(value) for value in found.attrs.values()] == [type(value) for value in expected.attrs.values()]
    for name, array in expected.variables.items():
        assert found[name].dims == array.dims
        assert found[name].attrs == array.attrs
        assert found[name].dtype == array.dtype
        assert found[name].values.tobytes() == array.values.tobytes()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bits=hnp.arrays(
        np.uint64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=4), elements=st.integers(0, 2**64 - 1)
    ),
    words=st.lists(WORDS, min_size=4, max_size=4),
    names=st.lists(WORDS, min_size=1, max_size=3, unique=True),
    text=WORDS,
)
def test_open_results__gives_back_every_bit(tmp_path, bits, words, names, text):
    status = np.array(words[: len(bits)], dtype="<U13")
    dataset = result(bits.view(np.float64), status, names, text=text)
    write(dataset, tmp_path / "result.nc")
    assert_bit_identical(open_results(tmp_path / "result.nc"), dataset)


def test_open_results__keeps_the_payload_of_nan_and_the_sign_of_zero(tmp_path):
    payload = np.array([[0x7FF8_0000_0000_1234, 0xFFF0_0000_0000_0001], [1 << 63, 0x7FF0 << 48]], dtype=np.uint64)
    dataset = result(payload.view(np.float64), np.array(["solved", "solved"]))
    write(dataset, tmp_path / "result.nc")
    assert np.array_equal(open_results(tmp_path / "result.nc")["compression"].values.view(np.uint64), payload)


def test_open_results__of_a_single_case_without_axes(tmp_path):
    dataset = example().isel({AXIS: 0}, drop=True)
    write(dataset, tmp_path / "result.nc")
    assert_bit_identical(open_results(tmp_path / "result.nc"), dataset)
    assert open_results(tmp_path / "result.nc")["status"].item() == "solved"


def test_open_results__keeps_long_attributes(tmp_path):
    dataset = example().assign_attrs(sources=json.dumps(["a source"] * 20_000))
    write(dataset, tmp_path / "result.nc")
    assert open_results(tmp_path / "result.nc").attrs == dataset.attrs


def test_write__what_was_opened_gives_the_same_bytes(tmp_path):
    for name, dataset in (("a", example()), ("b", example())):
        write(dataset, tmp_path / name)
    write(open_results(tmp_path / "a"), tmp_path / "c")
    first, *others = [(tmp_path / name).read_bytes() for name in "abc"]
    assert others == [first, first]


def test_write__opens_in_plain_xarray_with_dotted_dimensions(tmp_path):
    write(example(), tmp_path / "result.nc")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as plain:
        assert plain["compression"].dims == (AXIS, "level")
        assert plain["compression"].sel({AXIS: 1, "level": "level 0"}).item() == 2.0
        assert plain["status"].values.tolist() == ["solved", "infeasible"]
        assert set(plain.coords) == {AXIS, "level", "muscle", "muscle_side"}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda ds: ds.assign(my_ratio=1.0), "my_ratio is not a result variable"),
        (lambda ds: ds.assign(effort=ds["effort"].astype(int)), "effort .* floating-point numbers can be saved"),
        (lambda ds: ds.assign(status=ds["effort"]), "status .* words can be saved"),
        (lambda ds: ds.assign(compression=ds["compression"].transpose()), "compression has dimensions"),
        (lambda ds: ds.assign(effort=ds["effort"].assign_attrs(units="kg")), "effort does not carry the attributes"),
        (lambda ds: ds.assign_coords(axis=("axis", ["flexion"])), "axis does not carry the attributes"),
        (lambda ds: ds.assign_attrs(warm=True), "attribute warm of the dataset is True"),
        (lambda ds: ds.assign_attrs(seed=2**70), "attribute seed of the dataset"),
        (lambda ds: ds.assign_attrs(versions={"numpy": "2"}), "attribute versions .* text or a number"),
    ],
)
def test_write__refuses_what_is_not_in_the_register(tmp_path, spoil, complaint):
    with pytest.raises(ResultsFileError, match=complaint):
        write(spoil(example()), tmp_path / "result.nc")
    assert not list(tmp_path.iterdir())


def test_write__of_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ResultsFileError, match=r"cannot be written: the folder .*nowhere does not exist\.$"):
        write(example(), tmp_path / "nowhere" / "result.nc")


def test_write__onto_a_folder(tmp_path):
    with pytest.raises(ResultsFileError, match=r"cannot be written: Is a directory\.$"):
        write(example(), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def locked_folder():
    """A folder that the process may read and not write, even where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.rmdir()


def test_write__into_a_folder_that_may_not_be_written(locked_folder):
    with pytest.raises(ResultsFileError, match=r"result\.nc cannot be written: Permission denied\.$"):
        write(example(), locked_folder / "result.nc")


def test_store__in_a_folder_that_may_not_be_written(locked_folder):
    with pytest.raises(ResultsFileError, match=r"sweep\.nc cannot be written: Permission denied\.$"):
        open_store(locked_folder)


def test_write__of_more_than_the_disk_has_room_for(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ResultsFileError, match=r"result\.nc cannot be written: No space left on device\.$"):
        write(example(), tmp_path / "result.nc")
    assert not list(tmp_path.iterdir())


def run_limited(code, tmp_path):
    """Run code in a process of an ordinary user that may write no file beyond 20 kB."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    setting = {**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[1]}"}
    program = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(program, cwd=tmp_path, preexec_fn=limit, env=setting, capture_output=True, text=True)


def test_write__that_fails_half_way_keeps_the_earlier_file(tmp_path):
    write(example(), tmp_path / "result.nc")
    before = (tmp_path / "result.nc").read_bytes()
    done = run_limited(
        "import numpy as np, test_results, spinesim.results, spinesim.errors\n"
        "large = test_results.result(np.zeros((1000, 6)), np.full(1000, 'solved'))\n"
        "try: spinesim.results.write(large, 'result.nc')\n"
        "except spinesim.errors.ResultsFileError as error: print(error)",
        tmp_path,
    )
    assert done.stdout == "result.nc cannot be written: File too large.\n", done.stderr
    assert (tmp_path / "result.nc").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["result.nc"]


def test_open_results__of_a_missing_file(tmp_path):
    with pytest.raises(ResultsFileError, match="There is no results file"):
        open_results(tmp_path / "result.nc")


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
def test_open_results__of_a_truncated_file(tmp_path, kept):
    write(example(), tmp_path / "result.nc")
    whole = (tmp_path / "result.nc").read_bytes()
    (tmp_path / "result.nc").write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(ResultsFileError, match="cannot be read; it is cut off, damaged or not a results file"):
        open_results(tmp_path / "result.nc")


def test_open_results__of_foreign_files(tmp_path):
    (tmp_path / "text.nc").write_text("muscle,force\n")
    with pytest.raises(ResultsFileError, match="not a results file"):
        open_results(tmp_path / "text.nc")
    with h5py.File(tmp_path / "other.nc", "w") as file:
        file["compression"] = 1.0
    with pytest.raises(ResultsFileError, match="was not written by spinesim"):
        open_results(tmp_path / "other.nc")
    with pytest.raises(ResultsFileError, match="cannot be read"):
        open_results(tmp_path)


def test_open_results__of_a_later_format(tmp_path):
    write(example(), tmp_path / "result.nc")
    with h5py.File(tmp_path / "result.nc", "r+") as file:
        file.attrs["spinesim_results"] = json.dumps({"version": 2})
    with pytest.raises(ResultsFileError, match="format version 2; this spinesim reads version 1"):
        open_results(tmp_path / "result.nc")


@given(st.data(), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_boxes__cover_the_cases_once_and_in_order(data, shape):
    numbers = np.arange(np.prod(shape)).reshape(shape)
    start = data.draw(st.integers(0, numbers.size))
    stop = data.draw(st.integers(start, numbers.size))
    found = [number for box in _boxes(start, stop, tuple(shape)) for number in numbers[box].ravel()]
    assert found == list(range(start, stop))


# A sweep of 3 x 5 cases in blocks of four, kept in a store.

AXES = (AXIS, "load.hands")
DTYPES = {"compression": np.dtype(float), "status": np.dtype("<U13")}
SLICES = [slice(first, min(first + 4, 15)) for first in range(0, 15, 4)]
COMPRESSION = np.arange(30.0).reshape(15, 2)


def template():
    return xr.Dataset(
        coords={
            AXIS: (AXIS, [0.0, 5.0, 10.0], {"units": "deg"}),
            "load.hands": ("load.hands", np.arange(5.0), {"units": "kg"}),
            "level": ("level", np.array(["L5_S1", "L4_L5"]), attributes("level")),
        },
        attrs={"model": "adult"},
    )


def block_arrays(block):
    cases = SLICES[block]
    return {"compression": COMPRESSION[cases], "status": np.full(cases.stop - cases.start, "solved", "<U13")}


def expected(done_blocks=(0, 1, 2, 3)):
    compression, status = np.full((15, 2), np.nan), np.full(15, "pending", "<U13")
    for block in done_blocks:
        compression[SLICES[block]], status[SLICES[block]] = COMPRESSION[SLICES[block]], "solved"
    return template().assign(
        compression=((*AXES, "level"), compression.reshape(3, 5, 2), attributes("compression")),
        status=(AXES, status.reshape(3, 5), attributes("status")),
    )


def open_store(tmp_path, specification="a", n_blocks=4):
    return SweepStore(tmp_path / "sweep.nc", specification, n_blocks)


@pytest.mark.parametrize("batch_bytes", [1, 500, 32_000_000])
def test_store__assembles_the_dataset_of_the_sweep(tmp_path, monkeypatch, batch_bytes):
    monkeypatch.setattr(results, "_BATCH_BYTES", batch_bytes)
    with open_store(tmp_path) as store:
        for block in (2, 0, 3, 1):
            store.save(block, block_arrays(block))
        store.finish(template(), AXES, DTYPES, SLICES)
    assert_bit_identical(open_results(tmp_path / "sweep.nc"), expected())
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.nc"]


def test_store__a_stopped_sweep_leaves_a_valid_file_and_resumes(tmp_path):
    with open_store(tmp_path) as store:
        store.save(1, block_arrays(1))
        store.finish(template(), AXES, DTYPES, SLICES)
    assert_bit_identical(open_results(tmp_path / "sweep.nc"), expected([1]))
    with open_store(tmp_path) as store:
        assert store.done() == {1}
        assert np.array_equal(store.load(1)["compression"], COMPRESSION[SLICES[1]])
        for block in (0, 2, 3):
            store.save(block, block_arrays(block))
        store.finish(template(), AXES, DTYPES, SLICES)
    assert_bit_identical(open_results(tmp_path / "sweep.nc"), expected())


@pytest.mark.parametrize("other", [{"specification": "b"}, {"n_blocks": 5}])
def test_store__does_not_mix_two_sweeps(tmp_path, other):
    with open_store(tmp_path) as store:
        store.save(0, block_arrays(0))
    with pytest.raises(ResultsFileError, match="holds the finished part of another sweep: delete that folder"):
        open_store(tmp_path, **other)
    with open_store(tmp_path) as store:
        assert store.done() == {0}


def test_store__leaves_nothing_when_nothing_was_done(tmp_path):
    with open_store(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_store__of_a_damaged_part(tmp_path):
    with open_store(tmp_path) as store:
        store.save(0, block_arrays(0))
        part = next(store.parts.glob("*.npz"))
        part.write_bytes(part.read_bytes()[:200])
        with pytest.raises(ResultsFileError, match=r"00000000\.npz is damaged: delete it"):
            store.load(0)


def test_store__of_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ResultsFileError, match=r"the folder .*nowhere does not exist\.$"):
        SweepStore(tmp_path / "nowhere" / "sweep.nc", "a", 1)


def test_store__on_a_full_disk_keeps_the_blocks(tmp_path):
    with open_store(tmp_path) as store:
        store.save(0, block_arrays(0))
    done = run_limited(
        "import numpy as np, spinesim.results, spinesim.errors\n"
        "with spinesim.results.SweepStore('sweep.nc', 'a', 4) as store:\n"
        "    try: store.save(1, {'compression': np.zeros(10_000)})\n"
        "    except spinesim.errors.ResultsFileError as error: print(error)",
        tmp_path,
    )
    words = "00000001.npz cannot be written: File too large; what is finished is kept in sweep.nc.parts"
    assert words in done.stdout, done.stderr
    assert not list((tmp_path / "sweep.nc.parts").glob("*.tmp"))
    with open_store(tmp_path) as store:
        assert store.done() == {0}


def hold_store(folder, ready):
    with open_store(folder) as store:
        store.save(0, block_arrays(0))
        ready.set()
        time.sleep(60)


def test_store__is_refused_to_a_second_process_and_freed_by_its_death(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=hold_store, args=(tmp_path, ready))
    holder.start()
    try:
        assert ready.wait(30)
        with pytest.raises(ResultsFileError, match=f"being written by another process .number {holder.pid}"):
            open_store(tmp_path)
    finally:
        holder.kill()
        holder.join()
    assert (tmp_path / "sweep.nc.lock").exists()
    with open_store(tmp_path) as store:
        assert store.done() == {0}


def test_store__is_refused_to_a_second_holder_in_the_same_process(tmp_path):
    with open_store(tmp_path), pytest.raises(ResultsFileError, match=f"number {os.getpid()}"):
        open_store(tmp_path)
    with open_store(tmp_path):
        pass
