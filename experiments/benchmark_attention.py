"""`benchmark attention`: implementations beside each other and beside a peer, in time, memory and error."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import attention
from attention_lab.analysis.timing import interleaved, quartiles
from attention_lab.training import profile
from experiments import machine
from experiments.flags import Options, say
from experiments.peers import available

HELD = 2 << 30  # bytes of weights above which what holds all of them is left out
LONG = 16_384  # tokens, beyond which one head alone is measured
SPEEDS = ("forward_speed_of_sdpa", "with_backward_speed_of_sdpa")  # PyTorch's is 1


@dataclasses.dataclass(frozen=True)
class Case:
    """Shapes and options of a row.

    Fields: mask, "none", "causal", "padding" or "window"; dtype, of queries, keys and values.
    """

    name: str
    T: int
    B: int = 1
    H: int = 8
    K: int = 64
    V: int = 64
    mask: str = "none"
    dropout: float = 0.0
    readouts: tuple[str, ...] = ()
    dtype: str = "float32"


# Of an odd length, which is no multiple of a block.
CHECKS = [Case("check", 257, B=2, H=2, V=V, mask=mask)
          for mask in ("none", "causal", "padding") for V in (64, 96)]
BOUNDS = {"float32": 2e-4, "bfloat16": 5e-2}  # errors, as a share of the largest number, by type of numbers


def cases(lengths: list[int]) -> list[Case]:
    """The rows of the benchmark: each length without mask and causal; options at the middle length.

    Lengths beyond LONG are measured with one head and no mask.
    """
    long = [Case(f"{T} tokens, one head", T, H=1) for T in lengths if T > LONG]
    lengths = [T for T in lengths if T <= LONG]
    if not lengths:
        return long
    middle = sorted(lengths)[len(lengths) // 2]
    return [
        *(Case(f"{T} tokens", T) for T in lengths),
        *(Case(f"{T} tokens, causal", T, mask="causal") for T in lengths),
        Case(f"{middle} tokens, padding", middle, mask="padding"),
        Case(f"{middle} tokens, window of 256", middle, mask="window"),
        Case(f"{middle} tokens, K = 64, V = 96", middle, V=96),
        Case(f"{middle} tokens, dropout", middle, dropout=0.1),
        Case(f"{middle} tokens, read-outs", middle, readouts=("entropy", "largest")),
        Case("64 sentences of 64 tokens", 64, B=64),
        *long]


def lengths_of(case: Case) -> jax.Array:
    """Lengths of the sentences of a padded case: three quarters; of several the last has none."""
    return jnp.where(jnp.arange(case.B) < max(1, case.B - 1), case.T * 3 // 4, 0)


def masks(case: Case) -> attention.Mask | None:
    """The mask of a case."""
    return {"none": lambda: None, "causal": lambda: attention.causal(case.T),
            "padding": lambda: attention.padding(lengths_of(case)),
            "window": lambda: attention.window(case.T, 256)}[case.mask]()


def arrays(case: Case, seed: int) -> list[np.ndarray]:
    """Queries, keys, values and a cotangent of the context, standard normal."""
    rng = np.random.default_rng(seed + 1)
    shapes = [(case.B, case.H, case.T, size) for size in (case.K, case.K, case.V, case.V)]
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def ours(case: Case, implementation: str) -> Callable:
    """(q, k, v) -> context, by an implementation."""
    dropped = attention.dropout(jax.random.key(0), case.dropout, jnp.arange(case.B), case.H)

    def run(q, k, v):
        result = attention.multi_head(q, k, v, masks(case), implementation=implementation,
                                      readouts=case.readouts, dropout=dropped if case.dropout else None)
        return result[0] if case.readouts else result
    return run


def implementations(case: Case) -> list[str]:
    """Implementations that can compute a case here and in memory."""
    fits = 4 * case.B * case.H * case.T ** 2 <= HELD
    return [name for name, entry in attention.IMPLEMENTATIONS.items() if not why_not(name, case) and (
        fits or name == "blockwise" or entry.runs_on)]


def why_not(implementation: str, case: Case) -> str:
    """Why an implementation can't compute a case on this device; "" where it can."""
    needed = attention.needs(dropout=case.dropout or None, readouts=case.readouts)
    return attention.why_not(implementation, attention.Call(
        case.T, case.T, case.dtype, masks(case), attention.dot, needed, max(case.K, case.V)))


