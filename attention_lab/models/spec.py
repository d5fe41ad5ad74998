"""The specification of a model (ModelSpec), and its plain functions over a pytree of parameters (Model)."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from attention_lab.config import fields
from attention_lab.data.vocabulary import BOS
from attention_lab.models.dropout import dropout_of_weights, make_dropout


@dataclasses.dataclass(frozen=True)
class ModelSpec:
    """The specification of a model: all that it sees of the config.

    Fields:
      vocabulary: ids N. classes: of a classifier, how many each word has.
      output: "sentence", a translation; "tokens", an answer at each token of the source; "class", one of the
        classes of a word or sentence.
      answers: k, with output "tokens": the states of every k-th token and the k - 1 after it are k linear
        maps of the last state of that token, so that k answers are read out of one state.
    """

    model: fields.Model
    attention: fields.Attention
    precision: str
    vocabulary: int
    output: str = "sentence"
    classes: tuple[int, ...] = ()
    answers: int = 1


class Output(NamedTuple):
    """Output of a forward pass; logits are `hidden @ readout.T`, so that a loss can form them in chunks.

    Fields:
      hidden: last states, (B, T, D). readout: matrix from states to logits, (N, D).
      weights: {"encoder": (L, B, H, S, S), "decoder": (L, B, H, T, T), "cross": (L, B, H, T, S)}, float32,
        as far as the model has them, or {} without `with_weights`.
      readouts: by kind of attention as weights are: {name: (L, B, H, T), or (L, B, H, S) of "received"}; {}
        without `readouts`.
    """

    hidden: Any
    readout: Any
    weights: dict
    readouts: dict = {}


class Decision(NamedTuple):
    """Output of the forward pass of a classifier.

    Fields:
      logits: (B, C) of the classes of each row's word. allowed: bool (B, C), False beyond their number.
      states: (B, S, D), the input of the pooling.
      weights: as of Output, {"encoder": (L, B, H, S, S), "pool": (1, B, 1, 1, S)}.
      readouts: as of Output, of "encoder" alone.
    """

    logits: Any
    allowed: Any
    states: Any
    weights: dict
    readouts: dict = {}


class Pass(NamedTuple):
    """Arguments of one forward pass, handed to every layer.

    Fields:
      scale: factor on the scores. drop: (x (B, T, D), site) -> x with units dropped.
      with_weights: whether attention returns its weights. readouts: names of statistics that it returns.
      drop_weights: site -> dropout of the weights there, or None.
    """

    scale: Any
    drop: Callable
    with_weights: bool = False
    readouts: tuple[str, ...] = ()
    drop_weights: Callable = lambda site: None


def _function() -> Any:
    return dataclasses.field(default=None, compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class Model:
    """Pure functions; `batch` holds source (B, S), target (B, T) and example (B,), int32, 0 where padded.

    Hashable, and equal when its spec is, so that a `jax.jit(..., static_argnames="model")` at the top of a
    module compiles once for all who build the same model.

    A classifier's batch holds source, example, word (B,) and position (B,) of the target word, int32; where
    its pooling has frozen weights, guide (B, S). Its `apply` gives a Decision and takes `embedded` (B, S, D)
    in place of the output of `embed`; its kinds of attention are "encoder" and "pool".

    Fields:
      init: key -> params.
      apply: (params, batch, hyper, key=None, with_weights=False, intervention=None, readouts=()) -> Output.
        hidden[:, t] predicts batch["target"][:, t] from the target before t; key None means no dropout.
        intervention: {"encoder" | "decoder" | "cross": Counterfactual} whose arrays lead with the layers,
        numbers (L, B, H, T, S) and rows (L, B, H, T), any axis may be 1; a ValueError for a kind that the
        model lacks. `Output.weights` are those that were used, before dropout.
        readouts: names in attention.READOUTS but "mass"; a ValueError where the model has no `Heads`.
      projections: (params, batch, hyper) -> {"encoder": [(q, k, v) of each layer], "decoder": ...,
        "cross": ...} as attention gets them, without dropout: (B, H, T, K), (B, H, S, K), (B, H, S, V).
        None for a recurrent model.
      values: (params, batch, hyper) -> the norm of what each source position adds where cross-attention, or
        the self-attention of a classifier, gives it a weight of 1, (L, B, H, S) (Kobayashi et al. 2020); None
        where there is no such attention.
      start: (params, source (B, S), hyper, max_length, beam=1) -> carry of `beam` equal hypotheses of each
        sentence, with room for max_length tokens. Every leaf leads with B. That of a shorter source or with
        less room, padded with zeros, serves as well. A causal encoder and a recurrent network with an answer
        at each token go on with the source instead: the carry is that after its tokens, and max_length more
        have room. None, as step is, for all other models that do not translate.
      step: (params, carry, token (B * beam,), hyper) -> (logits (B * beam, N) float32, carry). Of a
        translation the first token is BOS, and all rows are at the same position.
      follow: (carry, parent (B, beam)) -> carry in which each hypothesis has the past of its parent. None for
        a model whose `start` has one hypothesis, whatever `beam` is: leaves may be repeated and gathered.
      embed: (params, source (B, S)) -> vectors of the tokens alone (B, S, D); None but for classifiers.
    """

    spec: ModelSpec
    init: Callable = _function()
    apply: Callable = _function()
    projections: Callable | None = _function()
    values: Callable | None = _function()
    start: Callable | None = _function()
    step: Callable | None = _function()
    follow: Callable | None = _function()
    embed: Callable | None = _function()


def without_dropout(scale: Any) -> Pass:
    """A Pass without dropout."""
    return Pass(scale, make_dropout(None, 0.0, None))


def as_model(spec: ModelSpec, module: nn.Module, projections: Callable | None = None,
             values: Callable | None = None) -> Model:
    """The plain functions of a linen module; those of `start`, `step` and `embed` that it has.

    The module is called as (batch, Pass, intervention), its methods as start(source, Pass, max_length, beam),
    step(carry, token, Pass) and embed(source); `follow` is a static method.
    """
    def init(key):
        tokens, row = jnp.full((1, 2), BOS, jnp.int32), jnp.zeros((1,), jnp.int32)
        batch = {"source": tokens, "target": tokens, "example": row, "word": row, "position": row,
                 "guide": jnp.zeros((1, 2))}
        return module.init(key, batch, without_dropout(1.0))["params"]

    def apply(params, batch, hyper, key=None, with_weights=False, intervention=None, readouts=(), **more):
        if readouts and not projections:
            raise ValueError(f"readouts={tuple(readouts)}: model.kind={spec.model.kind} has no heads to read")
        run = Pass(hyper.attention_scale, make_dropout(key, hyper.dropout, batch["example"]), with_weights,
                   tuple(readouts), dropout_of_weights(key, spec, batch["example"]))
        return module.apply({"params": params}, batch, run, intervention, **more)

    def start(params, source, hyper, max_length, beam=1):
        return module.apply({"params": params}, source, without_dropout(hyper.attention_scale), max_length,
                            beam, method="start")

    def step(params, carry, token, hyper):
        return module.apply({"params": params}, carry, token, without_dropout(hyper.attention_scale),
                            method="step")

    def embed(params, source):
        return module.apply({"params": params}, source, method="embed")

    methods = {function.__name__: function for function in (start, step, embed)
               if hasattr(type(module), function.__name__)}
    return Model(spec, init, apply, projections, values, **methods,
                 follow=getattr(type(module), "follow", None))
