"""`benchmark sampling`: tokens a second that a language model writes, with a cache and reading all again."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.timing import interleaved, quartiles
from attention_lab.config import split
from attention_lab.data.vocabulary import BOS, EOS, PAD, UNKNOWN
from attention_lab.decoding import sampling
from attention_lab.models import Model
from attention_lab.tasks import build
from attention_lab.tasks.language.language_model import continued
from attention_lab.training import profile
from experiments import machine
from experiments.flags import Options


@partial(jax.jit, static_argnames=("model", "tokens"))
def read_again(model: Model, params: Any, hyper: Any, read: jax.Array, first: jax.Array, key: jax.Array,
               temperature: Any, tokens: int) -> jax.Array:
    """What `continued` writes, by a pass over the whole window for each token; beyond it the oldest goes."""
    rows, C = jnp.arange(len(first)), read.shape[1]

    def step(carry, token):
        window, filled = carry
        window = jnp.where((filled == C)[:, None], jnp.roll(window, -1, axis=1), window)
        place = jnp.minimum(filled, C - 1)
        window = window.at[rows, place].set(token)
        output = model.apply(params, {"source": window, "target": window, "example": rows}, hyper)
        return output.hidden[rows, place] @ output.readout.T, (window, place + 1)

    carry = read, (read != PAD).sum(axis=1, dtype=jnp.int32)
    return sampling.sample(carry, step, first, tokens, key, temperature, banned=(PAD, BOS, UNKNOWN))


def main(options: Options) -> int:
    """Prints a line for each case and way; status 1 where texts within the context differ."""
    machine.check_new(options.json)
    if options.config.data.source != "text":
        raise ValueError(f"data.source={options.config.data.source}: benchmark sampling takes text")
    task, hyper = build(options.config), split(options.config)[1]
    model, params, C = task.loss.model, task.init(jax.random.key(0)), options.config.data.context
    about = machine.facts({"jax": profile.product_rate()})
    print(f"# {machine.heading(about)}")
    print("case\tway\ttokens_a_second\tquartiles\tshare_of_reading_again\tsame_tokens")
    rows, texts = [], np.random.default_rng(0).integers(EOS + 1, task.facts["vocabulary"], (1, C - 1))
    for case, read in (("within", texts[:, :0]), ("beyond", texts)):
        read = np.pad(read, ((0, 0), (0, C - read.shape[1])), constant_values=PAD).astype(np.int32)
        rows += compared(f"{case} a context of {C}", model, params, hyper, read, options.rounds)
        for row in rows[-2:]:
            print("\t".join(_line(row)), flush=True)
    machine.write(options.json, options.command, about, rows)
    return int(rows[0]["same_tokens"] < 1)


def compared(case: str, model: Model, params: Any, hyper: Any, read: np.ndarray, rounds: int
             ) -> list[dict[str, Any]]:
    """A row for each way of writing as many tokens as a window has, after `read` (1, C) and a line end."""
    first, C = np.full(1, EOS, np.int32), read.shape[1]
    key = jax.random.key(0)
    ways = {"cache": lambda: continued(model, params, hyper, read, first, key, 1.0, None, C, 0, 1),
            "reading again": lambda: read_again(model, params, hyper, read, first, key, 1.0, C)}
    written = {name: np.asarray(write()) for name, write in ways.items()}
    seconds = interleaved({name: lambda write=write: lambda: write().block_until_ready()
                           for name, write in ways.items()}, lambda _: (), rounds)
    slow = quartiles(seconds["reading again"])[1]
    return [{"case": case, "way": name, "seconds": (times := quartiles(seconds[name])),
             "tokens_a_second": C / times[1], "share_of_reading_again": slow / times[1],
             "same_tokens": float((tokens == written["reading again"]).mean())}
            for name, tokens in written.items()]


def _line(row):
    low, median, high = row["seconds"]
    count = row["tokens_a_second"] * median
    return [row["case"], row["way"], f"{row['tokens_a_second']:.4g}",
            f"{count / high:.4g}-{count / low:.4g}", f"{row['share_of_reading_again']:.2f}",
            f"{row['same_tokens']:.4f}"]
