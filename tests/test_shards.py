"""Sweeps in parts and on other processes: the same numbers, and nothing lost by whatever goes wrong."""

import errno
import importlib
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

import spinesim as ss
from spinesim import shards
from spinesim.cluster import cluster
from spinesim.errors import InputError, ResultsFileError

sweeping = importlib.import_module("spinesim.sweep")  # its name in the package is the function

FEW = ["anterior_pelvic_tilt", "compression", "activation"]
AXES = {"strength.core": [1.0, 0.9, 0.8], "tightness.hip_flexors": np.linspace(0, 9, 100)}
OPTIONS = {"variables": FEW, "stability": False}
RNG = np.random.default_rng(5)
SAMPLES = {"strength.core": RNG.uniform(0.7, 1.2, 450), "load.hands": RNG.uniform(0, 5, 450)}
PEOPLE = {"subject.stature": RNG.uniform(1.6, 1.8, 6), "load.hand.right": RNG.uniform(0, 5, 6)}
HELD = {"variables": FEW, "posture": {"trunk_flexion": 8.0}}


@pytest.fixture(scope="module")
def whole(adult):
    return ss.sweep(adult, AXES, **OPTIONS)


@pytest.fixture(scope="module")
def drawn(adult):
    return ss.sweep(adult, samples=SAMPLES, **OPTIONS)


def assert_same_bits(first, second):
    xr.testing.assert_identical(first, second)
    for name, array in first.variables.items():
        assert array.values.tobytes() == second[name].values.tobytes(), name


# shards


@pytest.mark.parametrize("count", [1, 2, 3])
def test_merge__of_all_shards_is_the_sweep(adult, whole, tmp_path, count):
    parts = [tmp_path / f"{i}.nc" for i in range(1, count + 1)]
    for i, part in enumerate(parts, 1):
        shard = ss.sweep(adult, AXES, output=part, shard=f"{i}/{count}", threads=i, **OPTIONS)
        assert shard.status.dims == ("case",)
        assert shard.attrs["shard"] == f"{i}/{count}"
    merged = ss.merge(tmp_path / "whole.nc", parts[::-1])
    assert_same_bits(merged, whole)
    assert_same_bits(ss.open_results(tmp_path / "whole.nc"), whole)
    assert {path.name for path in tmp_path.iterdir()} == {"whole.nc", *(part.name for part in parts)}


def test_merge__of_samples(adult, drawn, tmp_path):
    parts = [tmp_path / f"{i}.nc" for i in (1, 2)]
    for i, part in enumerate(parts, 1):
        ss.sweep(adult, samples=SAMPLES, output=part, shard=f"{i}/2", **OPTIONS)
    assert_same_bits(ss.merge(tmp_path / "whole.nc", parts), drawn)


@pytest.fixture(scope="module")
def parts(adult, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    axes = {"load.hands": np.linspace(0, 4, 300)}
    for i in (1, 2, 3):
        ss.sweep(adult, axes, output=folder / f"{i}.nc", shard=f"{i}/3", **HELD)
    ss.sweep(adult, axes, output=folder / "other.nc", shard="2/3", variables=FEW, posture={"trunk_flexion": 9.0})
    ss.sweep(adult, {"load.hands": [1]}, output=folder / "whole.nc", **HELD)
    cut = (folder / "2.nc").read_bytes()
    (folder / "cut.nc").write_bytes(cut[: len(cut) // 2])
    return folder


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["1", "3"], "Of 3 shards, shard 2 is missing."),
        (["2"], "Of 3 shards, shards 1, 3 are missing."),
        (["1", "2", "3", "2"], "are both shard 2/3."),
        (["1", "other", "3"], "1.nc and .*other.nc are shards of different sweeps"),
        (["1", "whole"], "whole.nc is no shard of a sweep."),
        (["1", "cut", "3"], "cut.nc cannot be read; it is cut off"),
        (["1", "2", "none"], "There is no results file .*none.nc."),
        ([], "no part to merge"),
    ],
)
def test_merge__refuses_in_one_sentence(parts, tmp_path, names, words):
    target = tmp_path / "out.nc"
    with pytest.raises(ResultsFileError, match=words) as caught:
        ss.merge(target, [parts / f"{name}.nc" for name in names])
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_merge__does_not_write_over_a_part(parts):
    before = (parts / "1.nc").read_bytes()
    with pytest.raises(ResultsFileError, match="is one of the parts"):
        ss.merge(parts / "1.nc", [parts / f"{i}.nc" for i in (1, 2, 3)])
    assert (parts / "1.nc").read_bytes() == before