def programs(function: Callable, dtype: str = "float32") -> tuple[Callable, Callable]:
    """Ways for `interleaved`, of q, k, v and a cotangent g: to the context, and to the gradients."""
    def way(run):
        def prepared(*arrays):
            arrays = jax.block_until_ready(tuple(jnp.asarray(x, dtype) for x in arrays))
            return lambda: jax.block_until_ready(run(*arrays))
        return prepared
    return (way(jax.jit(lambda q, k, v, g: function(q, k, v))),
            way(jax.jit(lambda q, k, v, g: jax.vjp(function, q, k, v)[1](g))))


def measured(case: Case, peers: dict[str, Callable], rounds: int, rate: float) -> list[dict[str, Any]]:
    """A row for each way to compute a case."""
    ways = {name: programs(ours(case, name), case.dtype) for name in implementations(case)}
    if case.readouts:
        plain = dataclasses.replace(case, readouts=())
        ways |= {f"{name}, none read": programs(ours(plain, name), case.dtype) for name in tuple(ways)}
    shapes = [jax.ShapeDtypeStruct(x.shape, case.dtype) for x in arrays(case, 0)]
    memory = {name: jax.jit(lambda *x, name=name: jax.vjp(ours(case, name), *x[:3])[1](x[3]))
              .lower(*shapes).compile().memory_analysis().temp_size_in_bytes
              for name in implementations(case)}
    ways |= {name: pair for name, peer in peers.items() if (pair := peer(case, masks(case)))}
    seconds = [interleaved({name: pair[i] for name, pair in ways.items()},
                           lambda seed: tuple(arrays(case, seed)), rounds) for i in (0, 1)]
    times = [{name: [1e3 * x for x in quartiles(each)] for name, each in part.items()} for part in seconds]
    work = 2 * case.B * case.H * case.T ** 2 * (case.K + case.V)
    return [{"case": case.name, "way": name, "forward_ms": times[0][name], "with_backward_ms": times[1][name],
             "temporary_mib": memory[name] / 2 ** 20 if name in memory else None,
             "share_of_product_rate": None if case.mask in ("causal", "window") else
             1e3 * work / times[0][name][1] / rate,
             **{key: part["sdpa"][1] / part[name][1] if "sdpa" in part else None
                for key, part in zip(SPEEDS, times)}} for name in ways]


def exact(q, k, v, g, allowed) -> list[np.ndarray]:
    """Context, and gradients of q, k and v under a cotangent g, in closed form in float64.

    allowed: bool, (B, 1, T, S).
    """
    q, k, v, g = (np.asarray(x, np.float64) for x in (q, k, v, g))
    scale = q.shape[-1] ** -0.5
    logits = np.where(allowed, q @ k.swapaxes(-1, -2) * scale, -np.inf)
    raised = np.exp(logits - np.where(allowed.any(-1, keepdims=True), logits.max(-1, keepdims=True), 0.0))
    w = raised / np.maximum(raised.sum(-1, keepdims=True), 1e-300)
    of_weights = g @ v.swapaxes(-1, -2)
    of_logits = scale * w * (of_weights - (w * of_weights).sum(-1, keepdims=True))
    return [w @ v, of_logits @ k, of_logits.swapaxes(-1, -2) @ q, w.swapaxes(-1, -2) @ g]


