"""Do heads of a translator look along the syntactic relations of real sentences? (Clark et al. 2019)

Transformers of image captions (Multi30k, English to French) read the thousand sentences of Parallel Universal
Dependencies, whose trees were made by hand: English in the encoder, the French translation in the decoder,
where a word sees the words to its left alone, so that only related words to its left count. For each relation
and direction the share of words whose most attended other word is a related one: of the best head, and of
the best fixed offset, both picked on the sentences of even index and scored on those of odd index; and of the
best head before training. Subwords and tokens as in `analysis/syntactic_heads.py`.
"""

import functools
from pathlib import Path

import numpy as np

from attention_lab.analysis import head_alignment, head_roles, syntactic_heads
from attention_lab.analysis.syntactic_heads import DOWN, UP
from attention_lab.data.readers import conllu
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import architectures, runs
from attention_lab.studies.recipes.drawing import seed_count, titled_figure
from attention_lab.tasks.load import load
from attention_lab.training.weights import first_weights

ARM = "transformer"
SIDES = {"en": "English, encoder", "fr": "French, decoder, to the left"}
# Relations with 300 words or more; a column is named en_nsubj_down_head, from the language to what is scored.
ENDS = {"nsubj": ("predicate", "subject"), "obj": ("verb", "object"), "obl": ("verb", "oblique noun"),
        "nmod": ("noun", "noun complement"), "amod": ("noun", "adjective"), "det": ("noun", "determiner"),
        "case": ("noun", "preposition"), "advmod": ("head", "adverb"), "aux": ("verb", "auxiliary")}
RELATIONS = tuple(("en", relation, direction) for relation in ENDS for direction in (UP, DOWN)) + (
    ("fr", "nsubj", DOWN), ("fr", "obj", UP), ("fr", "obl", UP), ("fr", "nmod", UP), ("fr", "amod", UP),
    ("fr", "amod", DOWN), ("fr", "det", DOWN), ("fr", "case", DOWN), ("fr", "advmod", DOWN),
    ("fr", "aux", DOWN))
GRAMMAR = {"subject": "nsubj", "noun": "amod"}  # what the built-in grammar knows, by `head_roles.RELATIONS`
TREES = {"en": "en_pud-ud-test.conllu", "fr": "fr_pud-ud-test.conllu"}


def name_of(relation):
    """The first part of a relation's columns."""
    return "_".join(relation)


def lead(name, over="fixed"):
    """Share of words that the best head finds, minus that of the best fixed offset, or of one untrained."""
    return mean(f"{name}_head") - mean(f"{name}_{over}")


CLAIMS = (
    Claim("english_subject", "English, from predicates to their subjects: the best head finds more than the "
          "best fixed offset (share)", lead("en_nsubj_down"), "greater", margin=0.02,
          published="syntactic heads"),
    Claim("english_adjective", "English, from adjectives to their nouns: the best head finds more than the "
          "best fixed offset (share)", lead("en_amod_up"), "greater", margin=0.02,
          published="syntactic heads"),
    Claim("french_subject", "French, from predicates to subjects on their left: the best head finds more "
          "than the best fixed offset (share)", lead("fr_nsubj_down"), "greater", margin=0.02,
          published="syntactic heads"),
    Claim("training_finds_subjects", "English, from predicates to their subjects: the best head finds more "
          "than that of the same models before training (share)", lead("en_nsubj_down", "untrained"),
          "greater", margin=0.02),
    Claim("most_relations", "in more than half of the relations the best head finds more than the best fixed "
          "offset (share of relations)", function("led"), "greater", 0.5, primary=False),
    Claim("english_predicate", "English, from subjects to their predicates: the best head finds more than "
          "the best fixed offset (share)", lead("en_nsubj_up"), "greater", primary=False),
    Claim("french_noun", "French, from adjectives to nouns on their left: the best head finds more than the "
          "best fixed offset (share)", lead("fr_amod_up"), "greater", primary=False),
)


def led(rows):
    """Of each seed: the share of relations whose best head leads the best fixed offset."""
    return {row["seed"]: float(np.mean([row[f"{name}_head"] > row[f"{name}_fixed"] for name in _names(row)]))
            for row in rows}


def _names(row):
    return [name_of(relation) for relation in RELATIONS if f"{name_of(relation)}_head" in row]


@functools.cache
def _treebank(folder):
    """{language: trees} of a folder; ValueError if it lacks one, or they have not equally many."""
    trees = {}
    for language, file in TREES.items():
        paths = [path for path in (Path(folder) / f"{file}.gz", Path(folder) / file) if path.exists()]
        if not paths:
            raise ValueError(f"{folder} lacks {file}.gz, of Parallel Universal Dependencies")
        trees[language] = conllu.read(paths[0])
    if len(trees["en"]) != len(trees["fr"]):
        raise ValueError(f"{folder}: {len(trees['en'])} English and {len(trees['fr'])} French sentences")
    return trees


def _grammar_trees(sentences):
    """{language: trees} of the grammar's sentences, with the relations of GRAMMAR alone."""
    return {language: [_grammar_tree(sentence, language) for sentence in sentences] for language in SIDES}


