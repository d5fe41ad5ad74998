"""The machine beside the numbers of a benchmark."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.storage import environment
from attention_lab.storage.files import write_json


def facts(rate: Mapping[str, float]) -> dict[str, Any]:
    """Versions, devices, settings, the processor, and rates of a large product in FLOP/s, {library: rate}."""
    return {**environment.software(), **environment.hardware(), "processor": processor(),
            "product_rate": dict(rate)}


def processor() -> str:
    """The name of the processor, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown processor"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                "unknown processor")


def check_new(path: str) -> None:
    """ValueError for the file of --json if it exists; "" is allowed."""
    if path and Path(path).exists():
        raise ValueError(f"--json={path} exists: give a new file")


def write(path: str, machine: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes the rows of a benchmark and the machine that they were measured on; "" writes nothing."""
    if path:
        write_json(path, {"machine": machine, "rows": list(rows)})
