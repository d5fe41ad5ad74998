"""The pure training step: one batch, one update."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from attention_lab.config import Hyper
from attention_lab.training.optimizer import Recipe, make_optimizer
from attention_lab.training.state import State
from attention_lab.training.task import Batch, Sums


def run_keys(seed: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The two keys of a run: for the initial parameters, and for the steps."""
    init, steps = jax.random.split(jax.random.key(seed))
    return init, steps


def make_step(loss: Callable, recipe: Recipe) -> Callable:
    """The function (state, batch, hyper) -> (state, {name: Sums}) for the loss of a Task and a recipe.

    The loss is divided by its count once, after all parts and devices have been summed, so neither
    accumulation nor the number of devices changes it.
    """
    def total(params, batch, hyper, key):
        sums, logged = loss(params, batch, hyper, key)
        return sums.total, (sums.count, {"loss": sums, **logged})

    gradient = jax.grad(total, has_aux=True)

    def accumulated(params, batch, hyper, key):
        parts = jax.tree.map(  # row i goes to part i mod A, so that every device has rows of each part
            lambda x: x.reshape(-1, recipe.accumulate, *x.shape[1:]).swapaxes(0, 1), batch)

        def body(carry, part):
            return jax.tree.map(jnp.add, carry, gradient(params, part, hyper, key)), None

        first = jax.tree.map(lambda x: x[0], parts)
        shapes = jax.eval_shape(lambda part: gradient(params, part, hyper, key), first)
        return jax.lax.scan(body, jax.tree.map(jnp.zeros_like, shapes), parts)[0]

    def step(state: State, batch: Batch, hyper: Hyper) -> tuple[State, dict[str, Sums]]:
        key = jax.random.fold_in(run_keys(hyper.seed)[1], state.step)
        compute = gradient if recipe.accumulate == 1 else accumulated
        grads, (count, logged) = compute(state.params, batch, hyper, key)
        grads = jax.tree.map(lambda g: g / jnp.maximum(count, 1.0), grads)
        optimizer = make_optimizer(recipe.optimizer, hyper, recipe.total_steps)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        average = state.average
        if recipe.average_decay:
            # Early on the average is short, so that the initial parameters are forgotten.
            n = state.step.astype(jnp.float32)
            decay = jnp.minimum(recipe.average_decay, (1.0 + n) / (10.0 + n))
            average = jax.tree.map(lambda a, p: decay * a + (1.0 - decay) * p, average, params)
        logged["gradient_norm"] = Sums(optax.tree.norm(grads), jnp.ones(()))
        return State(state.step + 1, params, opt_state, average), logged

    return step
