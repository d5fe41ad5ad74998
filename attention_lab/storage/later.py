"""Modules that are imported when they are first used, so that what a start does not need costs it nothing."""

import importlib
from typing import Any


class Later:
    """Stands at the top of a file, as an import would, for a module such as `heatmap = Later("...")`.

    For what draws or writes at the end of a run and takes a good part of a second to import.

    >>> colors = Later("colorsys")
    >>> colors.rgb_to_hsv(1.0, 0.0, 0.0)
    (0.0, 1.0, 1.0)
    """

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # what looks at all names of a file, as doctest does, needs no module
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)
