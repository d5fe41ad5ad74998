"""claims: the ledger on stdout, and a check that fails on what does not match."""

import pytest

from attention_lab.studies import load
from experiments import claims as program
from tests.studies.planted import TINY, claims, plant


@pytest.fixture
def planted(tmp_path):
    load._loaded.cache_clear()
    made = plant(tmp_path / "repository")
    for name in ("studies", "statistics"):
        (made.folder / "attention_lab" / name).mkdir(parents=True)
        (made.folder / "attention_lab" / name / "__init__.py").write_text("")
    return made


@pytest.fixture
def said(call, planted):
    return lambda *argv: call(program, *argv, f"--studies={planted.studies}")


def test_the_ledger_and_its_figure(planted, said, tmp_path):
    planted.measure(planted.declare())
    status, out, err = said()
    assert (status, err) == (0, "") and "tiny: Is a better? Declared: recorded" in out
    figure = tmp_path / "claims.png"
    status, out, err = said("--format=markdown", f"--figure={figure}")
    assert (status, err) == (0, "")
    assert "| tiny | a scores more than b by over 2 | 6 | 3.09 | 3.00 to 3.25 |" in out
    before = figure.read_bytes()
    status, out, err = said(f"--figure={figure}")
    assert (status, out) == (2, "") and f"--figure={figure} exists" in err and figure.read_bytes() == before


def test_what_matches_passes_and_what_is_admitted_too(planted, said):
    planted.measure(planted.declare())
    assert said("--check") == (0, "tiny\tyes\n", "")
    planted.measure(planted.commit(), uncommitted_changes=True)
    assert said("--check") == (
        0, "tiny\tno\tuncommitted changes: it was measured from a tree with some\n", "")


def test_a_mismatch_is_a_line_and_status_1(planted, said):
    planted.measure(planted.declare(claims(margin=0.25)))
    status, out, err = said("--check")
    assert status == 1 and out.startswith("tiny\tno\thash differs") and len(err.splitlines()) == 1
    assert err.startswith("claims: tiny: hash differs: at commit ")


@pytest.mark.parametrize("path", ["experiments/studies/tiny/notes.md", "experiments/studies/new/study.py",
                                  "attention_lab/studies/__init__.py", "attention_lab/statistics/new.py"])
def test_files_that_are_not_committed_are_a_mismatch(planted, said, path):
    planted.measure(planted.declare())
    (planted.folder / path).parent.mkdir(exist_ok=True)
    (planted.folder / path).write_text(TINY)
    assert said("--check") == (1, "tiny\tyes\n", f"claims: {path} has uncommitted changes\n")


def test_other_files_may_be_uncommitted(planted, said):
    planted.measure(planted.declare())
    (planted.folder / "notes.md").write_text("x")
    assert said("--check")[0] == 0


def test_a_shallow_clone_says_that_it_can_not_tell_and_passes(planted, call, tmp_path):
    planted.measure(planted.declare())
    planted.git("clone", "--quiet", "--depth=1", f"file://{planted.folder}", str(tmp_path / "shallow"))
    studies = tmp_path / "shallow" / "experiments" / "studies"
    assert call(program, "--check", f"--studies={studies}") == (
        0, "tiny\tcan't tell\ta shallow clone: git does not know what came first\n", "")


def test_a_copy_without_git_says_so_and_passes(planted, said):
    planted.measure(planted.declare())
    (planted.folder / ".git").rename(planted.folder.parent / "moved")
    status, out, err = said("--check")
    assert status == 0 and out.startswith("tiny\tcan't tell\tnot a git checkout")
    assert "in no git checkout" in err


def test_what_would_have_no_effect_is_refused(planted, said):
    planted.measure(planted.declare())
    assert "which --check does not print" in said("--check", "--format=markdown")[2]
    (planted.studies / "tiny" / "verdicts.json").unlink()
    status, out, err = said()
    assert (status, out) == (2, "") and "has a verdicts.json" in err
