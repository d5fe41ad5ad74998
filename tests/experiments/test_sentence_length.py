"""What sentence_length measures of a run: scores by length, and the counts of each sentence behind them."""

from functools import partial

import numpy as np

from attention_lab.evaluation.bleu_counts import COLUMNS, bleu_of
from attention_lab.studies import table
from attention_lab.studies.measure import train
from tests.experiments.loaded import module, study

STUDY, sentence_length = study("sentence_length"), module("sentence_length")


def test_scores_are_those_of_the_counts_and_the_table_keeps_both(tmp_path):
    settings = STUDY.settings("smoke", runs=tmp_path / "runs")
    cell = {"arm": "gru, dot, reversed", "seed": 1}
    row = cell | sentence_length.measure(cell, settings, partial(train, STUDY, settings, []))
    counts = row["sentences"]
    assert counts.shape == (len(settings["lengths"]), settings["sentences"], COLUMNS + 4)
    table.write(tmp_path, [row], list(cell))
    rows = table.read(tmp_path)
    assert rows[0]["lengths"].tolist() == list(settings["lengths"])
    sums = counts.sum(axis=1, dtype=np.int64)
    for column, wanted in (("bleu", bleu_of(sums[:, :COLUMNS])),
                           ("first", sums[:, COLUMNS] / sums[:, COLUMNS + 1]),
                           ("last", sums[:, COLUMNS + 2] / sums[:, COLUMNS + 3])):
        np.testing.assert_allclose(sentence_length.scores(rows, cell["arm"], column)[0], wanted, atol=5.1e-5)
    np.testing.assert_array_equal(rows[0]["sentences"], counts)
    assert sums[:, COLUMNS + 1].tolist() == [3 * settings["sentences"]] * len(settings["lengths"])
