"""Places of a queue: files, databases, and what is none."""

import pytest

from attention_lab.sweeps.storage import open_storage, storage_errors


def test_a_file_and_a_database_keep_a_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("deep/sweep.journal", f"sqlite:///{tmp_path}/sweep.db"):
        import optuna
        optuna.create_study(storage=open_storage(place), study_name="x")
        assert [one.study_name for one in open_storage(place).get_all_studies()] == ["x"]


@pytest.mark.parametrize("place, said", [
    ("postgresql://nobody@127.0.0.1:1/none", "can't be reached"),
    ("nonsense://x", "no URL of a database"),
    (".", "is a folder"),
    ("oracle://x", "is not installed"),
])
def test_what_can_not_be_used_is_one_line(place, said):
    with pytest.raises(ValueError, match=said) as caught:
        open_storage(place)
    assert "\n" not in str(caught.value) and place in str(caught.value)


def test_a_damaged_journal_is_told(tmp_path):
    path = tmp_path / "sweep.journal"
    path.write_text("no json\n{}\n")
    with pytest.raises(ValueError, match="is damaged or of another program"), storage_errors(str(path)):
        open_storage(str(path)).get_all_studies()
