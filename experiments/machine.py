"""The machine that a benchmark ran on, and the file that keeps it with the rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.storage import environment
from attention_lab.storage.files import write_json


def facts(rate: Mapping[str, float]) -> dict[str, Any]:
    """Versions, commit, processor, cores and settings.

    rate: floating-point operations per second of a product of matrices, by library.
    """
    return {**environment.software(), **environment.hardware(), "processor": processor(),
            "product_rate": dict(rate)}


def line(machine: Mapping[str, Any]) -> str:
    """The processor and the rates as a comment above a table."""
    rates = ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in machine["product_rate"].items())
    return f"# {machine['processor']}, {machine['cores']} cores; products of matrices: {rates}"


def check(path: str) -> None:
    """ValueError for a file that exists; "" is none."""
    if path and Path(path).exists():
        raise ValueError(f"--json={path} exists: give a new file")


def write(path: str, machine: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes machine and rows as JSON; nothing for ""."""
    if path:
        write_json(path, {"machine": machine, "rows": list(rows)})


def processor() -> str:
    """The name of the processor, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown processor"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                "unknown processor")
