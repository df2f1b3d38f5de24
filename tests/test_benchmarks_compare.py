"""The comparison of two commits: what is flagged, what is told, and how bad input ends."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from benchmarks import compare
from benchmarks.compare import Stored, main, verdict_of

TIME, SHARE, RESIDUAL = "sweeps.A.time_sweep", "sweeps.A.track_share_solved", "sweeps.A.track_worst_residual"


def stored(*values, repeats=3):
    return Stored(list(values), repeats, {"one"})


@pytest.mark.parametrize(
    ("name", "unit", "base", "head", "verdict"),
    [
        (TIME, "seconds", stored(1.0), stored(1.29), "same"),
        (TIME, "seconds", stored(1.0), stored(1.31), "slower"),
        (TIME, "seconds", stored(1.0), stored(0.7), "faster"),
        (TIME, "seconds", stored(1.0, 1.0, 9.0), stored(1.1, 1.2, 9.0), "same"),  # medians, not the worst
        (TIME, "seconds", stored(1.0), stored(2.0, repeats=2), "too few repeats"),
        (TIME, "seconds", stored(1.0), stored(None), "failed"),
        (TIME, "seconds", stored(None), stored(1.0), "works again"),
        (TIME, "seconds", stored(1.0), None, "missing at head"),
        (TIME, "seconds", None, stored(1.0), "missing at base"),
        (TIME, "seconds", stored(1.0), Stored([2.0], 3, {"other"}), "benchmark changed"),
        (SHARE, "1", stored(1.0), stored(0.999), "share solved fell"),
        (SHARE, "1", stored(0.9), stored(0.95), "same"),
        (SHARE, "1", stored(1.0, 1.0), stored(1.0, 0.5), "share solved fell"),  # the worst turn counts
        (RESIDUAL, "N m", stored(1e-12), stored(9e-7), "same"),
        (RESIDUAL, "N m", stored(1e-12), stored(2e-6), "residual rose"),
        (RESIDUAL, "N m", stored(1e-12), stored(float("nan")), "residual rose"),
    ],
)
def test_verdict__by_the_rules(name, unit, base, head, verdict):
    assert verdict_of(name, unit, base, head, 1.3) == verdict
    assert (verdict in compare.FLAGGED) == (verdict in ("slower", "share solved fell", "residual rose", "failed"))


@pytest.fixture
def history(tmp_path, monkeypatch):
    """Two commits, and a way to store asv's files for them."""

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet")
    for name in ("base", "head"):
        git("commit", "--quiet", "--allow-empty", "-m", name)
        git("tag", name)
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    (results / "here").mkdir(parents=True)
    listed = {TIME: {"unit": "seconds"}, SHARE: {"unit": "1"}, "version": 2}
    (results / "benchmarks.json").write_text(json.dumps(listed))

    def store(revision, seconds, share):
        commit = git("rev-parse", revision)
        rows = {
            TIME: [[seconds], [["100"]], "v1", 0, 0.1, [seconds], [seconds], [seconds], [seconds], [1], [5]],
            SHARE: [[share], [["100"]], "v1"],
        }
        columns = ["result", "params", "version", "started_at", "duration"]
        columns += [f"stats_{key}" for key in ("ci_99_a", "ci_99_b", "q_25", "q_75", "number", "repeat")]
        whole = {
            "commit_hash": commit, "env_name": "env", "date": 0, "params": {"machine": "here"}, "python": "3.11",
            "requirements": {}, "env_vars": {}, "result_columns": columns, "results": rows, "durations": {},
            "version": 2,
        }  # fmt: skip
        (results / "here" / f"{commit[:8]}-env.json").write_text(json.dumps(whole))

    def run(*more):
        return main(["base", "head", "--results", "results", "--machine", "here", *more])

    return SimpleNamespace(store=store, run=run, folder=results)


def test_compare__two_equal_commits_are_not_flagged(history, capsys):
    history.store("base", 1.0, 1.0)
    history.store("head", 1.1, 1.0)
    assert history.run() == 0
    assert "0 of 2 flagged" in capsys.readouterr().out


def test_compare__slower_and_less_solved_is_flagged_for_machines_too(history, capsys):
    history.store("base", 1.0, 1.0)
    history.store("head", 1.5, 0.9)
    assert history.run("--json", "out.json") == 1
    assert "SLOWER" in capsys.readouterr().out
    written = json.loads((history.folder.parent / "out.json").read_text())
    assert written["flagged"] == 2
    assert written["factor"] == 1.3
    slower = next(row for row in written["rows"] if row["name"] == TIME)
    assert slower["params"] == ["100"]
    assert slower["ratio"] == pytest.approx(1.5)
    assert slower["repeats"] == [5, 5]
    assert history.run("--factor", "1.6") == 1  # the share alone


def test_compare__bad_input_is_one_sentence_and_status_2(history, capsys):
    history.store("base", 1.0, 1.0)
    assert history.run() == 2
    assert "no results of head" in capsys.readouterr().err
    assert main(["base", "nothing", "--results", "results", "--machine", "here"]) == 2
    assert "git knows no revision 'nothing'" in capsys.readouterr().err
    history.store("head", 1.0, 1.0)
    next((history.folder / "here").glob("*.json")).write_text("{")
    assert history.run() == 2
    assert "cannot be read as a file of asv" in capsys.readouterr().err
    assert main(["base", "head", "--results", "nowhere"]) == 2
    assert "there is no folder nowhere" in capsys.readouterr().err
