"""Start of a new process: import, and the way to a first result once the kernels are compiled."""

import spinesim

FIRST_RESULT = """
import spinesim
spinesim.solve(spinesim.load_model("adult"))
"""


class Start:
    """Each sample is a new interpreter; its own start is not counted."""

    repeat = (2, 5, 20.0)
    number = 1
    warmup_time = 0.0

    def setup(self):
        spinesim.solve(spinesim.load_model("adult"))  # compiles the kernels, which are then kept on disk

    def timeraw_import(self):
        return "import spinesim"

    def timeraw_first_result(self):
        return FIRST_RESULT
