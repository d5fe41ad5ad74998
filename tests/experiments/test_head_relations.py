"""head_relations: trees of the grammar, treebanks that are refused, planted shares and their figure."""

import numpy as np
import pytest

from attention_lab.analysis.syntactic_heads import DOWN, UP, related
from attention_lab.data import grammar
from tests.experiments.loaded import module, study, verdicts

STUDY, RELATIONS = study("head_relations"), module("head_relations")
NAMES = [RELATIONS.name_of(relation) for relation in RELATIONS.RELATIONS]


def planted(lead, gain=0.2):
    """A row for each seed; lead of the best head over the best fixed offset, gain over the untrained one."""
    rows = []
    for cell in STUDY.cells(STUDY.settings("cpu")):
        noise = np.random.default_rng(cell["seed"]).uniform(0.0, 0.01)
        rows.append(cell | {"en_unseen": 0.3, "fr_unseen": 0.4})
        for name in NAMES:
            rows[-1] |= {f"{name}_head": 0.5 + lead + noise, f"{name}_fixed": 0.5,
                         f"{name}_untrained": 0.5 + lead - gain, f"{name}_count": 700}
    return rows


def test_heads_that_lead_support_every_claim_and_heads_that_trail_support_training_alone():
    assert set(verdicts(STUDY, planted(0.1)).values()) == {"supported"}
    trailing = verdicts(STUDY, planted(-0.1))
    supported = {name for name, verdict in trailing.items() if verdict == "supported"}
    assert supported == {"training_finds_subjects"}
    assert set(trailing.values()) == {"supported", "refuted"}


def test_every_claim_reads_the_relation_that_it_names():
    row = {f"{name}_{what}": 0.0 for name in NAMES for what in ("head", "fixed", "untrained")}
    row |= {"en_nsubj_down_head": 0.1, "en_amod_up_head": 0.2, "fr_nsubj_down_head": 0.3,
            "en_nsubj_up_head": 0.4, "fr_amod_up_head": 0.5, "en_nsubj_down_untrained": -0.5}
    values = {name: each[0] for name, each in STUDY.values(
        [row | cell for cell in STUDY.cells(STUDY.settings("cpu"))]).items()}
    assert values == {name: pytest.approx(value) for name, value in {
        "english_subject": 0.1, "english_adjective": 0.2, "french_subject": 0.3,
        "training_finds_subjects": 0.6, "most_relations": 5 / len(NAMES), "english_predicate": 0.4,
        "french_noun": 0.5}.items()}


def test_the_trees_of_the_grammar_have_its_subjects_and_adjectives():
    sentences = grammar.generate(40, seed=1, lexicon_size=300, min_words=3, max_words=12)
    trees = RELATIONS._grammar_trees(sentences)
    for index, sentence in enumerate(sentences):
        english, french = (trees[side][index] for side in ("en", "fr"))
        assert (english.tokens, french.tokens) == (tuple(sentence.english), tuple(sentence.french))
        subjects = {verb.english_verb: verb.english_subject for verb in sentence.agreement}
        for verb, found in related(english, "nsubj", DOWN).items():
            assert {subjects[verb]} <= found
        for adjective in related(french, "amod", UP):
            assert sentence.french_tags[adjective] == "ADJ"


def test_a_treebank_that_lacks_a_side_or_a_sentence_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ValueError, match="head_relations reads Multi30k: give --data=DIR"):
        STUDY.check(STUDY.settings("cpu"))
    settings = STUDY.settings("cpu", data=str(tmp_path))
    with pytest.raises(ValueError, match=r"ud-pud lacks en_pud-ud-test.conllu.gz"):
        STUDY.check(settings)
    sentence = "1\tA\t_\tX\t_\t_\t0\troot\t_\t_\n\n"
    (tmp_path / "ud-pud").mkdir()
    for file, count in zip(RELATIONS.TREES.values(), (2, 1)):
        (tmp_path / "ud-pud" / file).write_text(sentence * count)
    with pytest.raises(ValueError, match="2 English and 1 French sentences"):
        STUDY.check(settings)


def test_relations_have_three_hundred_words_each(data_folder):
    """The rule by which they were chosen, on both halves together."""
    trees = RELATIONS._treebank(f"{data_folder}/ud-pud")
    for language, *ends in RELATIONS.RELATIONS:
        assert sum(len(related(tree, *ends, left=language == "fr")) for tree in trees[language]) >= 300


def test_the_figure_has_a_row_for_each_relation_by_language():
    english, french = RELATIONS.draw(planted(0.1), STUDY.settings("cpu")).axes
    assert len(english.get_yticklabels()) == 18 and len(french.get_yticklabels()) == 10
    assert french.get_yticklabels()[0].get_text() == "predicate to subject (700)"
    assert english.get_yticklabels()[0].get_text() == "subject to predicate (700)"
    dots = [line for line in english.lines if line.get_marker() == "o"]
    assert len(dots) == 18 and min(line.get_xdata().min() for line in dots) >= 0.6
