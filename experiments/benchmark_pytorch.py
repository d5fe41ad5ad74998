"""The LSTM with dot attention and input feeding (variant lstm_luong) in PyTorch, timed beside ours.

Our parameters are copied over, so that both start with the same loss.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from attention_lab.config import Config, get, replace, split
from attention_lab.data.vocabulary import BOS, PAD
from attention_lab.tasks import build
from attention_lab.training import loop
from attention_lab.training.programs import programs
from experiments.flags import Options


def main(options: Options) -> int:
    """Prints median target tokens per second of ours and of PyTorch, both without dropout."""
    ours, theirs, difference = compare(options.config, options.steps)
    print("way\ttokens_a_second\ttimes_pytorch")
    print(f"jax\t{ours:.0f}\t{ours / theirs:.3g}\npytorch\t{theirs:.0f}\t1")
    print(f"the first losses differ by {difference:.1e} nats")
    return 0


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


def translator(config: Config, size: int, params: dict[str, Any], scale: float) -> Translator:
    """The PyTorch model of a config with our parameters; ValueError for another architecture."""
    for key, value in {"model.kind": "lstm", "model.num_layers": 1, "model.bidirectional": False,
                       "model.input_feeding": True, "model.reverse_source": False,
                       "model.tie_embeddings": True, "attention.compatibility": "dot"}.items():
        if get(config, key) != value:
            raise ValueError(f"{key}={get(config, key)}: the PyTorch model has {value}, as variant "
                             "lstm_luong does")
    module = Translator(size, config.model.width, config.model.hidden, scale)
    ours = {"embedding.weight": params["embedding"],
            "output.weight": params["output_kernel"].T, "output.bias": params["output_bias"]}
    cells = (("reader", params["reader"]["forward_0"], "_l0"), ("writer", params["writer_0"], ""))
    for name, cell, end in cells:
        ours |= {f"{name}.weight_ih{end}": cell["kernel"].T, f"{name}.weight_hh{end}": cell["recurrent"].T,
                 f"{name}.bias_ih{end}": cell["bias"], f"{name}.bias_hh{end}": 0.0 * cell["bias"]}
    module.load_state_dict({name: torch.tensor(np.array(value)) for name, value in ours.items()})
    return module


def stepper(module: Translator, config: Config) -> Callable[[dict[str, Any]], float]:
    """A function that trains one step on a batch and returns the loss before it, in nats per token."""
    optimizer = torch.optim.Adam(module.parameters(), config.optimizer.learning_rate,
                                 (config.optimizer.beta1, config.optimizer.beta2), config.optimizer.epsilon)

    def step(batch):
        source, target = (torch.tensor(batch[name], dtype=torch.int64) for name in ("source", "target"))
        loss = nn.functional.cross_entropy(module(source, target).flatten(0, 1), target.flatten(),
                                           ignore_index=PAD, label_smoothing=config.training.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), config.optimizer.clip_norm)
        optimizer.step()
        return float(loss.detach())

    return step


def compare(config: Config, steps: int) -> tuple[float, float, float]:
    """Trains both from the same parameters, alternating batch by batch, without dropout, in float32.

    Returns:
      median target tokens per second of ours and of PyTorch's, and the difference of their first losses.
    Raises:
      ValueError: an architecture that the PyTorch model does not have, or first losses that differ.
    """
    config = replace(config, {"training.dropout": 0.0, "training.precision": "float32"})
    task, (structure, hyper) = build(config), split(config)
    ours = programs(task, structure, loop.total_steps(config, task))
    state = ours.start(hyper)
    theirs = stepper(translator(config, state.params["embedding"].shape[0], state.params,
                                float(hyper.attention_scale)), config)
    batches = list(itertools.islice(task.batches(config.seed, 0), steps))
    rates, losses = [], []
    for batch in {batch["source"].shape: batch for batch in batches}.values():  # compiles and warms up
        state, sums = ours.update(state, batch, hyper)
        losses.append((float(sums["loss"].total) / float(sums["loss"].count), theirs(batch)))
    for batch in batches:
        began = time.perf_counter()
        state, sums = ours.update(state, batch, hyper)
        float(sums["loss"].total)
        between = time.perf_counter()
        theirs(batch)
        rates.append([task.tokens(batch) / seconds
                      for seconds in (between - began, time.perf_counter() - between)])
    difference = abs(losses[0][0] - losses[0][1])
    if difference > 1e-3:
        raise ValueError(f"the first losses differ by {difference:.2g} nats: the models are not the same")
    ours, theirs = map(statistics.median, zip(*rates))
    return ours, theirs, difference
