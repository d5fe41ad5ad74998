"""The durable queue: every cell once, whoever dies."""

import os
import subprocess
import sys

import pytest
from optuna.trial import TrialState

from attention_lab.config import Config, digest, replace, to_dict
from attention_lab.storage.files import write_json
from attention_lab.sweeps import queue as queues
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.space import axis, product

BASE = Config()
GROUPS = plan(BASE, product(axis("model.width", [8, 16]), axis("seed", [0, 1, 2])))
CELLS_OF = [cell for group in GROUPS for cell in group.cells]
CELLS = [cell.overrides for cell in CELLS_OF]


@pytest.fixture
def place(tmp_path):
    """A journal's file."""
    return str(tmp_path / "sweep.journal")


def opened(place, sweep="one", **settings):
    """A Queue with the six cells in it."""
    queue = Queue(place, sweep, digest(BASE), **settings)
    queue.fill(GROUPS)
    return queue


def everything(queue, group=-1):
    """Claims until nothing waits."""
    found = []
    while (item := queue.claim(group)) is not None:
        found.append(item)
    return found


def test_a_sweep_is_known_by_the_name_that_older_versions_gave_it(place):
    opened(place, "older")
    assert Queue(place, "newer", digest(BASE), older="older").claim() is not None
    with pytest.raises(ValueError, match="holds another sweep: give another file"):
        Queue(place, "newer", digest(BASE))


def test_each_cell_is_handed_out_once_whoever_asks(place):
    one, other = opened(place), opened(place)
    items = [queue.claim() for _ in range(4) for queue in (one, other)]
    assert items[6:] == [None, None]
    assert sorted(map(str, CELLS)) == sorted(str(item.overrides) for item in items[:6])


def test_a_worker_keeps_to_its_group_and_a_new_one_goes_where_nobody_is(place):
    queue = opened(place)
    first, second = queue.claim(), queue.claim()
    assert {first.group, second.group} == {0, 1}
    assert [queue.claim(second.group).group for _ in range(3)] == [1, 1, 0]


def test_an_item_is_typed(place):
    assert opened(place).claim().overrides == {"model.width": 8, "seed": 0}


def test_a_finished_cell_does_not_come_back_and_a_failed_one_does_when_the_sweep_is_begun_again(place):
    queue = opened(place)
    items = everything(queue)
    for item in items[1:]:
        assert queue.end(item.trial, TrialState.COMPLETE, [1.0])
    assert queue.end(items[0].trial, TrialState.FAIL, error="no")
    assert queue.drained() and queue.reclaim() == [] and queue.claim() is None
    again = opened(place)
    assert [item.overrides for item in everything(again)] == [items[0].overrides]


def test_of_two_processes_that_put_the_same_cell_back_one_counts(place):
    queue = opened(place)
    taken = queue.claim()
    lost = queue.storage.get_trial(taken.trial)
    queue.end(taken.trial, TrialState.FAIL, lost=True, deaths=1)
    for _ in range(2):  # each saw that the cell was lost and that it waits nowhere
        queue._add_again(lost, 1)
    assert [item.overrides for item in everything(queue)].count(taken.overrides) == 1
    doubles = [one for one in queue.trials() if "double" in one.user_attrs]
    assert len(doubles) == 1 and doubles[0].state == TrialState.FAIL and queue.reclaim() == []


def test_a_cell_whose_result_was_taken_away_is_put_in_again(place, tmp_path):
    queue = opened(place)
    for item in everything(queue):
        queue.end(item.trial, TrialState.COMPLETE, [1.0])
    kept = CELLS_OF[1:]
    for cell in kept:
        cell.folder(tmp_path).mkdir()
        (cell.folder(tmp_path) / "result.json").write_text("{}")
        write_json(cell.folder(tmp_path) / "config.json", to_dict(cell.config))
    queue.fill(GROUPS, tmp_path)
    item, = everything(queue)
    assert item.overrides == CELLS[0]
    queue.end(item.trial, TrialState.COMPLETE, [1.0])
    write_json(kept[0].folder(tmp_path) / "config.json",
               to_dict(replace(kept[0].config, {"data.path": "elsewhere"})))
    (CELLS_OF[0].folder(tmp_path)).mkdir()
    (CELLS_OF[0].folder(tmp_path) / "result.json").write_text("{}")
    write_json(CELLS_OF[0].folder(tmp_path) / "config.json", to_dict(CELLS_OF[0].config))
    queue.fill(GROUPS, tmp_path)
    assert [item.overrides for item in everything(queue)] == [kept[0].overrides]


