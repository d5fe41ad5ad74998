"""Registries read without importing them: their names and literal facts, before jax has started."""

import ast
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


def names(module: str, dictionary: str) -> tuple[str, ...]:
    """The keys of a dictionary literal at the top of a module of attention_lab.

    >>> names("attention_lab.attention.scores", "SCORES")
    ('dot', 'additive', 'general', 'cosine')
    >>> names("attention_lab.data.vocabulary", "MISSING")
    Traceback (most recent call last):
    ...
    ValueError: attention_lab.data.vocabulary has no dictionary literal MISSING
    """
    return tuple(ast.literal_eval(key) for key in _literal(module, dictionary).keys)


def facts(module: str, dictionary: str) -> dict[str, dict[str, Any]]:
    """{key: {name: value}} of those arguments of each entry, a call, that are named and literal.

    >>> facts("attention_lab.attention.scores", "SCORES")["dot"]
    {'scale': 'inverse_sqrt'}
    """
    literal = _literal(module, dictionary)
    return {ast.literal_eval(key): {argument.arg: ast.literal_eval(argument.value) for argument in
                                    value.keywords if _is_literal(argument.value)}
            for key, value in zip(literal.keys, literal.values)}


def look_up(registry: Mapping[str, T], key: str, name: str) -> T:
    """The entry of a registry.

    Args:
      key: the config field that chooses. name: what was chosen.
    Raises:
      ValueError: there is no such entry; names the field, what was given and what is allowed.

    >>> look_up({"a": 1, "b": 2}, "data.source", "c")
    Traceback (most recent call last):
    ...
    ValueError: data.source=c is not one of a, b
    """
    if name not in registry:
        raise ValueError(f"{key}={name} is not one of {', '.join(registry)}")
    return registry[name]


@functools.cache
def _literal(module: str, dictionary: str) -> ast.Dict:
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == dictionary for target in targets) \
                and isinstance(node.value, ast.Dict):
            return node.value
    raise ValueError(f"{module} has no dictionary literal {dictionary}")


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True
