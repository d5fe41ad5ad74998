"""The loss of a language model at each place of its contexts."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.config import Hyper
from attention_lab.data import batching, sequences
from attention_lab.data.contexts import Contexts
from attention_lab.models import Model
from attention_lab.training.task import Batch

TOKENS = 4096  # of a batch


def token_losses(model: Model, params: Any, contexts: Contexts, hyper: Hyper) -> np.ndarray:
    """-log p of each target, nats, (N, T); of padding, whatever."""
    rows = batching.rows(contexts.target.shape[1], TOKENS)
    losses = [jax.device_get(_of_batch(model, params, batch, hyper))
              for batch in sequences.in_order(contexts, rows)]
    return np.concatenate(losses)[:len(contexts.target)]


@partial(jax.jit, static_argnames="model")
def _of_batch(model: Model, params: Any, batch: Batch, hyper: Hyper) -> jax.Array:
    output = model.apply(params, batch, hyper)
    log_p = jax.nn.log_softmax(output.hidden @ output.readout.T, axis=-1)
    return -jnp.take_along_axis(log_p, batch["target"][..., None], axis=-1)[..., 0]