def test_what_has_ended_stays_as_it_ended(place):
    queue = opened(place)
    item = queue.claim()
    assert queue.end(item.trial, TrialState.COMPLETE, [1.0])
    assert not queue.end(item.trial, TrialState.FAIL, error="late")


def test_the_cell_of_a_dead_process_waits_again(place):
    opened(place)
    script = f"from attention_lab.sweeps.queue import Queue; Queue({place!r}, '', {digest(BASE)!r}).claim()"
    subprocess.run([sys.executable, "-c", script], check=True)
    queue = Queue(place, "", digest(BASE))
    assert len(queue.trials(TrialState.WAITING)) == 5
    assert len(queue.reclaim()) == 1
    assert len(everything(queue)) == 6


def test_the_cell_of_a_living_process_is_left_to_it_until_it_is_silent_for_the_lease(place, monkeypatch):
    queue, other = opened(place), opened(place, lease=60.0)
    item = queue.claim()
    now = [100.0]
    monkeypatch.setattr(queues.time, "monotonic", lambda: now[0])
    assert other.reclaim() == []
    now[0] += 59.0
    queue.beat(item.trial, 3)
    assert other.reclaim() == []
    now[0] += 59.0
    assert other.reclaim() == []
    now[0] += 2.0
    assert other.reclaim() != []
    assert len(other.trials(TrialState.WAITING)) == 6


def test_a_process_that_dies_between_ending_and_putting_back_loses_no_cell(place):
    queue = opened(place)
    item = queue.claim()
    queue.end(item.trial, TrialState.FAIL, lost=True, deaths=1)
    assert len(queue.trials(TrialState.WAITING)) == 5
    queue.reclaim()
    assert len(queue.trials(TrialState.WAITING)) == 6


def test_a_cell_that_kills_its_process_each_time_fails_in_the_end(place):
    queue = opened(place)
    others = everything(queue)
    item = others.pop()
    for other in others:
        queue.end(other.trial, TrialState.COMPLETE, [1.0])
    for _ in range(queues.MOST_DEATHS):
        assert not queue.drained()
        queue.put_back(item.trial, died=True)
        item = queue.claim() or item
    assert queue.drained() and queue.reclaim() == []
    assert queue.trials()[-1].user_attrs["error"] == f"its process died {queues.MOST_DEATHS} times"


def test_another_sweep_another_base_and_no_sweep_are_refused(place):
    with pytest.raises(ValueError, match="holds no sweep to join"):
        Queue(place, "", digest(BASE))
    opened(place)
    with pytest.raises(ValueError, match="holds another sweep: give another"):
        Queue(place, "two", digest(BASE))
    with pytest.raises(ValueError, match="of another --config"):
        Queue(place, "", "another")
    assert Queue(place, "", digest(BASE)).claim()


def test_a_lost_search_trial_keeps_what_was_proposed(place):
    queue = Queue(place, "s", "b", search={"sampler": "tpe"})
    queue.fill_search(2)
    queue.fill_search(2)
    assert len(queue.trials()) == 2 and queue.search == {"sampler": "tpe"}
    import optuna
    item = queue.claim()
    value = optuna.trial.Trial(queue.study, item.trial).suggest_float("x", 0.0, 1.0)
    queue.put_back(item.trial, died=True)
    queue.claim()
    again = optuna.trial.Trial(queue.study, queue.claim().trial)
    assert again.suggest_float("x", 0.0, 1.0) == value
    assert os.path.exists(place)
