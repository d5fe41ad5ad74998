"""What was declared before the runs: hashed whole, compared, and kept as it was."""

import dataclasses

import pytest

from attention_lab.storage.files import short_digest
from attention_lab.studies import declaration, mean
from tests.studies.studies import CLAIMS, STUDY

ABOUT = {"preset": "smoke", **declaration.declare(STUDY, "smoke")}


def changed(**of_first):
    return STUDY._replace(claims=(dataclasses.replace(CLAIMS[0], **of_first), *CLAIMS[1:]))


def test_a_study_as_it_was_declared_has_no_changes():
    assert declaration.changes(STUDY, ABOUT) == [] and declaration.intact(ABOUT)
    assert declaration.changes(STUDY._replace(question="Is it?"), ABOUT) == []


@pytest.mark.parametrize("field, new", [
    ("statement", "a is better"), ("threshold", 1.0), ("margin", 0.6), ("direction", "less"),
    ("primary", False), ("published", "better"), ("value", mean("score", arm="a"))])
def test_each_field_of_a_claim_is_hashed_and_named(field, new):
    study = changed(**{field: new})
    assert declaration.declare(study, "smoke")["claims_hash"] != ABOUT["claims_hash"]
    found, = declaration.changes(study, ABOUT)
    assert found.startswith(f"better: {field} was ")


@pytest.mark.parametrize("study, words", [
    (STUDY._replace(claims=CLAIMS[:1]), ["same was taken out"]),
    (STUDY._replace(claims=(*CLAIMS, dataclasses.replace(CLAIMS[0], name="new"))), ["new was added"]),
    (STUDY._replace(presets={"smoke": {"seeds": 6, "lead": 9.0}}), ["setting lead was changed"]),
    (STUDY._replace(presets={"smoke": {"seeds": 7, "lead": 3.0}}),
     ["setting seeds was changed", "the runs' overrides were changed"]),
    (STUDY._replace(overrides=lambda cell, settings, rows: {"seed": 1}),
     ["the runs' overrides were changed"])])
def test_the_family_the_settings_and_the_runs_are_hashed(study, words):
    assert declaration.changes(study, ABOUT) == words


def test_a_declaration_that_lacks_its_own_hash_is_refused():
    with pytest.raises(ValueError, match="about.json of tiny is damaged"):
        declaration.changes(STUDY, ABOUT | {"claims_hash": "0" * 12})
    assert not declaration.intact(ABOUT | {"settings": {}})


def old(**of_first):
    """about.json of the first scheme: claims alone, compared with 0, a threshold only in words."""
    claims = [{"name": one.name, "statement": one.statement, "metric": "score", "contrast": ["a", "b"],
               "direction": one.direction, "margin": one.margin, "published": "", "primary": one.primary}
              for one in CLAIMS]
    claims[0] |= of_first
    return {"preset": "smoke", "claims_scheme": 1, "claims": claims, "claims_hash": short_digest(claims)}


def test_claims_of_the_first_scheme_are_compared_in_what_both_have():
    assert declaration.changes(STUDY, old()) == []
    assert declaration.changes(STUDY, old(primary=False)) == ["better: primary was false, is true"]
    assert declaration.changes(STUDY, old(margin=0.1)) == ["better: margin was 0.1, is 0.5"]
    assert len(declaration.changes(STUDY, old(statement="a is better than b"))) == 1
    share = changed(statement="it is kept (share)")
    assert declaration.changes(share, old(statement="it is kept (share, less 0.5)")) == []
    assert declaration.changes(share, old(statement="it is kept (points, less 0.5)"))


def test_claims_restated_as_data_show_a_later_change_of_value_threshold_or_runs():
    about = old() | {"restated": declaration.hashes(declaration.declare(STUDY, "smoke"))}
    assert declaration.changes(STUDY, about) == []
    assert declaration.changes(changed(threshold=0.25), about) == [
        "better: value, threshold or published number was changed"]
    assert declaration.changes(changed(margin=0.1), about) == ["better: margin was 0.5, is 0.1"]
    runs = STUDY._replace(presets={"smoke": {**STUDY.presets["smoke"], "seeds": 7}})
    assert declaration.changes(runs, about) == ["the runs' overrides were changed"]
