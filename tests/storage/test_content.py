"""The content of files in the names of runs, and what is said where it has changed."""

import pytest

from attention_lab.config import Config, digest, replace, to_dict
from attention_lab.storage import runs
from attention_lab.storage.content import Content, changed, folder_of, of_other_content
from attention_lab.storage.files import write_json
from configs.sentiment import get_config

CONFIG = replace(Config(), {"data.source": "tsv", "data.path": "a.tsv"})
A, B = Content("a" * 64), Content("b" * 64)
GONE = Content(problem="a.tsv: can't be read: No such file or directory")


def write(folder, content, config=CONFIG, finished=True):
    """A run folder as a run that was trained on this content leaves it."""
    folder.mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    write_json(folder / "config.json", to_dict(config))
    write_json(folder / "run.json", {"data": {"sha256": content.sha256, "files": dict(content.files)}})
    if finished:
        write_json(folder / "result.json", {"status": "finished"})
    return folder


def test_content_names_a_run_and_its_path_does_not(tmp_path):
    moved = replace(CONFIG, {"data.path": "/elsewhere/b.tsv"})
    assert folder_of(tmp_path, CONFIG, A) == folder_of(tmp_path, moved, A) != folder_of(tmp_path, CONFIG, B)
    of_vectors = replace(CONFIG, {"data.vectors": "one.vec"})
    vectors = Content("a" * 64, {"data.vectors": "c" * 64})
    assert folder_of(tmp_path, of_vectors, vectors) == folder_of(
        tmp_path, replace(of_vectors, {"data.vectors": "two.vec"}), vectors)
    assert folder_of(tmp_path, Config(), Content()) == tmp_path / digest(Config())


@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_named_by_its_config_alone_is_gone_on_with_for_the_same_content(tmp_path, finished):
    older = write(tmp_path / digest(CONFIG), A, finished=finished)
    assert folder_of(tmp_path, CONFIG, A) == older
    newer = folder_of(tmp_path, CONFIG, B)
    assert newer != older and newer.name == folder_of(tmp_path / "empty", CONFIG, B).name
    assert of_other_content(tmp_path, CONFIG, A) == []
    assert of_other_content(tmp_path, CONFIG, B) == [older]
    assert of_other_content(tmp_path, replace(CONFIG, {"data.path": "b.tsv"}), B) == []


def test_a_run_that_recorded_the_bytes_of_a_packed_file_is_gone_on_with(tmp_path):
    of_text = Content("a" * 64, {"data.vectors": "c" * 64}, {"data.vectors": "d" * 64})
    before = Content("a" * 64, {"data.vectors": "d" * 64})
    config = replace(CONFIG, {"data.vectors": "v.gz"})
    folder = write(folder_of(tmp_path, config, before), before, config)
    assert folder_of(tmp_path, config, of_text) == folder
    assert of_other_content(tmp_path, config, of_text) == []
    assert changed({"files": before.files}, of_text, config) == ""
    assert changed({"files": {"data.vectors": "e"}}, of_text, config) != ""
    assert folder_of(tmp_path / "empty", config, of_text).name != folder.name
    of_other = Content("b" * 64, of_text.files, of_text.packed)
    assert folder_of(tmp_path, config, of_other).name == folder_of(tmp_path / "empty", config, of_other).name
    newer = write(tmp_path / folder_of(tmp_path / "empty", config, of_text).name, of_text, config)
    assert folder_of(tmp_path, config, of_text) == newer


def test_a_run_of_files_that_are_gone_is_the_finished_one_of_their_path(tmp_path):
    assert folder_of(tmp_path, CONFIG, GONE) == tmp_path / digest(CONFIG)
    write(folder_of(tmp_path, CONFIG, B), B, replace(CONFIG, {"data.path": "b.tsv"}))
    there = write(folder_of(tmp_path, CONFIG, A), A)
    assert folder_of(tmp_path, CONFIG, GONE) == there
    older = write(tmp_path / digest(CONFIG), A)
    other = replace(CONFIG, {"data.path": "none.tsv"})
    assert not folder_of(tmp_path, other, GONE).exists()
    with pytest.raises(ValueError, match=f"^{GONE.problem}"):
        runs.open_run(older, other, "python", content=GONE)


def test_what_has_changed_is_named():
    files = Content("a" * 64, {"data.vectors": "c"})
    assert changed({}, files, CONFIG) == changed({"sha256": "a" * 64}, files, CONFIG) == ""
    assert "another sha256 than data.path=a.tsv has now" in changed({"sha256": "b" * 64}, files, CONFIG)
    assert "other content of data.vectors" in changed({"files": {"data.vectors": "d"}}, files, CONFIG)
    assert changed({"sha256": "b" * 64}, GONE, CONFIG) == ""


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_whose_data_was_changed_in_place_is_refused(tmp_path, finished):
    folder = write(tmp_path / "run", A, finished=finished)
    with pytest.raises(ValueError, match="was trained on other data .* data.path=a.tsv has now.* --rerun"):
        runs.open_run(folder, CONFIG, "python", content=B)
    run = runs.open_run(folder, CONFIG, "python", content=A)
    assert run.finished == finished and not run.warnings
    run.close()
    if finished:
        run = runs.open_run(folder, CONFIG, "python", content=GONE)
        assert run.finished and "can't be checked: a.tsv: can't be read" in run.warnings[-1]
        run.close()


def test_other_paths_to_the_same_content_do_not_make_another_config(tmp_path):
    config = replace(get_config("average,smoke"), {"data.vectors": "one.vec"})
    content = Content("", {"data.vectors": "c" * 64})
    folder = write(tmp_path / "run", content, config)
    runs.open_run(folder, replace(config, {"data.vectors": "two.vec"}), "", content=content).close()
    with pytest.raises(ValueError, match="was trained by other content of data.vectors"):
        runs.open_run(folder, config, "", content=Content("", {"data.vectors": "d" * 64}))
