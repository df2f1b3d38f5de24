"""The generated file is the one that the derivation prints."""

import os
import subprocess
import sys

import pytest

from spinesim.symbolic import derive


def test_derived__is_what_the_derivation_prints():
    assert derive.TARGET.read_text(encoding="utf-8") == derive.module()


def test_derive__prints_the_same_text_for_any_hash_seed():
    command = [sys.executable, "-m", "spinesim.symbolic.derive", "--check"]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_derive__check_fails_and_writes_nothing_when_the_file_differs(tmp_path, monkeypatch, capsys):
    other = tmp_path / "derived.py"
    other.write_text("changed by hand\n", encoding="utf-8")
    monkeypatch.setattr(derive, "TARGET", other)
    assert derive.main(["--check"]) == 1
    assert "differs" in capsys.readouterr().out
    assert other.read_text(encoding="utf-8") == "changed by hand\n"
    assert derive.main([]) == 0
    assert derive.main(["--check"]) == 0


def test_derive__unknown_option_is_refused(capsys):
    assert derive.main(["--force"]) == 2
    assert "usage" in capsys.readouterr().err


def test_derive__a_line_too_long_to_read_is_refused(monkeypatch):
    monkeypatch.setattr(derive, "LINE_LENGTH", 80)
    with pytest.raises(RuntimeError, match="straight_path: a line of"):
        derive.module()
