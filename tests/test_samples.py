"""Tables of drawn cases."""

import pytest

from spinesim.errors import InputError
from spinesim.samples import read_samples


def test_read_samples__columns_by_name(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("load.hands, strength.core\n0,1\n\n2.5,0.75\n", encoding="utf-8")
    assert read_samples(path) == {"load.hands": [0.0, 2.5], "strength.core": [1.0, 0.75]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: it must name a parameter in every column"),
        ("a,,b\n1,2,3\n", "line 1: it must name a parameter in every column"),
        ("a,a\n1,2\n", "line 1: a comes twice"),
        ("a,b\n", "has no samples below its names"),
        ("a,b\n1,2\n1\n", "line 3: it has 1 values, but there are 2 names"),
        ("a,b\n1,2,3\n", "line 2: it has 3 values"),
        ("a,b\n1,x\n", "line 2: b = x is not a number"),
        ("a,b\n1,\n", "line 2: b = nothing is not a number"),
        ("a\nnan\n", "line 2: a = nan is not a number"),
    ],
)
def test_read_samples__refuses_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "s.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_samples(path)
    assert str(path) in str(caught.value)


def test_read_samples__of_what_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_samples(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_samples(tmp_path / "b.csv")
