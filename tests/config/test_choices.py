"""Registries are read from their files, and what is read is what they hold."""

import pytest

from attention_lab.config.choices import facts, look_up, names
from attention_lab.config.fields import field
from attention_lab.config.registries import SOURCES
from attention_lab.data import sources, tokenizers
from attention_lab.tasks.registry import TASKS
from attention_lab.training.optimizer import SCHEDULES


@pytest.mark.parametrize("name, registry", [
    ("data.sources.SOURCES", sources.SOURCES),
    ("data.tokenizers.TOKENIZERS", tokenizers.TOKENIZERS),
    ("training.optimizer.SCHEDULES", SCHEDULES),
    ("tasks.registry.TASKS", TASKS)])
def test_names_are_those_of_the_registry(name, registry):
    assert names(name) == tuple(registry)


def test_facts_of_a_source_are_those_of_the_registry():
    for name, source in sources.SOURCES.items():
        for fact in ("task", "location", "contents", "splits", "classified"):
            assert getattr(SOURCES[name], fact) == getattr(source, fact), (name, fact)
        assert callable(source.read) and source.task in TASKS
        assert source.read_whole is not None or source.splits != ("whole",), name


def test_facts_are_the_literal_arguments_that_are_named(tmp_path, monkeypatch):
    (tmp_path / "made.py").write_text(
        "OTHER = 1\nMADE: dict = {'a': Thing(1, size=2, parts=('x', 'y'), read=print), 'b': Thing()}\n")
    monkeypatch.setattr("attention_lab.config.choices.ROOT", tmp_path)
    assert facts("made.MADE") == {"a": {"size": 2, "parts": ("x", "y")}, "b": {}}
    assert names("made.MADE") == ("a", "b")
    with pytest.raises(ValueError, match="made has no dictionary literal OTHER"):
        names("made.OTHER")


def test_tasks_say_what_they_train_and_are_scored_by():
    read = facts("tasks.registry.TASKS")
    for name, family in TASKS.items():
        assert read[name] == {"kinds": family.kinds, "output": family.output,
                              "scores": family.scores}


def test_an_unknown_name_is_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match="^data.source=gramar is not one of grammar, tsv$"):
        look_up({"grammar": 1, "tsv": 2}, "data.source", "gramar")


def test_a_field_is_traced_only_if_it_says_so():
    assert field(1.0, "a number").metadata["traced"] is False