def test_merge__waits_for_no_second_writer(parts, tmp_path):
    target = tmp_path / "out.nc"
    with (
        shards.alone(target),
        pytest.raises(ResultsFileError, match=f"written by another process .number {os.getpid()}"),
    ):
        ss.merge(target, [parts / f"{i}.nc" for i in (1, 2, 3)])
    ss.merge(target, [parts / f"{i}.nc" for i in (1, 2, 3)])


def test_merge__refuses_a_shard_that_was_stopped(adult, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            ss.sweep(adult, AXES, output=tmp_path / "1.nc", shard="1/1", threads=1, **OPTIONS)
    with pytest.raises(
        ResultsFileError, match=r"1\.nc is not finished, [0-9]+ cases are pending: run its command again"
    ):
        ss.merge(tmp_path / "out.nc", [tmp_path / "1.nc"])
    assert not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize(
    ("shard", "words"),
    [
        ("0/2", "it must be i/n with i from 1 to n"),
        ("3/2", "it must be i/n"),
        ("1", "it must be i/n"),
        ("1/9", "the sweep has 3 blocks, so at most 3 shards"),
    ],
)
def test_shards__that_cannot_be_are_refused(adult, tmp_path, shard, words):
    with pytest.raises(InputError, match=words):
        ss.sweep(adult, AXES, output=tmp_path / "x.nc", shard=shard, **OPTIONS)
    with pytest.raises(InputError, match="needs an output file"):
        ss.sweep(adult, AXES, shard="1/2", **OPTIONS)


# stopped twice, full disk, second writer


def stop_after(monkeypatch, blocks):
    """Let the user press Ctrl-C once so many blocks are solved."""
    solve_block, solved = sweeping._solve_block, []

    def interrupted(grid, block):
        if len(solved) >= blocks:
            raise KeyboardInterrupt
        solved.append(block)
        return solve_block(grid, block)

    monkeypatch.setattr(sweeping, "_solve_block", interrupted)


def test_sweep__stopped_twice_has_the_bits_of_one_that_was_not(adult, whole, tmp_path, monkeypatch):
    path = tmp_path / "sweep.nc"
    left = []
    for _ in range(2):
        with monkeypatch.context() as patch:
            stop_after(patch, 1)
            with pytest.raises(KeyboardInterrupt):
                ss.sweep(adult, AXES, output=path, threads=1, **OPTIONS)
        left.append(int((ss.open_results(path).status == "pending").sum()))
    assert whole.status.size > left[0] > left[1] > 0
    assert_same_bits(ss.sweep(adult, AXES, output=path, **OPTIONS), whole)


def test_sweep__on_a_full_disk_says_so_and_goes_on_when_there_is_room(adult, whole, tmp_path, monkeypatch):
    path, savez, saved = tmp_path / "sweep.nc", np.savez, []

    def full(file, **arrays):
        if saved:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        saved.append(file)
        savez(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(ResultsFileError, match=r"No space left on device; what is finished is kept in .*parts"):
            ss.sweep(adult, AXES, output=path, threads=1, **OPTIONS)
    assert sorted(p.name for p in (tmp_path / "sweep.nc.parts").iterdir()) == ["00000000.npz", "sweep.json"]
    assert_same_bits(ss.sweep(adult, AXES, output=path, **OPTIONS), whole)
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.nc"]


def test_sweep__is_refused_while_another_writes_the_same_file(adult, tmp_path):
    path = tmp_path / "sweep.nc"
    with shards.alone(path), pytest.raises(ResultsFileError, match="being written by another process"):
        ss.sweep(adult, AXES, output=path, **OPTIONS)


# executors


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client


def test_dask__gives_the_bits_of_threads(adult, whole, drawn, client, tmp_path):
    pool = client.get_executor(pure=False)
    assert_same_bits(ss.sweep(adult, AXES, executor=pool, output=tmp_path / "a.nc", **OPTIONS), whole)
    assert_same_bits(ss.sweep(adult, AXES, executor=pool, **OPTIONS), whole)
    assert_same_bits(ss.sweep(adult, samples=SAMPLES, executor=pool, **OPTIONS), drawn)
    people = ss.sweep(adult, samples=PEOPLE, executor=client.scheduler.address, **HELD)
    assert_same_bits(people, ss.sweep(adult, samples=PEOPLE, **HELD))


def test_dask__workers_load_kernels_that_were_compiled_before(client):
    def kept():
        from spinesim.kernels import jit

        return jit.DIGEST, str(jit.CACHE_FOLDER)

    jit = importlib.import_module("spinesim.kernels.jit")
    assert set(client.run(kept).values()) == {(jit.DIGEST, str(jit.CACHE_FOLDER))}


def test_dask__a_worker_that_is_killed_loses_nothing(adult, drawn, client, tmp_path):
    path = tmp_path / "sweep.nc"
    killed = []

    def kill():
        while not (saved := len(list(tmp_path.glob("sweep.nc.parts/*.npz")))):
            time.sleep(0.005)
        os.kill(pid, signal.SIGKILL)
        killed.append(saved)

    pid = next(iter(client.run(os.getpid).values()))

    thread = threading.Thread(target=kill)
    thread.start()
    swept = ss.sweep(adult, samples=SAMPLES, output=path, executor=client.get_executor(pure=False), **OPTIONS)
    thread.join()
    assert killed[0] < 4  # blocks
    assert_same_bits(swept, drawn)


def test_dask__a_local_cluster_by_name(adult):
    axes = {"load.hands": [0.0, 3.0]}
    with cluster("local", workers=1) as pool:
        swept = ss.sweep(adult, axes, executor=pool, **HELD)
    assert_same_bits(swept, ss.sweep(adult, axes, **HELD))


def test_executor__whose_process_dies_leaves_what_is_finished(adult, drawn, tmp_path):
    """An executor without workers of its own to fall back on: one sentence, and the sweep goes on from there."""
    path = tmp_path / "sweep.nc"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pid = pool.submit(os.getpid).result()

        def kill():
            while not list(tmp_path.glob("sweep.nc.parts/*.npz")):
                time.sleep(0.005)
            os.kill(pid, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        with pytest.raises(InputError, match="the workers are gone; what they had finished is kept") as caught:
            ss.sweep(adult, samples=SAMPLES, output=path, executor=pool, **OPTIONS)
        thread.join()
    assert "\n" not in str(caught.value)
    part = ss.open_results(path)
    finished = (part.status == "solved").values
    assert 0 < finished.sum() < finished.size
    assert_same_bits(ss.sweep(adult, samples=SAMPLES, output=path, **OPTIONS), drawn)


def test_worker__of_other_versions_is_refused(adult, client, monkeypatch):
    monkeypatch.setattr(sweeping, "_made_by", lambda: "spinesim 0.0.1")
    with pytest.raises(InputError, match=r"a worker has other versions .* than this process .spinesim 0\.0\.1"):
        ss.sweep(adult, {"load.hands": [0]}, executor=client.get_executor(pure=False), **HELD)


@pytest.mark.parametrize("address", ["nowhere://x", "tcp://127.0.0.1:9"])
def test_cluster__that_does_not_answer(adult, monkeypatch, address):
    monkeypatch.setattr("spinesim.cluster.PATIENCE", "1s")
    with pytest.raises(InputError, match="does not answer"):
        ss.sweep(adult, {"load.hands": [0]}, executor=address, **HELD)


def test_sweep__takes_either_threads_or_an_executor(adult):
    with pytest.raises(InputError, match="either threads or an executor"):
        ss.sweep(adult, {"load.hands": [0]}, executor="local", threads=2, **HELD)
