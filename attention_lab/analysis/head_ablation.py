"""A Transformer without one of its heads (Michel, Levy & Neubig 2019, section 3), or feed-forward nets."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attention_lab.config import Hyper
from attention_lab.config import Model as Sizes
from attention_lab.config.choices import look_up
from attention_lab.data.vocabulary import PAD
from attention_lab.evaluation.bleu import Loss, bleu_losses
from attention_lab.models import Model
from attention_lab.tasks.translation.translator import Translator

KINDS = {"encoder": ("encoder", "heads"), "decoder": ("decoder", "heads"), "cross": ("decoder", "cross")}
KINDS_OF = {"transformer": tuple(KINDS), "encoder": ("encoder",)}  # by model.kind


class Head(NamedTuple):
    """Fields: kind, one of KINDS; layer and number, from 0."""

    kind: str
    layer: int
    number: int


def kinds(model: Sizes) -> tuple[str, ...]:
    """The keys of KINDS that a model has: all, or "encoder" alone; ValueError for a model without heads."""
    return look_up(KINDS_OF, "model.kind", model.kind)


def heads(model: Sizes) -> list[Head]:
    """All heads of a Transformer or of an encoder, by kind and layer."""
    return [Head(kind, layer, number) for kind in kinds(model) for layer in range(model.num_layers)
            for number in range(model.num_heads)]


def without(params: Mapping[str, Any], head: Head, model: Sizes, mean: jax.Array | None = None
            ) -> dict[str, Any]:
    """Parameters with which a head adds the same at every token: its rows of the output map are 0.

    Equivalent to attention weights of 0 (`counterfactual.given`), with the same compiled program.

    Args:
      mean: (V,), what takes the place of the head's context, as of `mean_contexts`; None: zeros.
    Raises:
      ValueError: the model does not have the head.
    """
    if head not in heads(model):
        raise ValueError(f"{head} is not a head of this model, which has {model.num_layers} layers of "
                         f"{model.num_heads} heads, of the kinds {', '.join(kinds(model))}")
    side, block = KINDS[head.kind]
    layer = f"{side}_{head.layer}"
    output = params[layer][block]["output"]
    size = output["kernel"].shape[0] // model.num_heads
    rows = slice(head.number * size, (head.number + 1) * size)
    changed = {"kernel": output["kernel"].at[rows].set(0)}
    if mean is not None:
        changed["bias"] = output["bias"] + mean @ output["kernel"][rows]
    output = output | changed
    return {**params, layer: {**params[layer], block: {**params[layer][block], "output": output}}}


def without_feed_forward(params: Mapping[str, Any], layer: int, side: str = "encoder") -> dict[str, Any]:
    """Parameters with which the feed-forward net of a layer, from 0, adds the same at every token: its bias.

    side: "encoder" or "decoder".
    """
    name = f"{side}_{layer}"
    net = params[name]["forward"]
    outer = net["outer"] | {"kernel": jnp.zeros_like(net["outer"]["kernel"])}
    return {**params, name: {**params[name], "forward": net | {"outer": outer}}}


def mean_contexts(model: Model, params: Any, batches: Iterable[Mapping[str, jax.Array]], hyper: Hyper
                  ) -> dict[Head, jax.Array]:
    """The mean over all tokens of the context that each head gives, (V,), by head."""
    sums, counts = zip(*[_context_sums(model, params, batch, hyper) for batch in batches])
    totals = {kind: sum(each[kind] for each in sums) / sum(each[kind] for each in counts)
              for kind in kinds(model.spec.model)}
    return {head: totals[head.kind][head.layer, head.number] for head in heads(model.spec.model)}


@partial(jax.jit, static_argnames="model")
def _context_sums(model, params, batch, hyper):
    """By kind: the sum of contexts over the tokens that are no padding, (L, H, V), and their number."""
    weights = model.apply(params, batch, hyper, with_weights=True).weights
    projections = model.projections(params, batch, hyper)
    sums, counts = {}, {}
    for kind in kinds(model.spec.model):
        side = KINDS[kind][0]
        real = (batch["source" if side == "encoder" else "target"] != PAD).astype(jnp.float32)
        values = jnp.stack([v for _, _, v in projections[kind]])
        sums[kind] = jnp.einsum("bt,lbhts,lbhsv->lhv", real, weights[kind], values)
        counts[kind] = real.sum()
    return sums, counts


def losses(translator: Translator, params: Mapping[str, Any], sources: Sequence[str],
           references: Sequence[str], resamples: int = 1000,
           means: Mapping[Head, jax.Array] | None = None) -> dict[Head, Loss]:
    """Translates greedily with all heads, then without each: BLEU points lost, and p by paired bootstrap.

    With fewer than 20 resamples for each head, p times the number of heads can't get below 0.05.

    Args:
      means: what takes the place of each head's context, as of `mean_contexts`; None: zeros.
    Raises:
      ValueError: the model has no heads.
    """
    model = translator.config.model

    def translations(changed):
        return translator.translate(changed, sources, beam=1).texts

    all_heads = heads(model)
    ablated = [translations(without(params, head, model, means and means[head])) for head in all_heads]
    return dict(zip(all_heads, bleu_losses(translations(params), ablated, references,
                                           translator.config.data.text, resamples)))
