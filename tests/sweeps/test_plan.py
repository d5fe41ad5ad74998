"""Plans: cells that differ in numbers alone share a program."""

import pytest

from attention_lab.config import Config, split
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.space import axis, product

HYPER = product(axis("optimizer.learning_rate", [1e-3, 1e-2]), axis("attention.scale", ["inverse_sqrt", 1.0]),
                axis("seed", [0, 1]))


def test_numbers_share_one_program():
    group, = plan(Config(), HYPER)
    assert len(group.cells) == 8 and len({cell.name for cell in group.cells}) == 8
    assert {split(cell.config)[0] for cell in group.cells} == {group.structure}
    assert group.cells[1].config.seed == 1 and group.cells[1].overrides["seed"] == 1


def test_sizes_and_compatibility_do_not():
    groups = plan(Config(), product(HYPER[:2], axis("model.key_size", [16, 64]),
                                    axis("attention.compatibility", ["dot", "additive"])))
    assert [len(group.cells) for group in groups] == [2, 2, 2, 2]


def test_folders_are_named_by_config(tmp_path):
    cell = plan(Config(), [{}])[0].cells[0]
    assert cell.folder(tmp_path) == tmp_path / cell.name


@pytest.mark.parametrize("space, most, words", [
    ([], 10, "the sweep is empty"),
    (HYPER, 7, "8 cells; allowed are --max_cells=7"),
    (axis("model.num_heads", [4, 3]), 10, "the cell --config.model.num_heads=3: model.num_heads=3 does not"),
    ([{}, {"seed": 0}], 10, "come to the same config"),
    ([{"training.steps": 5, "training.epochs": 1.0}], 10, "both given: one duration"),
])
def test_what_is_refused(space, most, words):
    with pytest.raises(ValueError, match=words):
        plan(Config(), space, most)
