"""What the second process compiles is what a solve calls: the same kernels, for the same types."""

from pathlib import Path

from spinesim import ahead
from spinesim.solve import solve


def test_a_solve_and_the_second_process_keep_one_machine_code_of_each_kernel(adult):
    solve(adult)
    ahead.main()
    for kernel, _ in ahead.calls():
        function = kernel.py_func
        stem = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}-{function.__code__.co_firstlineno}."
        # the cache folder also keeps the kernels of other copies of the package, each in a folder of its own
        kept = Path(kernel.stats.cache_path).glob("*.nbc")
        assert len([path for path in kept if path.name.startswith(stem)]) == 1, stem
