"""Studies: a question, what answers it, the claims fixed beforehand, and a figure. One module each."""

from experiments.studies.record import Study


def load(name: str) -> Study:
    """The study of this name; ValueError names the nearest where there is none."""
    import importlib

    from attention_lab.config.parse import nearest
    if name not in NAMES:
        raise ValueError(f"study {name!r} is not known: there are {', '.join(NAMES)}{nearest(name, NAMES)}")
    return importlib.import_module(f"experiments.studies.{name}").STUDY


NAMES = ("softmax_saturation", "score_scale", "score_scale_translation", "score_scale_multi30k",
         "signal_decay", "signal_decay_trained", "sentence_length", "alignment",
         "recurrent_multi30k", "alignment_alibi", "disambiguation", "disambiguation_coarsewsd",
         "explanation", "explanation_sst", "explanation_translation", "head_ablation")
