"""What the second process compiles is what a solve calls: the same kernels, for the same types."""

from spinesim import ahead
from spinesim.kernels import jit
from spinesim.solve import solve


def test_a_solve_and_the_second_process_keep_one_machine_code_of_each_kernel(adult):
    assert jit.CACHE_FOLDER is not None
    solve(adult)
    ahead.main()
    kept = [path.name for path in jit.CACHE_FOLDER.rglob("*.nbc")]
    for kernel, _ in ahead.calls():
        function = kernel.py_func
        stem = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}-{function.__code__.co_firstlineno}."
        assert len([name for name in kept if name.startswith(stem)]) == 1, stem
