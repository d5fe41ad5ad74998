"""Our weights as a model of CTranslate2 (OpenNMT)."""

import math
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from attention_lab.config import key_size, value_size
from attention_lab.data.tokenizers import Tokenizer
from attention_lab.data.vocabulary import BOS, EOS, UNKNOWN
from attention_lab.models import Model
from attention_lab.models.positions import positions_of
from attention_lab.storage.later import Later

common_spec = Later("ctranslate2.specs.common_spec")
transformer_spec = Later("ctranslate2.specs.transformer_spec")
EPSILON = 1e-6  # of flax's layer norm
ACTIVATIONS = {"relu": "RELU", "gelu": "GELUTanh"}  # theirs
NORMS = {"pre": True, "post": False}


def convert(model: Model, params: Any, scale: float, tokenizer: Tokenizer, folder: str | Path,
            longest: int = 512) -> None:
    """Writes a folder that `ctranslate2.Translator` reads; its tokens are the ids, written as numbers.

    Args:
      scale: factor on the scores, as `Hyper` has it.
      longest: positions in the table of sinusoids, or of learned positions.
    Raises:
      ValueError: a model that CTranslate2 does not have.
    """
    shape, attention = model.spec.model, model.spec.attention
    size = shape.width // shape.num_heads
    for key, value, allowed in (
            ("model.kind", shape.kind, ("transformer",)), ("model.activation", shape.activation, ACTIVATIONS),
            ("model.norm", shape.norm, NORMS), ("model.residual", shape.residual, (True,)),
            ("attention.window", attention.window, (None,)),
            ("model.positions", shape.positions, ("sinusoidal", "learned")),
            ("model.key_size", key_size(shape), (size,)), ("model.value_size", value_size(shape), (size,)),
            ("attention.compatibility", attention.compatibility, ("dot",))):
        if value not in allowed:
            raise ValueError(f"{key}={value}: CTranslate2 is given models with "
                             f"{', '.join(map(str, allowed))}")
    if not shape.hidden:
        raise ValueError("model.hidden=0: layers of CTranslate2 have feed-forward nets")
    if not math.isclose(scale, size ** -0.5, rel_tol=1e-6):
        raise ValueError(f"attention.scale={scale:.6g}: CTranslate2 has 1/sqrt(width/num_heads) = "
                         f"{size ** -0.5:.6g}")
    spec = transformer_spec.TransformerSpec.from_config(
        shape.num_layers, shape.num_heads, pre_norm=NORMS[shape.norm],
        activation=getattr(common_spec.Activation, ACTIVATIONS[shape.activation]))
    params = {name: part if isinstance(part, dict) else np.asarray(part) for name, part in params.items()}
    tables = [params["embedding"], params.get("target_embedding", params["embedding"])]
    vectors = positions_of(shape.positions).vectors
    for side, half in enumerate((spec.encoder, spec.decoder)):
        table = params["places"][side] if "places" in params else None
        (half.embeddings[0] if side == 0 else half.embeddings).weight = tables[side]
        half.position_encodings.encodings = np.asarray(
            vectors(jnp.arange(longest if table is None else len(table)), shape.width, table))
        name = ("encoder", "decoder")[side]
        for i, layer in enumerate(half.layer):
            _layer(layer, params[f"{name}_{i}"], cross=side == 1)
        if NORMS[shape.norm]:
            _norm(half.layer_norm, params[f"{name}_norm"])
    spec.decoder.projection.weight = params.get("readout", params["embedding"])
    tokens = [str(i) for i in range(tokenizer.size)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.unk_token, spec.config.bos_token, spec.config.eos_token = map(str, (UNKNOWN, BOS, EOS))
    spec.config.decoder_start_token = str(BOS)
    spec.config.add_source_eos = True
    spec.config.layer_norm_epsilon = EPSILON
    spec.validate()
    Path(folder).mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))


def _layer(layer, params, cross):
    heads = params["heads"]
    _norm(layer.self_attention.layer_norm, params["around_heads"]["norm"])
    _linear(layer.self_attention.linear[0], heads, "query", "key", "value")
    _dense(layer.self_attention.linear[1], heads["output"])
    if cross:
        _norm(layer.attention.layer_norm, params["around_cross"]["norm"])
        _linear(layer.attention.linear[0], params["cross"], "query")
        _linear(layer.attention.linear[1], params["cross"], "key", "value")
        _dense(layer.attention.linear[2], params["cross"]["output"])
    _norm(layer.ffn.layer_norm, params["around_forward"]["norm"])
    _dense(layer.ffn.linear_0, params["forward"]["inner"])
    _dense(layer.ffn.linear_1, params["forward"]["outer"])


def _linear(linear, params, *names):
    linear.weight = np.concatenate([np.asarray(params[f"{name}_kernel"]).T for name in names])
    linear.bias = np.concatenate([np.asarray(params[f"{name}_bias"]) for name in names])


def _dense(linear, params):
    linear.weight, linear.bias = np.asarray(params["kernel"]).T.copy(), np.asarray(params["bias"])


def _norm(norm, params):
    norm.gamma, norm.beta = np.asarray(params["scale"]), np.asarray(params["bias"])
