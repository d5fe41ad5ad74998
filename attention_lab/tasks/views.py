"""The page of a run's attention, whatever its task: all checkpoints; the selected one looks elsewhere."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from attention_lab import view
from attention_lab.config import Config
from attention_lab.config.counts import are
from attention_lab.tasks.elsewhere import Request, changed, order_of, places, said, stacked
from attention_lab.training.weights import history, selected_step

SENTENCES = 8  # of a run's page
MOST, LONGEST = 32, 64  # sentences of a page, and tokens of one, at most
ROOM = 1_850_000  # letters of numbers and picture on a page, so that with script and words it is below 2 MB
CELL = 80  # letters of a cell of the picture

Weights = dict[str, np.ndarray]  # by kind of attention


class Viewer(Protocol):
    """A task's part: its model on the I sentences of a page; `params` are those of any checkpoint.

    Fields:
      fixed: kinds of attention whose weights are not the model's own, so that every pass is given them.
      heads: {kind of attention: (layers, heads)}.
    """

    fixed: Sequence[str]
    heads: Mapping[str, tuple[int, int]]

    def looks(self, params: Any) -> list[tuple[Weights, np.ndarray]]:
        """Weights (L, H, T, S) by kind, and probabilities of the answers (N, V), of each sentence."""

    def norms(self, params: Any) -> list[Weights]:
        """The norm of what each column adds at a weight of 1, (L, H, S), as far as it has a meaning."""

    def outputs(self, params: Any, requests: Sequence[Request]) -> list[np.ndarray]:
        """Probabilities (N, V) of each request."""

    def allowed(self, i: int) -> dict[str, np.ndarray]:
        """Where a row may look, bool (T, S), by kind."""

    def written(self, i: int) -> Sequence[int]:
        """Numbers of the answers that the page writes."""

    def names(self, i: int, numbers: np.ndarray) -> list[str]:
        """Names of answers."""

    def frame(self, i: int) -> view.Sentence:
        """The sentence with its words and truths, without numbers."""


def tables(viewer: Viewer, count: int, history: Mapping[int, Any], selected: int) -> list[view.Sentence]:
    """The `count` sentences of a viewer with all numbers.

    Args:
      history: {step: params}, rising; `selected`, one of its steps, has its weights replaced too.
    """
    looks = {step: viewer.looks(params) for step, params in history.items()}
    norms = {step: viewer.norms(params) for step, params in history.items()}
    outputs = _elsewhere(viewer, history[selected], looks[selected])
    sentences = []
    for i in range(count):
        frame, allowed = viewer.frame(i), viewer.allowed(i)
        maps = {}
        for kind in frame.maps:
            of_steps = [norms[step][i].get(kind) for step in history]
            maps[kind] = frame.maps[kind]._replace(
                weights=[looks[step][i][0][kind] for step in history],
                norms=None if of_steps[0] is None else of_steps, allowed=allowed[kind],
                elsewhere=outputs[i][kind])
        answers = [said(looks[step][i][1], viewer.written(i), lambda n: viewer.names(i, n))
                   for step in history]
        sentences.append(frame._replace(said=answers, maps=maps))
    return sentences


def _elsewhere(viewer: Viewer, params: Any, looks: Sequence[tuple[Weights, np.ndarray]]
               ) -> list[dict[str, view.Elsewhere]]:
    """Outputs of each sentence under each change of each kind of attention at each place."""
    requests: list[Request] = []
    orders: list[dict[str, np.ndarray]] = []
    for i, (weights, _) in enumerate(looks):
        allowed = viewer.allowed(i)
        orders.append({kind: order_of(allowed[kind], i) for kind in weights})
        kept = {kind: (weights[kind], np.ones(weights[kind].shape[:2], bool)) for kind in viewer.fixed}
        for kind, table in weights.items():
            for change in view.CHANGES:
                numbers = changed(table, allowed[kind], change, orders[i][kind])
                requests += [Request(i, kept | {kind: (numbers, where)})
                             for where in places(*table.shape[:2])]
    outputs, result = iter(viewer.outputs(params, requests)), []
    for i, (weights, undisturbed) in enumerate(looks):
        def answers(table):
            return stacked([said(next(outputs), viewer.written(i), lambda n: viewer.names(i, n), undisturbed)
                            for _ in places(*table.shape[:2])])
        result.append({kind: view.Elsewhere(orders[i][kind], {change: answers(table)
                                                              for change in view.CHANGES})
                       for kind, table in weights.items()})
    return result


def save(viewer: Viewer, count: int, config: Config, history: Mapping[int, Any], selected: int,
         path: str | os.PathLike, say: Callable[[str], None] = lambda line: None) -> None:
    """Writes the page. Where checkpoints take more than ROOM, every second one is left out, and `say` told.

    `say` is told too where the selected checkpoint alone takes more. ValueError for sentences beyond MOST and
    LONGEST.
    """
    check_lengths([max(max(mask.shape) for mask in viewer.allowed(i).values()) for i in range(count)])
    kept = _fitting(viewer, count, history, selected)
    if len(kept) < len(history):
        say(f"{len(kept)} of {len(history)} checkpoints {are(len(kept))} shown: with all, {path} would be "
            "above 2 MB")
    if (alone := sum(letters(viewer, count))) > ROOM:
        say(f"{path} has {alone / 1e6:.1f} MB of numbers of the selected checkpoint alone, above 2 MB: fewer "
            "or shorter sentences make it smaller")
    sentences = tables(viewer, count, kept, selected)
    page = view.Page(_title(config), list(kept), list(kept).index(selected), sentences, _facts(config))
    view.save(page, path)


def check_lengths(tokens: Sequence[int], unit: str = "sentences", names: Sequence[str] = ()) -> None:
    """ValueError, which says the limit, for too many sentences or one of too many tokens.

    unit: what they are called. names: what each is called; (): sentence 1, sentence 2 and so on.
    """
    if not 0 < len(tokens) <= MOST:
        raise ValueError(f"{len(tokens)} {unit}: from 1 to {MOST} fit on a page")
    for i, count in enumerate(tokens):
        if count > LONGEST:
            raise ValueError(f"{name_of(i, names)} has {count} tokens, end mark included: at most {LONGEST} "
                             "fit on a page")


def left_out(name: str, tokens: int) -> str:
    """What is said of a sentence that is too long for a page.

    >>> left_out("line 3", 65)
    'line 3 has 65 tokens, end mark included: at most 64 fit on a page, which leaves it out'
    """
    return (f"{name} has {tokens} tokens, end mark included: at most {LONGEST} fit on a page, which leaves "
            "it out")


def name_of(i: int, names: Sequence[str]) -> str:
    """What messages call sentence i.

    >>> name_of(1, ()), name_of(1, ["line 3 of a.txt", "line 5 of a.txt"])
    ('sentence 2', 'line 5 of a.txt')
    """
    return names[i] if names else f"sentence {i + 1}"


def letters(viewer: Viewer, count: int) -> tuple[int, int]:
    """Letters that a page takes: (for outputs elsewhere and the picture, for each checkpoint).

    A number takes two letters; `view.Said` has three for each answer, and a fourth under other weights.
    """
    fixed, each = 0, 0
    for i in range(count):
        answers = len(viewer.written(i))
        each += 6 * answers
        for n, (kind, mask) in enumerate(viewer.allowed(i).items()):
            layers, heads = viewer.heads[kind]
            weights, columns = int(mask.sum()), mask.shape[1]
            each += 2 * layers * heads * (weights + columns)
            fixed += 2 * weights + 8 * answers * len(view.CHANGES) * len(places(layers, heads))
            fixed += CELL * mask.size if i == n == 0 else 0
    return fixed, each


def _fitting(viewer, count, history, selected):
    fixed, each = letters(viewer, count)
    others = [step for step in history if step != selected]
    while others and fixed + each * (1 + len(others)) > ROOM:
        others = others[::2] if len(others) > 1 else []
    return {step: history[step] for step in sorted([*others, selected])}


def _title(config: Config) -> str:
    model = config.model
    attending = {"transformer": "Transformer", "encoder": "Self-attention",
                 "linear_attention": "Linear attention"}
    if model.kind in attending:
        heads = f"{model.num_heads} heads" if model.num_heads > 1 else "one head"
        layers = f"{model.num_layers} layers" if model.num_layers > 1 else "one layer"
        return f"{attending[model.kind]}, {layers} of {heads}"
    names = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "average": "Single words",
             "bag_of_words": "Bag of words"}
    score = model.pooling if config.attention.compatibility == "none" else config.attention.compatibility
    return f"{names[model.kind]} with {score} attention"


def _facts(config: Config) -> list[tuple[str, str]]:
    return [("data", config.data.source), ("seed", str(config.seed))]


def of_run(viewer: Viewer, count: int, config: Config, init: Callable, params: Any, folder: str | Path,
           path: str | os.PathLike, say: Callable[[str], None] = lambda line: None, whole: bool = True
           ) -> None:
    """Writes the page of a run with the checkpoints of its folder.

    init: of the model. params: those that are scored. whole: False shows these alone, which takes less time.
    The rest as of `save`.
    """
    selected = selected_step(folder)
    kept = (history(folder, config, init) if whole else {}) | {selected: params}
    save(viewer, count, config, dict(sorted(kept.items())), selected, path, say)
