"""JoeyNMT (Kreutzer et al. 2019) as a peer of `benchmark decoding`, with the weights of a trained run.

It reads a whole hypothesis again at each step, and has another length penalty, so that the outputs of its
beam search may differ.
"""

import importlib.metadata
import types
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import torch
from joeynmt import search
from joeynmt.decoders import TransformerDecoder
from joeynmt.embeddings import Embeddings
from joeynmt.encoders import TransformerEncoder
from joeynmt.model import Model

from attention_lab.data import batching
from attention_lab.data.vocabulary import BOS, EOS, PAD, UNKNOWN
from attention_lab.models.positions import positions_of

SIZE = 64  # sentences in a batch, of similar lengths
LONGEST = 5000  # positions in its table


class Peer:
    """A Transformer of JoeyNMT in float32, on the threads that PyTorch takes."""

    least = {1: 1.0, 5: 0.0}

    def __init__(self, trained: Any):
        """Takes what `load` gives; ValueError for a model that JoeyNMT does not have."""
        self._trained = trained
        spec, size = trained.translator.model.spec, trained.translator.tokenizer.size
        shape = spec.model
        kinds = shape.kind, shape.positions, spec.attention.compatibility
        whole = shape.residual and shape.norm != "none" and shape.hidden and spec.attention.window is None
        if kinds != ("transformer", "sinusoidal", "dot") or not whole:
            raise ValueError("joeynmt is given whole Transformers with sinusoids and dot products")
        same = dict(hidden_size=shape.width, ff_size=shape.hidden, num_layers=shape.num_layers,
                    num_heads=shape.num_heads, dropout=0.0, emb_dropout=0.0, layer_norm=shape.norm,
                    activation=shape.activation)
        vocabulary = types.SimpleNamespace(pad_index=PAD, bos_index=BOS, eos_index=EOS, unk_index=UNKNOWN,
                                           sep_index=None, specials=[], lang_tags=[], lookup=int)
        sides = [Embeddings(shape.width, scale=True, vocab_size=size, padding_idx=PAD) for _ in range(2)]
        self._inner = Model(TransformerEncoder(**same), TransformerDecoder(**same, vocab_size=size), *sides,
                            vocabulary, vocabulary).eval()
        state = dict(weights(trained.params))
        table = np.asarray(positions_of("sinusoidal").vectors(jnp.arange(LONGEST), shape.width, None))
        state |= {f"{side}.pe.pe": table[None] for side in ("encoder", "decoder")}
        self._inner.load_state_dict({name: torch.tensor(np.asarray(x)) for name, x in state.items()})

    def facts(self) -> dict[str, Any]:
        """Versions and threads."""
        return {"version": importlib.metadata.version("joeynmt"), "torch": torch.__version__,
                "threads": torch.get_num_threads()}

    def translator(self, sentences: list[str], beam: int) -> Callable[[], list[str]]:
        """A function that translates these sentences."""
        return lambda: self._translate(sentences, beam)

    def _translate(self, sentences, beam):
        translator, decoding = self._trained.translator, self._trained.config.decoding
        ids, outputs = translator.tokenizer.encode(sentences), {}
        for batch in batching.by_length(ids, translator.buckets, SIZE, 2 ** 30):
            real = batch["example"] >= 0
            source = torch.from_numpy(batch["source"][real]).long()
            mask = (source != PAD)[:, None]
            with torch.no_grad():
                memory, hidden, _, _ = self._inner(return_type="encode", src=source, src_mask=mask,
                                                   src_length=mask.sum(-1)[:, 0])
                given = dict(src_mask=mask, max_output_length=decoding.max_length, model=self._inner,
                             encoder_output=memory, encoder_hidden=hidden, min_output_length=0)
                output = search.greedy(**given)[0] if beam == 1 else search.beam_search(
                    **given, beam_size=beam, alpha=decoding.length_penalty)[0]
            outputs |= zip(batch["example"][real].tolist(), np.asarray(output).tolist())
        return translator.tokenizer.decode([outputs[i] for i in range(len(ids))])


def weights(params: Mapping[str, Any]):
    """Names and arrays of JoeyNMT for our parameters."""
    table = params["embedding"]
    yield "src_embed.lut.weight", table
    yield "trg_embed.lut.weight", params.get("target_embedding", table)
    yield "decoder.output_layer.weight", params.get("readout", table)
    for name, part in params.items():
        side, _, number = name.partition("_")
        if number == "norm":
            yield from _norm(f"{side}.layer_norm", part)
        elif number.isdigit():
            layer = f"{side}.layers.{number}"
            own = {"encoder": ("src_src_att", "layer_norm"), "decoder": ("trg_trg_att", "x_layer_norm")}[side]
            blocks = [("heads", "around_heads", *own)]
            if side == "decoder":
                blocks.append(("cross", "around_cross", "src_trg_att", "dec_layer_norm"))
            for block, around, theirs, norm in blocks:
                yield from _heads(f"{layer}.{theirs}", part[block])
                yield from _norm(f"{layer}.{norm}", part[around]["norm"])
            yield from _dense(f"{layer}.feed_forward.pwff_layer.0", part["forward"]["inner"])
            yield from _dense(f"{layer}.feed_forward.pwff_layer.3", part["forward"]["outer"])
            yield from _norm(f"{layer}.feed_forward.layer_norm", part["around_forward"]["norm"])


def _heads(name, params):
    for ours in ("query", "key", "value"):
        yield f"{name}.{ours[0]}_layer.weight", params[f"{ours}_kernel"].T
        yield f"{name}.{ours[0]}_layer.bias", params[f"{ours}_bias"]
    yield from _dense(f"{name}.output_layer", params["output"])


def _dense(name, params):
    yield f"{name}.weight", params["kernel"].T
    yield f"{name}.bias", params["bias"]


def _norm(name, params):
    yield f"{name}.weight", params["scale"]
    yield f"{name}.bias", params["bias"]
