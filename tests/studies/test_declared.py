"""Whether claims were declared before results, in repositories where it was so and where it was not."""

import json
import shutil

import pytest

from attention_lab.studies import declared, load, old_trees, tables
from tests.studies.planted import ROOT, TINY, Planted, claims, declared_now, plant

OTHER = claims(margin=0.25)


@pytest.fixture
def planted(tmp_path):
    load._loaded.cache_clear()
    return plant(tmp_path / "repository")


def found(planted, prove=False):
    return declared.declared(planted.studies, tables.read(planted.studies), prove)["tiny"]


def rewrite(planted, name, change):
    path = planted.studies / "tiny" / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def test_claims_that_were_committed_before_are_declared(planted):
    planted.measure(planted.declare())
    assert found(planted) == ("recorded", (), ()) and found(planted, prove=True) == ("yes", (), ())


def test_results_that_are_not_yet_committed_follow_the_last_commit(planted):
    commit = planted.declare()
    planted.measure(commit)
    planted.git("reset", "--quiet", "--soft", commit)
    assert found(planted).state == "recorded"


@pytest.mark.parametrize("about", [{"uncommitted_changes": True},
                                   {"continued": [{"uncommitted_changes": True}]}])
def test_a_tree_that_was_not_clean_is_admitted(planted, about):
    planted.measure(planted.declare(), **about)
    for prove in (False, True):
        one = found(planted, prove)
        assert (one.state, one.mismatches) == ("no", ()) and one.short == "no (uncommitted changes)"


def test_a_commit_that_is_not_before_the_results(planted):
    first = planted.declare()
    planted.git("checkout", "--quiet", "-b", "aside")
    beside = planted.commit()
    planted.git("checkout", "--quiet", "-B", "main", first)
    planted.measure(beside)
    one = found(planted)
    assert one.state == "no"
    assert one.mismatches[0].startswith(f"results first: its commit {beside[:12]} is not")


def test_results_in_the_commit_that_they_name_as_their_declaration(planted):
    """Written by hand: git can't be told a commit's own hash beforehand."""
    planted.declare()
    planted.measure("0" * 40)
    version = declared.history.Version("0" * 40, {"commit": "0" * 40})
    assert declared._order(planted.studies, {"commit": "0" * 40}, [version])[0].startswith("results first")


@pytest.mark.parametrize("commit, state, short", [("0" * 40, "no", "no (commit unknown)"),
                                                  ("", "can't tell", "can't tell (no commit)")])
def test_a_commit_that_is_not_there(planted, commit, state, short):
    planted.declare()
    planted.measure(commit)
    one = found(planted)
    assert (one.state, one.short, bool(one.mismatches)) == (state, short, state == "no")


def test_claims_that_differ_in_the_commit_show_in_the_proof(planted):
    planted.measure(planted.declare(OTHER))
    assert found(planted).state == "recorded"
    one = found(planted, prove=True)
    assert one.state == "no" and one.mismatches == one.reasons and "hash differs: at commit" in one.reasons[0]


@pytest.mark.parametrize("file, change", [
    ("about.json", lambda about: about | {"claims": OTHER}),
    ("verdicts.json", lambda results: results | {"declared_hash": "0" * 12})])
def test_a_hash_that_does_not_match_what_stands_beside_it(planted, file, change):
    planted.measure(planted.declare())
    rewrite(planted, file, change)
    one = found(planted)
    assert one.state == "no" and one.mismatches[0].startswith("hash differs: ")


def test_claims_that_were_changed_since_have_to_be_told(planted):
    commit = planted.declare()
    planted.measure(commit)
    study = planted.studies / "tiny" / "study.py"
    study.write_text(TINY.replace("margin=0.5", "margin=0.75"))
    load._loaded.cache_clear()
    one = found(planted, prove=True)
    assert one.state == "no" and one.mismatches[0].endswith(
        "its verdicts tell no change, its study.py has better: margin was 0.5, is 0.75")
    planted.measure(commit, told=["better: margin was 0.5, is 0.75"])
    one = found(planted, prove=True)
    assert (one.state, one.mismatches) == ("no", ())
    assert one.reasons == ("claims changed since: better: margin was 0.5, is 0.75",)


