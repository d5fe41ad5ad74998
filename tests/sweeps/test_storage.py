"""Places of a queue: files, databases, and what is none."""

import subprocess
import sys

import pytest

from attention_lab.config import Config, digest
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.space import axis
from attention_lab.sweeps.storage import open_storage, storage_errors
from tests import postgres


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
    with pytest.raises(ValueError, match="is damaged or of another program"):
        open_storage(str(path))


@pytest.mark.skipif(postgres.programs() is None, reason="PostgreSQL is not installed")
def test_a_server_hands_out_each_cell_once_and_takes_back_what_a_dead_process_held():
    base = digest(Config())
    groups = plan(Config(), axis("seed", range(5)))
    with postgres.server() as place:
        one, other = Queue(place, "s", base), Queue(place, "s", base)
        one.fill(groups)
        script = f"from attention_lab.sweeps.queue import Queue; Queue({place!r}, '', {base!r}).claim()"
        subprocess.run([sys.executable, "-c", script], check=True)
        items = [queue.claim() for _ in range(3) for queue in (one, other)]
        assert len({item.trial for item in items if item}) == 4 and items[4:] == [None, None]
        assert len(other.reclaim()) == 1
        assert one.claim().overrides["seed"] not in [item.overrides["seed"] for item in items if item]
        with pytest.raises(ValueError, match="holds another sweep"):
            Queue(place, "another", base)


def test_a_full_disk_names_the_journal(tmp_path):
    with pytest.raises(OSError, match="No space left on device: 'runs/a.journal'"):
        with storage_errors("runs/a.journal"):
            raise OSError(28, "No space left on device")
