"""The machine and the versions under which a benchmark ran, and the files of its rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.storage import environment
from attention_lab.storage.files import write_json


def facts(product_rate: Mapping[str, float]) -> dict[str, Any]:
    """Versions, device, cores and processor; product_rate: library -> FLOP/s of a large matrix product."""
    return {**environment.software(), **environment.hardware(), "processor": environment.processor(),
            "product_rate": dict(product_rate)}


def heading(machine: Mapping[str, Any]) -> str:
    """One line about the machine, for the head of a table."""
    rates = ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in machine["product_rate"].items())
    return f"{machine['processor']}, {machine['cores']} cores{'; matrix products: ' * bool(rates)}{rates}"


def check_new(path: str) -> None:
    """ValueError where a file is there already, or cannot be, for its folder is missing."""
    if path and Path(path).exists():
        raise ValueError(f"--json={path} exists: give a new file")
    if path and not Path(path).absolute().parent.is_dir():
        raise ValueError(f"--json={path}: there is no folder {Path(path).parent}")


def write(path: str, command: str, machine: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows with the command and the machine that made them; nothing where the path is ""."""
    if path:
        write_json(path, {"command": command, "machine": dict(machine), "rows": list(rows)})
