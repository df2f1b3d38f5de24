"""Workers of Dask as an executor: those of a running scheduler, or processes started on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager

from spinesim.errors import InputError

LOCAL = "local"
PATIENCE = "30s"  # until a scheduler must have answered


@contextmanager
def cluster(address: str, workers: int | None = None) -> Iterator[Executor]:
    """An executor whose tasks run on the workers of a Dask cluster; a task of a worker that dies is given to another.

    Parameters
    ----------
    address
        Of a scheduler, such as ``tcp://10.0.0.5:8786``, or ``"local"``: processes on this machine, for as long as the
        block lasts.
    workers
        Number of local processes; one per core by default.

    Raises
    ------
    InputError
        If Dask is not installed or the scheduler does not answer.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError("a cluster needs Dask: pip install 'spinesim[cluster]'") from error
    if address == LOCAL:
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as local,
            Client(local) as client,
        ):
            yield client.get_executor(pure=False)
        return
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"cluster {address} does not answer: it must be 'local' or that of a scheduler") from error
    with client:
        yield client.get_executor(pure=False)


def lost(error: BaseException) -> bool:
    """Whether an error is that of an executor whose workers are gone, instead of that of a task."""
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__module__.startswith("distributed.")
