"""PyTorch's own models of the same architecture as a config's, timed beside ours.

Our parameters are copied over, so that both start with the same loss: an LSTM with dot attention and input
feeding (variant lstm_luong), and the layers of nn.Transformer.
"""

import contextlib
import itertools
import math
import time
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from attention_lab.config import Config, get, replace, split
from attention_lab.data.vocabulary import BOS, PAD
from attention_lab.tasks import build
from attention_lab.training import loop, profile
from attention_lab.training.programs import programs
from attention_lab.training.state import parameter_count

CLOSE = {"float32": 1e-3, "bfloat16": 3e-2}  # nats by which the first losses may differ


class Translator(nn.Module):
    """One encoder and one decoder layer, attention over the encoder's states, tied embeddings."""

    def __init__(self, size: int, width: int, hidden: int, scale: float):
        """Args: vocabulary size; embedding width; hidden units; scale of the scores."""
        super().__init__()
        self.width, self.scale = width, scale
        self.embedding = nn.Embedding(size, width)
        self.reader = nn.LSTM(width, hidden, batch_first=True)
        self.writer = nn.LSTMCell(2 * width, hidden)
        self.output = nn.Linear(2 * hidden, width)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Source (B, S), target (B, T) -> logits (B, T, N)."""
        mask = source != PAD
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(source), mask.sum(1).cpu(), batch_first=True,
                                                   enforce_sorted=False)
        memory, (h, c) = self.reader(packed)
        memory, _ = nn.utils.rnn.pad_packed_sequence(memory, batch_first=True, total_length=source.shape[1])
        h, c = h[0], c[0]
        x = self.embed(nn.functional.pad(target, (1, 0), value=BOS)[:, :-1])
        fed, outputs = x.new_zeros(len(x), self.width), []
        for now in x.unbind(1):
            h, c = self.writer(torch.cat([now, fed], 1), (h, c))
            scores = (memory @ h[:, :, None])[:, :, 0] * self.scale
            weights = scores.masked_fill(~mask, -torch.inf).softmax(1)
            context = (weights[:, None] @ memory)[:, 0]
            fed = torch.tanh(self.output(torch.cat([h, context], 1)))
            outputs.append(fed)
        return torch.stack(outputs, 1) @ self.embedding.weight.T

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token embeddings, scaled as ours."""
        return self.embedding(tokens) * self.width ** 0.5


class Transformer(nn.Module):
    """Layers of nn.Transformer around tied embeddings and sinusoids, final norms if they are pre-norm."""

    def __init__(self, size: int, config: Config):
        """Args: vocabulary size; a config."""
        super().__init__()
        model, self.rate = config.model, config.training.dropout
        self.width, self.embedding = model.width, nn.Embedding(size, model.width)
        made = dict(d_model=model.width, nhead=model.num_heads, dim_feedforward=model.hidden,
                    batch_first=True, dropout=self.rate, norm_first=model.norm == "pre", layer_norm_eps=1e-6)
        norms = [nn.LayerNorm(model.width, 1e-6) if model.norm == "pre" else None for _ in range(2)]
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**made), model.num_layers, norms[0],
                                             enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**made), model.num_layers, norms[1])
        for layer in (*self.encoder.layers, *self.decoder.layers):
            layer.dropout.p = 0.0  # within the feed-forward net and on weights ours has none
            layer.self_attn.dropout = 0.0
            if hasattr(layer, "multihead_attn"):
                layer.multihead_attn.dropout = 0.0

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Source (B, S), target (B, T) -> logits (B, T, N)."""
        padding = source == PAD
        shifted = nn.functional.pad(target, (1, 0), value=BOS)[:, :-1]
        causal = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        memory = self.encoder(self.embed(source), src_key_padding_mask=padding)
        hidden = self.decoder(self.embed(shifted), memory, tgt_mask=causal, tgt_is_causal=True,
                              memory_key_padding_mask=padding)
        return hidden @ self.embedding.weight.T

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Scaled embeddings with the positions of Vaswani et al., sines first."""
        half = self.width // 2
        rates = torch.exp(-np.log(10000.0) * torch.arange(half) / max(half - 1, 1))
        angles = torch.arange(tokens.shape[1])[:, None] * rates
        vectors = self.embedding(tokens) * self.width ** 0.5 + torch.cat([angles.sin(), angles.cos()], 1)
        return nn.functional.dropout(vectors, self.rate, self.training)


