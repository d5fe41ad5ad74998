"""Names and literal arguments of registries, read from source text without importing it (and jax)."""

import ast
import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[1]
T = TypeVar("T")


def names(registry: str) -> tuple[str, ...]:
    """The keys of a dictionary literal at the top of a module of attention_lab.

    >>> names("attention.scores.SCORES")
    ('dot', 'additive', 'general', 'cosine', 'linear')
    """
    return tuple(ast.literal_eval(key) for key in _literal(registry).keys)


def facts(registry: str) -> dict[str, dict[str, Any]]:
    """{key: {argument: value}} of the literal keyword arguments of each entry, which is a call.

    >>> facts("attention.scores.SCORES")["dot"]
    {'scale': 'inverse_sqrt'}
    """
    entries: dict[str, dict[str, Any]] = {}
    literal = _literal(registry)
    for key, call in zip(literal.keys, literal.values):
        arguments = entries[ast.literal_eval(key)] = {}
        for argument in call.keywords:
            with contextlib.suppress(ValueError):  # no literal
                arguments[argument.arg] = ast.literal_eval(argument.value)
    return entries


def look_up(registry: Mapping[str, T], key: str, name: str) -> T:
    """The entry `name` of a registry; a ValueError names the config field `key` and what is allowed."""
    if name not in registry:
        raise ValueError(f"{key}={name} is not one of {', '.join(registry)}")
    return registry[name]


@functools.cache
def _literal(registry: str) -> ast.Dict:
    module, _, dictionary = registry.rpartition(".")
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == dictionary for target in targets) \
                and isinstance(node.value, ast.Dict):
            return node.value
    raise ValueError(f"{module} has no dictionary literal {dictionary}")
