"""Attention against links made by hand, out of domain: models of image captions read short stories.

The models of `recurrent_multi30k`, and the 520 English-French sentence pairs of the Alibi corpus (Xu & Yvon
2016) that have a sure link. The stories' words are lower-cased and spelled as the captions are, no more; the
share of them that the captions do not have stands beside the error rates. Layer and head, and the step where
a claim leaves it open, are chosen on one half of the sentences and scored on the other.
"""

import functools

from attention_lab.statistics import Claim
from experiments.studies import alignment, architectures, recurrent_multi30k, training
from experiments.studies.record import Study

CLAIMS = (
    Claim("additive_beats_diagonal", "a GRU's additive attention errs less than the diagonal", "aer",
          ("gru, additive", "diagonal"), "less"),
    Claim("transformer_beats_diagonal", "a Transformer's best head errs less than the diagonal", "aer",
          ("transformer", "diagonal"), "less"),
    Claim("input_beats_predict", "a Transformer's best head errs less at the step that takes a word in than "
          "at the step that predicts it", "aer", ("input", "predict"), "less", published="29.8 against 47.7"),
    Claim("values_help", "weights times the norm of the value err less (a Transformer's best head at the "
          "input)", "aer", ("by value", "by weight"), "less", published="25.0 against 29.8"),
)


def cells(settings):
    """A model for each arm with attention and each seed."""
    return [cell for cell in architectures.cells(settings) if cell["arm"] != "gru"]


@functools.cache
def _stories(folder):
    """English, French, sure and possible links, words spelled as Multi30k's tokenised files have them."""
    from attention_lab.data.detokenize import respell
    from attention_lab.data.readers.links import read_alibi
    pairs = read_alibi(folder)
    return ([respell(text) for text in pairs.source], [respell(text) for text in pairs.target],
            [one.sure for one in pairs.truth], [one.possible for one in pairs.truth])


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config; stories that can't be read are said at once."""
    changed = training.with_data("alignment_alibi", architectures.overrides(cell, settings), settings)
    if settings["gold"] == "alibi":
        _stories(f"{settings['data']}/alibi-aer")
    return changed


def measure(cell, settings, rows, folder):
    """Reads a model of recurrent_multi30k, trained here where it is missing, and aligns the stories."""
    from attention_lab.analysis import alignment
    from attention_lab.data import sources
    _, _, run = training.trained(architectures.config(settings), overrides(cell, settings, rows),
                                 folder.parent / "recurrent_multi30k", "alignment_alibi")
    finished = architectures.finished(run)
    data = finished.run.config.data
    if settings["gold"] == "alibi":
        *texts, sure, possible = _stories(f"{settings['data']}/alibi-aer")
    else:
        pairs = sources.load(data, ("test",))["test"]
        texts, sure, possible = [pairs.source, pairs.target], [one.alignment for one in pairs.truth], None
    train = sources.load(data, ("train",))["train"]
    return alignment.columns(alignment.errors(finished, texts, sure, possible)) | {
        f"unknown_{name}": alignment.unknown(side, known)
        for name, side, known in zip(("english", "french"), texts, (train.source, train.target))}


def differences(rows):
    """Paired by seed; an arm at its better step, weights alone, unless a step is named."""
    import numpy as np

    def of(arm, column):
        return np.array(architectures.by_seed(rows, column, arm))

    def better(arm):
        return alignment.better_step(rows, arm) - of(arm, "aer_diagonal")

    at_input = of("transformer", "aer_input")
    return {"additive_beats_diagonal": better("gru, additive"),
            "transformer_beats_diagonal": better("transformer"),
            "input_beats_predict": at_input - of("transformer", "aer_predict"),
            "values_help": of("transformer", "aer_input_by_value") - at_input}


def draw(rows, settings):
    """Error rates of every arm and reading beside the baselines."""
    from attention_lab.figures import style
    with style.look():
        figure = style.figure(6.4, 4.4, layout="constrained")
        ax = figure.subplots()
        alignment.draw_rates(ax, rows, list(dict.fromkeys(row["arm"] for row in rows)))
        figure.suptitle(f"models of captions read stories ({rows[0]['unknown_english']:.0%} of the English "
                        f"and {rows[0]['unknown_french']:.0%} of the French words unknown);\ndots are "
                        f"{len({row['seed'] for row in rows})} seeds, pale ticks every layer and head",
                        parse_math=False)
    return figure


STUDY = Study(
    name="alignment_alibi",
    question="Does the attention of models of captions find the words of stories, too?",
    claims=CLAIMS,
    presets={name: dict(settings) | {"gold": "grammar" if name == "smoke" else "alibi"}
             for name, settings in recurrent_multi30k.STUDY.presets.items()},
    cells=cells, measure=measure, differences=differences, draw=draw, overrides=overrides)