def errors(case: Case, implementation: str, peaky: float, dtype: str) -> tuple[float, float]:
    """The largest errors of the context and of the gradients, each as a share of the largest number.

    With padding, keys and values that no row may attend to are NaN, and the last sentence is all padding.

    peaky: factor on the queries: the softmax of large logits is sharp.
    """
    q, k, v, g = (np.asarray(jnp.asarray(x, dtype), np.float32) for x in arrays(case, 0))
    q = np.asarray(jnp.asarray(peaky * q, dtype), np.float32)
    allowed = np.ones((case.B, 1, case.T, case.T), bool)
    if case.mask != "none":
        allowed &= np.asarray(masks(case).as_array(case.T, case.T)).reshape(-1, 1, case.T, case.T)
    right = exact(q, k, v, g, allowed)
    unused = ~allowed.any(-2)[..., None]
    given = [jnp.asarray(x, dtype) for x in (q, np.where(unused, np.nan, k), np.where(unused, np.nan, v), g)]
    function = ours(case, implementation)
    results = jax.jit(lambda q, k, v, g: (function(q, k, v), *jax.vjp(function, q, k, v)[1](g)))(*given)
    context, *gradients = (
        float(np.nan_to_num(np.abs(np.asarray(a, np.float64) - b).max() / np.abs(b).max(), nan=np.inf))
        for a, b in zip(results, right, strict=True))
    return context, max(gradients)


def check(options: Options) -> int:
    """Prints the errors of each implementation against float64; status 1 where one is beyond its bound.

    By mask, size of the values, single and half precision, flat and sharp weights. What this device can't run
    is named on stderr, with the reason.
    """
    print("implementation\tmask\tvalues\tdtype\tfactor_on_queries\terror_of_context\terror_of_gradients")
    bad, rows = 0, []
    for name, case, dtype in itertools.product(attention.IMPLEMENTATIONS, CHECKS, BOUNDS):
        if problem := why_not(name, dataclasses.replace(case, dtype=dtype)):
            say(f"{name}, mask {case.mask}, {dtype}: left out, for {problem}")
            continue
        for peaky in (1.0, 30.0):
            largest = errors(case, name, peaky, dtype)
            high = max(largest) > BOUNDS[dtype]
            bad += high
            rows.append({"case": f"{case.mask}, values of {case.V}, {dtype}", "way": name,
                         "factor_on_queries": peaky, "error_of_context": largest[0],
                         "error_of_gradients": largest[1]})
            print(f"{name}\t{case.mask}\t{case.V}\t{dtype}\t{peaky:g}\t{largest[0]:.2e}\t{largest[1]:.2e}"
                  + f"\tbeyond {BOUNDS[dtype]:g}" * high, flush=True)
    machine.write(options.json, options.command, machine.facts({}), rows)
    return 1 if bad else 0


def main(options: Options) -> int:
    """Prints a line for each case and way: milliseconds, of quartiles too, and temporary memory."""
    machine.check_new(options.json)
    if options.check:
        return check(options)
    try:
        lengths = [int(length) for length in options.lengths.split(",")]
    except ValueError:
        lengths = [0]
    if min(lengths) < 1:
        raise ValueError(f"--lengths={options.lengths} is not integers of at least 1, separated by commas")
    rates, peers = {"jax": profile.product_rate()}, {}
    if options.peers and available("torch"):
        from experiments import benchmark_torch_attention as torch_attention
        peers = {"sdpa": torch_attention.programs}
        square = np.ones((profile.PRODUCT, profile.PRODUCT), np.float32)
        rates["torch"] = profile.product_rate(*torch_attention.product(square))
    facts = machine.facts(rates) | ({"torch": torch_attention.facts()} if peers else {})
    print(f"# {machine.heading(facts)}")
    print("case\tway\tforward_ms\tquartiles\twith_backward_ms\tquartiles\ttemporary_mib\t"
          "share_of_product_rate\tforward_speed_of_sdpa\twith_backward_speed_of_sdpa")
    rows = []
    for case in cases(lengths):
        case = dataclasses.replace(case, dtype=options.precision)
        for row in measured(case, peers, options.rounds, rates["jax"]):
            rows.append(row)
            print("\t".join(_line(row)), flush=True)
    machine.write(options.json, options.command, facts, rows)
    return 0


def _line(row):
    def milliseconds(values):
        low, median, high = (f"{x:.3g}" for x in values)
        return [median, f"{low}-{high}"]
    rest = [row[name] for name in ("temporary_mib", "share_of_product_rate", *SPEEDS)]
    return [row["case"], row["way"], *milliseconds(row["forward_ms"]), *milliseconds(row["with_backward_ms"]),
            *("" if x is None else f"{x:.3g}" for x in rest)]
