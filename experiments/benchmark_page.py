"""`benchmark page`: docs/benchmark.md and its figure from the committed measurements."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention_lab.figures import scaling, style
from attention_lab.storage.files import read_json, write_text
from experiments import machine
from experiments.flags import Options

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "experiments" / "benchmark"
PAGE = ROOT / "docs" / "benchmark.md"
FIGURE = "benchmark_cost.png"

# Benchmark, the stem of a file of RESULTS -> what its table shows; in the order of the page.
SECTIONS = {
    "attention": """The ways of a case in turn, on fresh inputs in each round. Attention, 8 heads of 64
units unless the case says otherwise, float32, in milliseconds: median (quartiles), of the context alone
(`forward`), and of the context and the gradients of queries, keys and values (`with backward`). `forward
speed of sdpa` is the time of PyTorch's `scaled_dot_product_attention` over the time of the row: above 1 is
faster than PyTorch; the next column is the same with gradients. The share of the product rate counts the
two products of the formula alone, against the rate of a large matrix product in the same run. Temporary
memory is what XLA allocates for the gradients beside inputs and outputs.""",
    "attention_long": "One head of 65,536 tokens, measured and shown as above.",
    "attention_check": """The largest error of the context and of the gradients against the formula in
float64, each as a share of the largest number. With a factor of 30 on the queries the weights are peaky. Rows
and keys that are padding hold NaN.""",
    "training": """Training steps on the same batches from the same parameters, in turn; `times` is the rate
over that of PyTorch: layers of `nn.Transformer` or an LSTM with the same first loss.""",
    "decoding": """Translation of the same sentences with the same weights in float32, in turn.
CTranslate2's rate counts only where its outputs are ours in all sentences of greedy search, and in at least
99 % with a beam of 5; it is given the batch size at which it is fastest. `share of peer` is our rate
over that of the row: 0.5 is half as fast.""",
    "decoding_joeynmt": """The same beside JoeyNMT too, which reads every hypothesis again at each step
and has another length penalty, so that the outputs of its beam search may differ; fewer sentences, for it is
slow. Other programs ran beside it: only the order of magnitude counts.""",
    "sweep": """Milliseconds for one training step of one run: the runs one after another (`loop`), and all
in one program. Medians of three stretches of each way, one way after another.""",
    "start": """Seconds from the shell to the first training step, the ways in turn. The compilation cache
is switched off, or empty, or filled by the start before; an empty one includes the trial whether programs
that this machine writes can be read back.""",
    "cost": f"""Milliseconds of a training step of a small causal encoder (2 layers of 128 units, 4 heads,
16 sentences of 64 tokens), of which one size changes, the values of a size in turn. The exponent is that of
a power law through the three largest values, fitted in each round, with a 95 % interval over rounds.

![Time of a training step against each size, on logarithmic axes]({FIGURE})""",
}


def text(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of {benchmark: content of its file}."""
    parts = ["""# Benchmarks

Every table was measured by the command above it. Times on other machines differ; the ratios are what to
compare. The rate of a large matrix product differs from table to table, and within one, so that a share of it
may come out above 1. `python -m experiments.benchmark page` writes this page from the files in
[experiments/benchmark](../experiments/benchmark).
"""]
    for name in SECTIONS:
        if name not in results:
            continue
        result = results[name]
        facts, versions = result["machine"], result["machine"]["versions"]
        libraries = ", ".join([f"Python {versions['python']}", f"jax {versions['jax']}"] + [
            f"{peer} {facts[peer]['version']} on {facts[peer]['threads']} threads"
            for peer in ("torch", "ctranslate2", "joeynmt") if peer in facts])
        flags = facts["jax_settings"]["xla_flags"]
        parts.append(f"## {name.replace('_', ' ')}\n\n    {result['command']}\n\n{SECTIONS[name]}\n\n"
                     f"{machine.heading(facts)}; {libraries}" + (f"; `XLA_FLAGS={flags}`" if flags else "")
                     + f"; {_source(facts)}.\n\n{table(result['rows'])}")
    return "\n".join(parts)


def _source(facts):
    changed = " with uncommitted changes" if facts.get("uncommitted_changes") else ""
    return f"commit {facts['commit'][:10]}{changed}" if facts.get("commit") else "no commit known"


def table(rows: list[Mapping[str, Any]]) -> str:
    """Rows of a result in Markdown; a column that is empty in every row is left out."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    names = [name for name in names if any(row.get(name) is not None for row in rows)]
    lines = [[name.replace("_", " ") for name in names],
             ["---" if name in ("case", "way") else "---:" for name in names],
             *([_cell(row.get(name)) for name in names] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        low, middle, high = map(_number, value)
        return f"{middle} ({low} to {high})"
    return value if isinstance(value, str) else _number(value)


def _number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def read() -> dict[str, dict[str, Any]]:
    """The committed results by their names."""
    return {name: read_json(path) for name in SECTIONS if (path := RESULTS / f"{name}.json").exists()}


def main(options: Options) -> int:
    """Writes the page, and the figure of costs, and prints their paths."""
    results = read()
    if not results:
        raise ValueError(f"{RESULTS} has no results: benchmark NAME --json={RESULTS}/NAME.json makes one")
    write_text(PAGE, text(results))
    print(PAGE)
    if "cost" in results:
        style.save(scaling.scaling(results["cost"]["rows"]), PAGE.parent / FIGURE)
        print(PAGE.parent / FIGURE)
    return 0
