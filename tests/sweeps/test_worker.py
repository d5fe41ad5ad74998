"""One worker and its queue, with runs that train nothing."""

from optuna.trial import TrialState

from attention_lab.config import Config, digest, replace
from attention_lab.sweeps import worker
from attention_lab.sweeps.cell import Outcome
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.space import axis

BASE = Config()


def worked(queue, monkeypatch, run):
    """Has the queue worked off by runs whose outcome `run(config)` gives; the configs in order."""
    seen = []

    def run_cell(cell, parent, shared, command, show, say):
        seen.append(cell.config)
        return Outcome(cell, cell.folder(parent), *run(cell.config))

    monkeypatch.setattr(worker, "run_cell", run_cell)
    monkeypatch.setattr(worker, "POLL", 0.001)
    worker.work(queue, BASE, "runs", None, "command", lambda line: None)
    return seen


def test_files_that_changed_since_the_sweep_was_planned_fail_its_cells(tmp_path, monkeypatch):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"a dog {i}\tun chien {i}\n" for i in range(1100)))
    base = replace(BASE, {"data.source": "tsv", "data.path": str(path)})
    monkeypatch.setattr("tests.sweeps.test_worker.BASE", base)
    queue = Queue(str(tmp_path / "j"), "s", digest(base))
    queue.fill(plan(base, axis("seed", [0, 1])))
    path.write_text(path.read_text().replace("dog 7", "cat 7"))
    assert worked(queue, monkeypatch, lambda config: ({"status": "finished", "steps": 7},)) == []
    assert ["other content than when" in trial.user_attrs["error"] for trial in queue.trials()] == [True] * 2


def test_every_outcome_is_recorded(tmp_path, monkeypatch):
    queue = Queue(str(tmp_path / "j"), "s", digest(BASE))
    queue.fill(plan(BASE, axis("seed", range(4))))
    held = {3}

    def run(config):
        if config.seed in held:
            held.clear()
            return None, "in use", True
        if config.seed == 1:
            return None, "no disk"
        return {"status": ("finished", "", "diverged", "finished")[config.seed], "steps": 7},

    seen = worked(queue, monkeypatch, run)
    assert sorted(config.seed for config in seen) == [0, 1, 2, 3, 3]
    ended = {trial.user_attrs["overrides"]["seed"]: trial for trial in queue.trials()}
    assert ended["1"].user_attrs["error"] == "no disk"
    statuses = [ended[seed].user_attrs["result"]["status"] for seed in "023"]
    assert statuses == ["finished", "diverged", "finished"]


def test_a_search_records_scores_by_their_sign_and_never_scores_test(tmp_path, monkeypatch):
    goal = {"sampler": "random", "axes": ["config.optimizer.learning_rate=log(1e-4,1e-1)"],
            "metric": "dev_loss", "sign": -1.0, "seed": 0}
    queue = Queue(str(tmp_path / "j"), "s", digest(BASE), search=goal)
    queue.fill_search(5)
    seen = worked(queue, monkeypatch, lambda config: (
        {"status": "finished", "steps": 7, "dev_loss": config.optimizer.learning_rate},))
    assert {config.data.split for config in seen} == {"dev"} and len(seen) == 5
    best = queue.study.best_trial
    assert -best.value == min(config.optimizer.learning_rate for config in seen)


def test_each_config_of_a_search_is_run_on_every_tuning_seed(tmp_path, monkeypatch):
    goal = {"sampler": "random", "axes": ["config.model.num_layers=1,2,3"], "metric": "dev_loss", "sign": 1.0,
            "seed": 0, "seeds": [3, 5], "prune": "median"}
    queue = Queue(str(tmp_path / "j"), "s", digest(BASE), search=goal)
    queue.fill_search(2)
    held = {5}

    def run(config):
        if config.seed in held:
            held.clear()
            return None, "in use", True
        return {"status": "finished", "steps": 7, "dev_loss": config.model.num_layers + config.seed},

    seen = worked(queue, monkeypatch, run)
    ended = queue.trials(TrialState.COMPLETE)
    assert len(ended) == 2 and len(seen) == 6
    for trial in ended:
        layers = int(trial.user_attrs["overrides"]["model.num_layers"])
        assert trial.values == [layers + 4.0]
        assert {config.seed for config in seen if config.model.num_layers == layers} == {3, 5}


def test_a_metric_that_results_do_not_have_is_told(tmp_path, monkeypatch):
    goal = {"sampler": "random", "axes": ["config.seed=range(0,9)"], "metric": "dev_bleu", "sign": 1.0,
            "seed": 0}
    queue = Queue(str(tmp_path / "j"), "s", digest(BASE), search=goal)
    queue.fill_search(1)
    worked(queue, monkeypatch, lambda config: ({"status": "finished", "steps": 7, "dev_accuracy": 0.5},))
    assert queue.trials()[0].user_attrs["error"] == "result.json has no dev_bleu: there are dev_accuracy"