def _grammar_tree(sentence, language):
    tokens = sentence.english if language == "en" else sentence.french
    words = [conllu.Word(token, "X", conllu.ROOT, "root", i) for i, token in enumerate(tokens)]
    for kind, relation in GRAMMAR.items():
        for word in head_roles.RELATIONS[kind](sentence):
            here, other = ((word.english, word.english_other) if language == "en"
                           else (word.french, word.french_other))
            dependent, head = (here, other) if relation == "amod" else (other, here)
            words[dependent] = words[dependent]._replace(head=head, relation=relation)
    return conllu.Tree(tuple(tokens), tuple(words))


def check(settings):
    """ValueError where the captions or the trees can't be read."""
    runs.check_data(settings)
    if settings["gold"] == "pud":
        _treebank(f"{settings['data']}/ud-pud")


def measure(cell, settings, train):
    """Shares of the best head, trained and untrained, and of the best offset; how texts are cut."""
    run = train(cell)
    trained = load(run.folder)
    translator, data = trained.translator, trained.run.config.data
    trees = _treebank(f"{settings['data']}/ud-pud") if settings["gold"] == "pud" else _grammar_trees(
        load_corpus(data, ("test",))["test"].truth)
    texts = {language: [syntactic_heads.as_text(translator, tree, language) for tree in trees[language]]
             for language in SIDES}
    start = first_weights(trained.run.config, translator.model.init)
    after, before = (syntactic_heads.read(translator, params, *texts.values())
                     for params in (trained.params, start))
    row = {"status": run.result["status"], "dev_bleu": run.result["dev_bleu"]}
    captions = load_corpus(data, ("train",))["train"]
    for language, known in zip(SIDES, (captions.source, captions.target)):
        parts = syntactic_heads.cut(translator, texts[language])
        row |= {f"{language}_split": parts.split, f"{language}_unknown": parts.unknown,
                f"{language}_unseen": head_alignment.unknown([text.text for text in texts[language]], known)}
    for relation in RELATIONS:
        language, *ends = relation
        if settings["gold"] == "grammar" and ends[0] not in GRAMMAR.values():
            continue
        scores, chance = (syntactic_heads.linked(
            attended.source if language == "en" else attended.target, trees[language], *ends,
            left=language == "fr") for attended in (after, before))
        row |= {f"{name_of(relation)}_{name}": value for name, value in scores._asdict().items()}
        row[f"{name_of(relation)}_untrained"] = chance.head
    return row


def draw(rows, settings):
    """By language and relation: best head of every seed, the same before training, best fixed offset."""
    title = (f"{seed_count(rows)} translators of captions read news and encyclopaedias; words unseen in "
             f"training: {rows[0]['en_unseen']:.0%} and {rows[0]['fr_unseen']:.0%};\n"
             "picked on one half of the sentences and scored on the other")
    columns = {side: [relation for relation in RELATIONS if relation[0] == side
                      and name_of(relation) in _names(rows[0])] for side in SIDES}
    with titled_figure(10.4, 2.3 + 0.27 * max(map(len, columns.values())), title, grid=False) as figure:
        for ax, (side, relations) in zip(figure.subplots(1, 2), columns.items()):
            for y, relation in enumerate(relations):
                _draw_relation(ax, y, rows, name_of(relation), labelled=not y)
            counts = [rows[0][f"{name_of(relation)}_count"] for relation in relations]
            ax.set_yticks(range(len(relations)), [
                f"{_spelled(relation)} ({count:,.0f})" for relation, count in zip(relations, counts)])
            ax.invert_yaxis()
            ax.grid(True, axis="x")
            ax.set(title=SIDES[side], xlabel="share of words that find a related word", xlim=(-0.03, 1.03))
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _spelled(relation):
    _, relation, direction = relation
    ends = ENDS[relation] if direction == DOWN else ENDS[relation][::-1]
    return "{} to {}".format(*ends)


def _draw_relation(ax, y, rows, name, labelled):
    for what, mark, colour, label in (("untrained", "x", style.COLOURS[2], "best head, untrained"),
                                      ("head", "o", style.COLOURS[0], "best head")):
        ax.plot([row[f"{name}_{what}"] for row in rows], np.full(len(rows), y), mark, color=colour,
                markersize=4, alpha=0.6, label=label if labelled else None)
    ax.plot([np.mean([row[f"{name}_fixed"] for row in rows])] * 2, [y - 0.35, y + 0.35],
            color=style.COLOURS[1], linewidth=2, label="best fixed offset" if labelled else None)


STUDY = Study(
    question="Do heads of a translator look along the syntactic relations of real sentences?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "gold": "grammar", "arms": {ARM: {}},
                  "config": architectures.smoke(test=40)},
        "cpu": {"seeds": 10, "variant": "multi30k", "gold": "pud", "arms": {ARM: {"model.num_heads": 8}},
                "config": architectures.CAPTIONS_OF_TWO_LAYERS | {"data.split": "dev"}},
        "accelerator": {"seeds": 16, "variant": "multi30k", "gold": "pud", "arms": {ARM: {
            "model.num_heads": 8, "model.width": 256, "model.hidden": 512}},
            "config": architectures.LONG_CAPTIONS | architectures.CAPTIONS_RATE | {"data.split": "dev"}},
    },
    measure=measure, draw=draw, functions={"led": led}, **architectures.SHARED | {"check": check})
