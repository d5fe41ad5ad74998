"""Programs: compiled once for all configs that read the same, and anew for those that don't."""

import dataclasses

import jax
import pytest

from attention_lab import config as configs
from attention_lab.tasks import build
from attention_lab.training.losses import TokenLoss
from attention_lab.training.optimizer import SCHEDULES
from attention_lab.training.programs import programs
from configs.recall import get_config as get_recall
from configs.translation import get_config

TRACES = []


@dataclasses.dataclass(frozen=True)
class Counted(TokenLoss):
    """A loss that notes when it is traced."""

    def __call__(self, *given):
        TRACES.append(1)
        return super().__call__(*given)


def traces(config):
    """How often the loss is traced for one step of a config."""
    task = build(config)
    task = task._replace(loss=Counted(task.loss.model, task.loss.precision))
    structure, hyper = configs.split(config)
    ours = programs(task, structure, config.training.steps)
    before = len(TRACES)
    ours.update(ours.start(hyper), next(task.batches(0, 0)), hyper)
    return len(TRACES) - before


SMOKE = configs.replace(get_config("smoke"), {"training.devices": 1, "model.num_layers": 1})


def test_what_a_step_does_not_read_makes_no_new_program():
    assert traces(SMOKE) > 0
    for changes in ({"decoding.beam": 1}, {"data.split": "dev"}, {"training.eval_every": 5},
                    {"optimizer.learning_rate": 0.5, "attention.scale": 1.0, "seed": 3},
                    {"training.steps": 7}, {"data.corpus_seed": 0, "decoding.max_length": 9}):
        assert traces(configs.replace(SMOKE, changes)) == 0, changes


@pytest.mark.parametrize("changes", [
    {"optimizer.schedule": "cosine"}, {"optimizer.beta1": 0.8}, {"training.average_decay": 0.9},
    {"training.precision": "bfloat16"}, {"model.hidden": 24}])
def test_what_a_step_reads_makes_one(changes):
    traces(SMOKE)
    assert traces(configs.replace(SMOKE, changes)) > 0


def test_the_end_of_a_cosine_is_read():
    cosine = configs.replace(SMOKE, {"optimizer.schedule": "cosine"})
    traces(cosine)
    assert traces(configs.replace(cosine, {"training.steps": 9})) > 0


FIELDS = {key: field.choices for key, field in configs.all_fields().items()
          if field.choices and key.split(".")[0] in ("optimizer", "training", "decoding")}


@pytest.mark.parametrize("key", FIELDS)
def test_any_two_choices_are_two_programs(key):
    """By the operations of the step, numbers in them included."""
    base = configs.replace(get_recall("smoke"), {"training.devices": 1, "model.num_layers": 1})
    texts = set()
    for choice in FIELDS[key]:
        config = configs.replace(base, {key: choice})
        task, (structure, hyper) = build(config), configs.split(config)
        ours = programs(task, structure, config.training.steps)
        step = jax.make_jaxpr(lambda state: ours.update(state, next(task.batches(0, 0)), hyper))
        texts.add(str(step(ours.template)))
    assert len(texts) == len(FIELDS[key]) > 1


def test_schedules_are_the_choices_of_the_flag():
    assert configs.all_fields()["optimizer.schedule"].choices == tuple(SCHEDULES)
