"""Attention against links made by hand, out of domain: models of image captions read short stories.

The models of `recurrent_multi30k`, and the 520 English-French sentence pairs of the Alibi corpus (Xu & Yvon
2016) that have a sure link. The stories' words are lower-cased and spelled as the captions are, no more; the
share of them that the captions do not have stands beside the error rates. Layer and head, and the step where
a claim leaves it open, are chosen on one half of the sentences and scored on the other.
"""

import functools

from attention_lab.analysis import alignment
from attention_lab.data.detokenize import respell
from attention_lab.data.readers.links import read_alibi
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import alignments, architectures, runs
from attention_lab.tasks.load import load

MODELS = "recurrent_multi30k"  # the study whose models are read
T, ADDITIVE = "transformer", "gru, additive"

CLAIMS = (
    Claim("additive_beats_diagonal", "a GRU's additive attention errs less than the diagonal",
          function("better_step", arm=ADDITIVE) - mean("aer_diagonal", arm=ADDITIVE), "less"),
    Claim("transformer_beats_diagonal", "a Transformer's best head errs less than the diagonal",
          function("better_step", arm=T) - mean("aer_diagonal", arm=T), "less"),
    Claim("input_beats_predict", "a Transformer's best head errs less at the step that takes a word in than "
          "at the step that predicts it", mean("aer_input", arm=T) - mean("aer_predict", arm=T), "less",
          published=-0.179),
    Claim("values_help", "weights times the norm of the value err less (a Transformer's best head at the "
          "input)", mean("aer_input_by_value", arm=T) - mean("aer_input", arm=T), "less", published=-0.048),
)


def cells(settings):
    """A model for each arm with attention and each seed."""
    return [cell for cell in architectures.cells(settings) if cell["arm"] != "gru"]


@functools.cache
def _stories(folder):
    """English, French, sure and possible links, words spelled as Multi30k's tokenised files have them."""
    pairs = read_alibi(folder)
    return ([respell(text) for text in pairs.source], [respell(text) for text in pairs.target],
            [one.sure for one in pairs.truth], [one.possible for one in pairs.truth])


def check(settings):
    """ValueError where the captions' folder is not named or the stories can't be read."""
    runs.check_data(settings)
    if settings["gold"] == "alibi":
        _stories(f"{settings['data']}/alibi-aer")


def measure(cell, settings, rows, folder):
    """Reads a model of recurrent_multi30k, trained here where it is missing, and aligns the stories."""
    _, _, run = architectures.trained(cell, settings, folder.parent / MODELS)
    finished = load(run)
    data = finished.run.config.data
    if settings["gold"] == "alibi":
        *texts, sure, possible = _stories(f"{settings['data']}/alibi-aer")
    else:
        pairs = load_corpus(data, ("test",))["test"]
        texts, sure, possible = [pairs.source, pairs.target], [one.alignment for one in pairs.truth], None
    train = load_corpus(data, ("train",))["train"]
    return alignments.columns(alignment.errors(finished, texts, sure, possible)) | {
        f"unknown_{name}": alignment.unknown(side, known)
        for name, side, known in zip(("english", "french"), texts, (train.source, train.target))}


def draw(rows, settings):
    """Error rates of every arm and reading beside the baselines."""
    with style.look():
        figure = style.figure(6.4, 4.4, layout="constrained")
        ax = figure.subplots()
        alignments.draw_rates(ax, rows, list(dict.fromkeys(row["arm"] for row in rows)))
        figure.suptitle(f"models of captions read stories ({rows[0]['unknown_english']:.0%} of the English "
                        f"and {rows[0]['unknown_french']:.0%} of the French words unknown);\ndots are "
                        f"{len({row['seed'] for row in rows})} seeds, pale ticks every layer and head",
                        parse_math=False)
    return figure


_ARMS = architectures.CAPTIONS_ARMS

STUDY = Study(
    question="Does the attention of models of captions find the words of stories, too?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "gold": "grammar", "arms": {arm: {} for arm in _ARMS},
                  "config": architectures.smoke()},
        "cpu": {"seeds": 3, "variant": "multi30k", "gold": "alibi", "arms": _ARMS,
                "config": architectures.CAPTIONS},
        "accelerator": {"seeds": 8, "variant": "multi30k", "gold": "alibi", "arms": _ARMS,
                        "config": architectures.LONG_CAPTIONS},
    },
    cells=cells, measure=measure, draw=draw, labels=alignments.LABELS,
    functions={"better_step": alignments.better_step}, overrides=architectures.overrides, check=check)