def transformer(config: Config, size: int, params: dict[str, Any], scale: float) -> Transformer:
    """The PyTorch model of a config with our parameters; ValueError for another architecture."""
    _check(config, {"model.positions": "sinusoidal", "model.activation": "relu", "model.tie_embeddings": True,
                    "model.key_size": None, "model.value_size": None, "model.residual": True,
                    "attention.compatibility": "dot", "attention.window": None, "attention.dropout": 0.0,
                    "training.entropy_weight": 0.0})
    for key, value in {"model.norm": "none", "model.hidden": 0}.items():
        if get(config, key) == value:
            raise ValueError(f"{key}={value}: the PyTorch model has this part in every layer")
    theirs = (config.model.width // config.model.num_heads) ** -0.5
    if not math.isclose(scale, theirs, rel_tol=1e-6):
        raise ValueError(f"attention.scale={scale:.6g}: the PyTorch model has 1/sqrt(width/num_heads) = "
                         f"{theirs:.6g}")
    module, ours = Transformer(size, config), {"embedding.weight": params["embedding"]}

    def norm(name, there):
        ours[f"{name}.weight"], ours[f"{name}.bias"] = there["scale"], there["bias"]

    def heads(name, there):
        parts = ("query", "key", "value")
        ours[f"{name}.in_proj_weight"] = np.concatenate([there[f"{part}_kernel"] for part in parts], 1).T
        ours[f"{name}.in_proj_bias"] = np.concatenate([there[f"{part}_bias"] for part in parts])
        dense(f"{name}.out_proj", there["output"])

    def dense(name, there):
        ours[f"{name}.weight"], ours[f"{name}.bias"] = np.array(there["kernel"]).T, there["bias"]

    blocks = {"encoder": {"heads": "self_attn"}, "decoder": {"heads": "self_attn", "cross": "multihead_attn"}}
    for side, attending in blocks.items():
        for i in range(config.model.num_layers):
            layer, name = params[f"{side}_{i}"], f"{side}.layers.{i}"
            for n, (block, theirs) in enumerate([*attending.items(), ("forward", None)], 1):
                norm(f"{name}.norm{n}", layer[f"around_{block}"]["norm"])
                if theirs:
                    heads(f"{name}.{theirs}", layer[block])
            dense(f"{name}.linear1", layer["forward"]["inner"])
            dense(f"{name}.linear2", layer["forward"]["outer"])
        if config.model.norm == "pre":
            norm(f"{side}.norm", params[f"{side}_norm"])
    return _with(module, ours)


def translator(config: Config, size: int, params: dict[str, Any], scale: float) -> Translator:
    """The PyTorch model of a config with our parameters; ValueError for another architecture."""
    _check(config, {"model.num_layers": 1, "model.bidirectional": False, "model.input_feeding": True,
                    "model.reverse_source": False, "model.tie_embeddings": True,
                    "attention.compatibility": "dot", "training.dropout": 0.0})
    module = Translator(size, config.model.width, config.model.hidden, scale)
    ours = {"embedding.weight": params["embedding"],
            "output.weight": params["output_kernel"].T, "output.bias": params["output_bias"]}
    cells = (("reader", params["reader"]["forward_0"], "_l0"), ("writer", params["writer_0"], ""))
    for name, cell, end in cells:
        ours |= {f"{name}.weight_ih{end}": cell["kernel"].T, f"{name}.weight_hh{end}": cell["recurrent"].T,
                 f"{name}.bias_ih{end}": cell["bias"], f"{name}.bias_hh{end}": 0.0 * cell["bias"]}
    return _with(module, ours)


# By model.kind: the model, and what a config has to do without.
PEERS = {"lstm": (translator, {"training.dropout": 0.0}), "transformer": (transformer, {})}


def _check(config, allowed):
    for key, value in allowed.items():
        if get(config, key) != value:
            raise ValueError(f"{key}={get(config, key)}: the PyTorch model has {value}")


def _with(module, parameters):
    module.load_state_dict({name: torch.tensor(np.array(value)) for name, value in parameters.items()})
    return module


class Stepper:
    """Trains a module as our recipe does: Adam with clipping, in a precision, with a moving average."""

    def __init__(self, module: nn.Module, config: Config):
        self.module, self.config = module, config
        optimizer, decay = config.optimizer, config.training.average_decay
        self.optimizer = torch.optim.AdamW(module.parameters(), optimizer.learning_rate,
                                           (optimizer.beta1, optimizer.beta2), optimizer.epsilon,
                                           weight_decay=optimizer.weight_decay)
        self.average = torch.optim.swa_utils.AveragedModel(
            module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)) if decay else None

    def loss(self, batch: dict[str, Any]) -> torch.Tensor:
        """The loss of a batch, in nats per token."""
        source, target = (torch.tensor(batch[name], dtype=torch.int64) for name in ("source", "target"))
        half = self.config.training.precision == "bfloat16"
        with torch.autocast("cpu", torch.bfloat16) if half else contextlib.nullcontext():
            logits = self.module(source, target)
        return nn.functional.cross_entropy(logits.float().flatten(0, 1), target.flatten(), ignore_index=PAD,
                                           label_smoothing=self.config.training.label_smoothing)

    def first_loss(self, batch: dict[str, Any]) -> float:
        """The loss without dropout."""
        self.module.eval()
        with torch.no_grad():
            loss = float(self.loss(batch))
        self.module.train()
        return loss

    def step(self, batch: dict[str, Any]) -> None:
        """Trains one step."""
        loss = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        if self.config.optimizer.clip_norm:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.config.optimizer.clip_norm)
        self.optimizer.step()
        if self.average:
            self.average.update_parameters(self.module)


