"""Pairs as `evaluate` scores them."""

from types import SimpleNamespace

from attention_lab.data import detokenize
from attention_lab.data.pairs import Pairs
from attention_lab.tasks.translation.evaluate import prepare


def test_written_text_is_scored_as_the_run_was_trained():
    pairs = Pairs(["A boy's dog.", "a boy &apos;s dog ."], ["Le chien d'un garçon.", "le chien ."])
    multi30k, tsv = (SimpleNamespace(data=SimpleNamespace(source=source, text="tokenized"))
                     for source in ("multi30k", "tsv"))
    model = SimpleNamespace(prepare=lambda texts, language: [detokenize.prepare(text, language)
                                                             for text in texts])
    made = prepare(SimpleNamespace(run=SimpleNamespace(config=multi30k), config=tsv, model=model), pairs,
                   False, [], print)
    assert made.source == ["a boy &apos;s dog ."] * 2
    assert made.target == ["le chien d&apos; un garçon .", "le chien ."]
