"""Where the time of training steps goes: the largest operations, and the share of a large product's rate."""

import csv
import math
import re
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attention_lab.config import Config, split
from attention_lab.training import loop
from attention_lab.training.devices import shard
from attention_lab.training.programs import programs
from attention_lab.training.task import Task

STEPS = 5  # that are traced, after as many that are timed
SEARCHED = 200  # batches among which these have the shape of the first
PRODUCT = 2048  # rows of the matrices whose product says how fast the machine is


class Operation(NamedTuple):
    """Operations of the compiled step that are of one kind and do the same in all layers.

    Fields:
      share: of the time of all operations. seconds, calls: of a step.
      kind: XLA's name. place: where the model or the optimizer asked for them, or "".
    """

    share: float
    seconds: float
    calls: float
    kind: str
    place: str


class Profile(NamedTuple):
    """Fields: seconds of a step, untraced; flops of its products; rate of a large product, FLOP/s."""

    seconds: float
    flops: float
    rate: float
    operations: list[Operation]

    def line(self) -> str:
        """One line: time, operations, and their share of the machine's rate."""
        share = self.flops / self.seconds / self.rate
        return (f"a step takes {1e3 * self.seconds:.3g} ms; its products are {self.flops / 1e9:.3g} GFLOP, "
                f"{share:.2f} of the rate of a large product in float32 ({self.rate / 1e9:.0f} GFLOP/s)")


def profile(task: Task, config: Config, folder: str | Path) -> Profile:
    """Times and traces steps on the first batches of a run, from its initial state; the run is not touched.

    Writes the trace into `folder`, for TensorBoard, XProf or Perfetto, and operations.tsv beside it.
    """
    structure, hyper = split(config)
    compiled = programs(task, structure, loop.total_steps(config, task))
    first, *others = (batch for batch, _ in zip(task.batches(config.seed, 0), range(SEARCHED)))
    same = [first] + [batch for batch in others if loop.shapes((batch,)) == loop.shapes((first,))]
    batches = [shard(same[i % len(same)], compiled.mesh) for i in range(2 * STEPS + 1)]
    state = compiled.start(hyper)
    traced = compiled.update.func.trace(*compiled.update.args, state, batches[0], hyper)
    step, seconds = traced.lower().compile(), []

    def run(state: Any, batch: Any) -> Any:
        begun = time.perf_counter()
        state, _ = jax.block_until_ready(step(state, batch, hyper))
        seconds.append(time.perf_counter() - begun)
        return state

    for batch in batches[:STEPS + 1]:
        state = run(state, batch)
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    with jax.profiler.trace(folder, profiler_options=options):
        for batch in batches[STEPS + 1:]:
            state = run(state, batch)
    trace = max(Path(folder).rglob("*.xplane.pb"), key=lambda path: path.stat().st_mtime_ns)
    measured = operations(trace, places(step.as_text()), STEPS)
    with (Path(folder) / "operations.tsv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([Operation._fields, *measured])
    return Profile(statistics.median(seconds[1:STEPS + 1]), product_flops(traced.jaxpr.jaxpr), product_rate(),
                   measured)


def operations(trace: Path, places: dict[str, str], steps: int) -> list[Operation]:
    """The operations of a trace, the largest first; the time of a loop is without that of its body.

    Those whose names or places differ in numbers alone, such as those of a layer, count as one.

    Args:
      trace: an .xplane.pb. places: of operations by name. steps: how many were traced.
    """
    nanoseconds: Counter = Counter()
    calls: Counter = Counter()
    for plane in jax.profiler.ProfileData.from_file(str(trace)).planes:
        for line in plane.lines:
            for name, self_time in self_times(_spans(line, plane.name.startswith("/device:"))):
                kind = re.sub(r"[.\d]+$", "", name), re.sub(r"_\d+", "", places.get(name, ""))
                nanoseconds[kind] += self_time
                calls[kind] += 1
    total = sum(nanoseconds.values()) or 1.0
    return [Operation(time / total, 1e-9 * time / steps, calls[kind] / steps, *kind)
            for kind, time in nanoseconds.most_common()]


def _spans(line: Any, on_device: bool) -> list[tuple[float, float, str]]:
    """Begin, end and name of the operations on a line of a trace, which is a thread or a stream.

    A device runs kernels, of libraries too, whose names are their own: they say of which operation they are.
    A thread's events count if they have its name.
    """
    spans = []
    for event in line.events:
        with warnings.catch_warnings():  # that its type has no module
            warnings.simplefilter("ignore", DeprecationWarning)
            operation = dict(event.stats).get("hlo_op")
        if operation and (on_device or operation == event.name):
            spans.append((event.start_ns, event.start_ns + event.duration_ns, operation))
    return spans


def self_times(spans: list[tuple[float, float, str]]) -> Iterator[tuple[str, float]]:
    """Name and duration of each span, without the spans that lie in it.

    >>> list(self_times([(0.0, 10.0, "while"), (1.0, 4.0, "dot"), (5.0, 7.0, "add"), (11.0, 12.0, "dot")]))
    [('dot', 3.0), ('add', 2.0), ('while', 5.0), ('dot', 1.0)]
    """
    open_: list[list[Any]] = []  # name, end, own time
    for begin, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        while open_ and open_[-1][1] <= begin:
            yield open_[-1][0], open_.pop()[2]
        if open_:
            open_[-1][2] -= end - begin
        open_.append([name, end, end - begin])
    while open_:
        yield open_[-1][0], open_.pop()[2]


def places(text: str) -> dict[str, str]:
    """Where the operations of a compiled program come from, by name; text: the program's.

    >>> places('%dot.1 = f32[7,11] dot(a, b), metadata={op_name="jit(_update)/jvp(T)/encoder_0/dot_general"}')
    {'dot.1': 'jvp(T)/encoder_0/dot_general'}
    """
    named = re.findall(r'^\s*(?:ROOT )?%?([\w.-]+) = .*metadata=\{[^}]*op_name="([^"]*)"', text, re.MULTILINE)
    return {name: place.partition("/")[2] or place for name, place in named}


def product_flops(jaxpr: Any) -> float:
    """Floating-point operations of the products of a traced program, those in a scan times its length.

    XLA's own count takes the body of a loop once.
    """
    total = 0.0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            shape = equation.invars[0].aval.shape
            total += 2.0 * equation.outvars[0].aval.size * math.prod(shape[axis] for axis in contracted)
        times = equation.params["length"] if equation.primitive.name == "scan" else 1
        total += times * sum(map(product_flops, _inner(equation.params)))
    return total


def _inner(params: dict[str, Any]) -> Iterator[Any]:
    """The programs that an equation calls."""
    for value in jax.tree.leaves(list(params.values()), is_leaf=lambda x: hasattr(x, "eqns")):
        value = getattr(value, "jaxpr", value)
        if hasattr(value, "eqns"):
            yield value


def product_rate(square: Callable[[Any], Any] | None = None, matrix: Any = None, rounds: int = 5) -> float:
    """Operations a second of a product of square matrices, median of some rounds after one that is not timed.

    square: matrix -> its square, there when it returns, such as another library's; None, and with it a matrix
    of PRODUCT rows in float32, is jax's.
    """
    if square is None:
        multiply = jax.jit(lambda x: x @ x)
        square, matrix = lambda x: multiply(x).block_until_ready(), jnp.ones((PRODUCT, PRODUCT), jnp.float32)
    seconds = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        square(matrix)
        seconds.append(time.perf_counter() - begun)
    return 2.0 * matrix.shape[0] ** 3 / statistics.median(seconds[1:])
