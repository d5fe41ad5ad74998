"""Attention against human word links, out of domain: models of image captions read short stories.

The models of `recurrent_multi30k` read the 520 English-French sentence pairs of the Alibi corpus (Xu & Yvon
2016) that have a sure link, lower-cased and tokenised as the captions are. Selection and scoring as in
`alignment`.
"""

import functools

from attention_lab.analysis import head_alignment
from attention_lab.data.detokenize import respell
from attention_lab.data.readers.links import read_alibi
from attention_lab.data.sources import load as load_corpus
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import alignment_errors, architectures, runs
from attention_lab.studies.recipes.drawing import seed_count, titled_figure
from attention_lab.tasks.load import load

MODELS = "recurrent_multi30k"  # the study whose runs are read
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
    """English, French, sure and possible links; text as in Multi30k's tokenised files."""
    pairs = read_alibi(folder)
    return ([respell(text) for text in pairs.source], [respell(text) for text in pairs.target],
            [links.sure for links in pairs.truth], [links.possible for links in pairs.truth])


def check(settings):
    """ValueError where the folder of captions is not given or the stories can't be read."""
    runs.check_data(settings)
    if settings["gold"] == "alibi":
        _stories(f"{settings['data']}/alibi-aer")


def measure(cell, settings, train):
    """Alignment error rates on the stories, of a run of recurrent_multi30k (trained there if missing)."""
    run = runs.trained(architectures.SHARED["config"].format(**settings),
                       architectures.overrides(cell, settings, None), settings["runs"].parent / MODELS,
                       settings["study"])
    finished = load(run.folder)
    data = finished.run.config.data
    if settings["gold"] == "alibi":
        *texts, sure, possible = _stories(f"{settings['data']}/alibi-aer")
    else:
        pairs = load_corpus(data, ("test",))["test"]
        texts, possible = [pairs.source, pairs.target], None
        sure = [sentence.alignment for sentence in pairs.truth]
    train_pairs = load_corpus(data, ("train",))["train"]
    return alignment_errors.columns(head_alignment.errors(finished, texts, sure, possible)) | {
        f"unknown_{name}": head_alignment.unknown(side, trained_on) for name, side, trained_on in
        zip(("english", "french"), texts, (train_pairs.source, train_pairs.target))}


def draw(rows, settings):
    """Error rates of every arm and variant beside the baselines."""
    title = (f"models of captions read stories ({rows[0]['unknown_english']:.0%} of the English "
             f"and {rows[0]['unknown_french']:.0%} of the French words unknown);\ndots are "
             f"{seed_count(rows)} seeds, pale ticks every layer and head")
    with titled_figure(7.2, 3.8, title, grid=False) as figure:
        alignment_errors.draw_table(figure.subplots(), rows, list(dict.fromkeys(row["arm"] for row in rows)))
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
    cells=cells, measure=measure, draw=draw, labels=alignment_errors.LABELS,
    functions={"better_step": alignment_errors.better_step}, overrides=architectures.overrides, check=check)
