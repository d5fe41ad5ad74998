"""Runs of a stage that are trained by workers: each worker knows where the data of its runs lie."""

from attention_lab.config.rules import check
from attention_lab.studies import measure
from tests.experiments.loaded import study


def test_workers_get_the_data_of_their_runs_alone(tmp_path):
    """A stage on real sentences and on the grammar: a base that is refused, or a leak, shows."""
    one, calls = study("agreement_attractors"), []
    settings = one.settings("cpu", data=str(tmp_path)) | {"runs": tmp_path}
    stage = [cell for cell in one.cells(settings) if cell["stage"] == "tune"]

    def by_workers(file, base, given, groups, runs, workers):
        calls.append((base, given, [cell.config.data for group in groups for cell in group.cells]))

    measure._train_together(one, stage, settings, [], "", 2, by_workers)
    assert [given for _, given, _ in calls] == [
        {"data.source": "agreement", "data.directory": f"{tmp_path}/linzen-agreement"},
        {"data.source": "agreement"}]
    for base, given, data in calls:
        check(base)
        assert {each.directory for each in data} == {given.get("data.directory", "")}
    assert sum(len(data) for *_, data in calls) == len(stage)