class Pair(NamedTuple):
    """Fields: target tokens per second by step, ours and theirs; weights; difference of the first losses."""

    ours: list[float]
    theirs: list[float]
    weights: int
    difference: float


def compare(config: Config, steps: int) -> Pair:
    """Trains both from the same parameters, alternating batch by batch; the LSTMs without dropout.

    Raises:
      ValueError: an architecture that the PyTorch model does not have, or first losses that differ.
    """
    if config.model.kind not in PEERS:
        raise ValueError(f"model.kind={config.model.kind}: the PyTorch models are {', '.join(PEERS)}")
    make, without = PEERS[config.model.kind]
    config = replace(config, without)
    task, (structure, hyper) = build(config), split(config)
    ours = programs(task, structure, loop.total_steps(config, task))
    state = ours.start(hyper)
    theirs = Stepper(make(config, state.params["embedding"].shape[0], state.params,
                          float(hyper.attention_scale)), config)
    batches = list(itertools.islice(task.batches(config.seed, 0), steps))
    loss = ours.dev_loss(state.params, batches[0], hyper)["loss"]
    difference = abs(float(loss.total) / float(loss.count) - theirs.first_loss(batches[0]))
    if difference > CLOSE[config.training.precision]:
        raise ValueError(f"the first losses differ by {difference:.2g} nats: the models are not the same")
    rates = []
    for batch in {batch["source"].shape: batch for batch in batches}.values():  # compiles and warms up
        state, _ = ours.update(state, batch, hyper)
        theirs.step(batch)
    for batch in batches:
        began = time.perf_counter()
        state, sums = ours.update(state, batch, hyper)
        float(sums["loss"].total)
        between = time.perf_counter()
        theirs.step(batch)
        rates.append([task.tokens(batch) / seconds
                      for seconds in (between - began, time.perf_counter() - between)])
    return Pair(*map(list, zip(*rates)), parameter_count(state.params), difference)


def facts() -> dict[str, Any]:
    """Version and threads."""
    return {"version": torch.__version__, "threads": torch.get_num_threads()}


def product_rate() -> float:
    """Operations a second of a large product in float32, as `profile.product_rate` of ours."""
    return profile.product_rate(lambda x: x @ x, torch.ones(profile.PRODUCT, profile.PRODUCT))
