"""Files that a run reads back are those that it wrote."""

import pytest

from attention_lab.storage import checksums, runs
from tests.storage.conftest import COMMAND, CONFIG, begin

pytestmark = pytest.mark.usefixtures("machine")


def test_another_file_or_none_is_refused_and_without_a_record_nothing_is(tmp_path):
    for name in checksums.MODEL:
        (tmp_path / name).write_text(name)
    facts = checksums.record(tmp_path, {"files": {"x": "y"}}, [*checksums.MODEL, checksums.PREDICTIONS])
    assert set(facts["files"]) == {"x", *checksums.MODEL}
    checksums.check(tmp_path, facts, [*checksums.MODEL, checksums.PREDICTIONS])
    (tmp_path / "classes.json").write_text("other")
    checksums.check(tmp_path, facts, ["tokenizer.json"])
    with pytest.raises(ValueError, match="classes.json is not the file that the run wrote: its sha256"):
        checksums.check(tmp_path, facts, checksums.MODEL)
    (tmp_path / "classes.json").unlink()
    with pytest.raises(ValueError, match="classes.json is missing"):
        checksums.check(tmp_path, facts, checksums.MODEL)
    checksums.check(tmp_path, {}, checksums.MODEL)


def test_a_run_is_not_continued_from_its_checkpoint_with_another_vocabulary(tmp_path):
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    (run.folder / "tokenizer.json").write_text("its own")
    run.note({"files": checksums.of(run.folder, checksums.MODEL)})
    run.close()
    (run.folder / "tokenizer.json").write_text("another")
    (run.folder / "metrics.jsonl").write_text("")
    begin(run.folder)  # before the first checkpoint the vocabulary is made again
    (run.folder / "checkpoints").mkdir()
    with pytest.raises(ValueError, match="run/tokenizer.json is not the file that the run wrote"):
        begin(run.folder)
    (run.folder / "tokenizer.json").write_text("its own")
    begin(run.folder)
