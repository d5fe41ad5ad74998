"""How a program of experiments/ is declared, and what it is given: flags, positional words, a Config."""

import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """A program's own flag: its default, whose type is the flag's type, and its meaning.

    A flag whose default is False is switched on by naming it; one whose default is () may be given
    several times; a required one has no default. Choices and bounds are those of a config field.
    """

    default: Any
    meaning: str
    required: bool = False
    choices: Sequence[str] | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None


class Program(NamedTuple):
    """How a program is called.

    Fields:
      name, meaning: `python -m experiments.NAME`, and what it does, in sentences.
      flags: its own, by name.
      config: "required", or "overrides" (fields alone, put into the config of a run), or "none".
      words: what may stand without a flag, such as "list|show|diff [DIR ...]"; "" allows nothing.
      keys: the config fields that may be given; None allows all.
      device: False for one that never starts jax.
    """

    name: str
    meaning: str
    flags: Mapping[str, Flag]
    config: str = "required"
    words: str = ""
    keys: Sequence[str] | None = None
    device: bool = True


class Options(types.SimpleNamespace):
    """A parsed command line: the program's flags by name, and what the config flags said.

    Fields:
      config: Config of the file with the overrides put in; None without --config.
      given: the overrides as (dotted key, text) pairs, for programs that start from a run's config.
      words: what stood without a flag.
      file: what --config= named.
      experiment: name of the config file, `translation` for configs/translation.py; "" without.
      command: the command line, quoted for a shell, with the lines of a --flagfile put in.
    """
