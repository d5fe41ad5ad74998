"""BLEU of a Transformer without one of its heads (Michel, Levy & Neubig 2019, section 3)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from attention_lab.config import Model
from attention_lab.evaluation.bleu import Loss, bleu_losses
from attention_lab.tasks.translation.translator import Translator

KINDS = {"encoder": ("encoder", "heads"), "decoder": ("decoder", "heads"), "cross": ("decoder", "cross")}


class Head(NamedTuple):
    """Fields: kind, one of KINDS; layer and number, from 0."""

    kind: str
    layer: int
    number: int


def heads(model: Model) -> list[Head]:
    """All heads of a translating Transformer, by kind and layer."""
    return [Head(kind, layer, number) for kind in KINDS for layer in range(model.num_layers)
            for number in range(model.num_heads)]


def without(params: Mapping[str, Any], head: Head, model: Model) -> dict[str, Any]:
    """Parameters with which a head adds nothing: its rows of the output map are 0.

    Equivalent to attention weights of 0 (`counterfactual.given`), with the same compiled program. ValueError
    for a head that the model does not have.
    """
    if head not in heads(model):
        raise ValueError(f"{head} is not a head of this model, which has {model.num_layers} layers of "
                         f"{model.num_heads} heads, of the kinds {', '.join(KINDS)}")
    side, block = KINDS[head.kind]
    layer = f"{side}_{head.layer}"
    kernel = params[layer][block]["output"]["kernel"]
    size = kernel.shape[0] // model.num_heads
    output = params[layer][block]["output"] | {
        "kernel": kernel.at[head.number * size:(head.number + 1) * size].set(0)}
    return {**params, layer: {**params[layer], block: {**params[layer][block], "output": output}}}


def losses(translator: Translator, params: Mapping[str, Any], sources: Sequence[str],
           references: Sequence[str], resamples: int = 1000) -> dict[Head, Loss]:
    """Translates greedily with all heads, then without each: BLEU points lost, and p by paired bootstrap.

    With fewer than 20 resamples for each head, p times the number of heads can't get below 0.05. ValueError
    for a model that is no Transformer.
    """
    model = translator.config.model
    if model.kind != "transformer":
        raise ValueError(f"model.kind={model.kind}: only heads of a transformer can be left out")

    def translations(changed):
        return translator.translate(changed, sources, beam=1).texts

    all_heads = heads(model)
    ablated = [translations(without(params, head, model)) for head in all_heads]
    return dict(zip(all_heads, bleu_losses(translations(params), ablated, references,
                                           translator.config.data.text, resamples)))
