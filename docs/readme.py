"""The example and the picture of README.md, made anew.

    python docs/readme.py

The documentation is not built while the output printed there is not what the example prints.
"""

import contextlib
import io
import re
from pathlib import Path

import spinesim as ss
from spinesim import plots
from spinesim.plots.style import style

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "_static" / "readme.png"
RESOLUTION = 110  # [dots per inch]: sharp on a page, and a small file
EXAMPLE = re.compile(r"(```python\n(?P<code>.*?)```.*?```text\n)(?P<output>.*?)(```)", re.DOTALL)


def printed(code):
    """What a piece of code prints."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(code, "README.md", "exec"), {})
    return stream.getvalue()


def stale():
    """The output that README.md should show, or None if it does."""
    example = EXAMPLE.search(README.read_text(encoding="utf-8"))
    output = printed(example["code"])
    return None if output == example["output"] else output


def main():
    """Write both."""
    text = README.read_text(encoding="utf-8")
    README.write_text(EXAMPLE.sub(lambda m: m[1] + printed(m["code"]) + m[4], text), encoding="utf-8")
    model = ss.load_model("adult")
    cases = [ss.solve(model), ss.solve(model, {"tightness.hip_flexors": 30})]
    titles = ["healthy", "hip flexors, 30 deg tight"]
    whole = plots.figure("body_sagittal", cases, titles=titles)
    words = plots.caption("body_sagittal", cases, titles=titles)
    with style():
        whole.savefig(PICTURE, dpi=RESOLUTION, bbox_inches="tight", metadata={"Description": words, "Software": None})


if __name__ == "__main__":
    main()