@pytest.mark.parametrize("kept", [True, False])
def test_claims_that_differ_from_those_of_earlier_results_are_listed(planted, kept):
    """The earlier results lay in another folder, with or without a list of their claims."""
    more = {} if kept else {"claims": None, "claims_scheme": None}
    planted.measure(planted.declare(OTHER), OTHER, folder="results", **more)
    shutil.rmtree(planted.folder / "experiments" / "results")
    planted.measure(planted.declare())
    one = found(planted, prove=True)
    assert one.mismatches == () and one.short == "no (claims changed after earlier results)"
    assert "better: margin was 0.25, is 0.5" in one.reasons[0]
    assert kept or "hash " in found(planted).reasons[0]


def test_earlier_results_with_the_same_claims_change_nothing(planted):
    planted.measure(planted.declare(), folder="results", uncommitted_changes=True)
    shutil.rmtree(planted.folder / "experiments" / "results")
    planted.measure(planted.commit())
    assert found(planted, prove=True).state == "yes"


def test_the_same_claims_in_another_scheme_are_no_change(planted):
    planted.measure(planted.declare())
    planted.measure(planted.commit(), **declared_now())
    assert found(planted) == ("recorded", (), ())


@pytest.mark.parametrize("prove", [False, True])
def test_a_shallow_clone_and_a_copy_can_not_tell(planted, tmp_path, prove):
    planted.measure(planted.declare())
    planted.git("clone", "--quiet", "--depth=1", f"file://{planted.folder}", str(tmp_path / "shallow"))
    shutil.copytree(planted.folder / "experiments", tmp_path / "copy" / "experiments")
    for name, why in (("shallow", "a shallow clone"), ("copy", "not a git checkout with commits")):
        one = found(Planted(tmp_path / name), prove)
        assert (one.state, one.short, one.mismatches) == ("can't tell", f"can't tell ({why})", ())


def test_a_tree_that_does_not_run_can_not_tell(planted):
    planted.declare()
    (planted.studies / "tiny.py").write_text("raise RuntimeError('as of old')")
    planted.measure(planted.commit())
    one = found(planted, prove=True)
    assert (one.state, one.mismatches) == ("can't tell", ())
    assert one.reasons[0].startswith("tree does not run: ") and "RuntimeError: as of old" in one.reasons[0]


def test_the_code_of_today_does_not_stand_in_for_a_tree_without_any(planted, monkeypatch):
    planted.measure(planted.declare(), **declared_now())
    # As an installed copy is found, after the tree.
    append = f"import sys\nsys.path.append({str(ROOT)!r})\n"
    monkeypatch.setattr(old_trees, "BEFORE", append + old_trees.BEFORE)
    one = found(planted, prove=True)
    assert one.state == "can't tell" and "its tree has no attention_lab" in one.reasons[0]


def test_a_scheme_that_is_not_known_can_not_be_run(tmp_path):
    with pytest.raises(ValueError, match="scheme 3 of its claims is not one of 1, 2"):
        old_trees.declaration_at("HEAD", "tiny", 3, "smoke", tmp_path)


def test_the_scheme_of_today_is_computed_by_the_tree_s_own_code(planted):
    shutil.copytree(ROOT / "attention_lab", planted.folder / "attention_lab",
                    ignore=shutil.ignore_patterns("__pycache__"))
    planted.measure(planted.declare(), **declared_now())
    assert found(planted, prove=True) == ("yes", (), ())
    path = planted.folder / "attention_lab" / "studies" / "declaration.py"
    path.write_text(path.read_text().replace('"claims_hash": short', '"claims_hash": "x" + short'))
    planted.measure(planted.commit(), **declared_now())
    assert "have hash x" in found(planted, prove=True).mismatches[0]


def test_without_a_declaration_there_is_none(planted):
    planted.measure(planted.declare())
    (planted.studies / "tiny" / "about.json").unlink()
    one = found(planted)
    assert one.short == "no (no declaration)" and "about.json" in one.mismatches[0]
