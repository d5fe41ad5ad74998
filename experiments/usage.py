"""What --help prints: flags of a program and fields of a config, with types, defaults and meanings."""

import shutil
import textwrap
from collections.abc import Sequence

from attention_lab.config import Config
from attention_lab.config import parse as overrides
from attention_lab.config.load import load
from experiments.flags import Program

_KINDS = {bool: "", int: "=INTEGER", float: "=NUMBER", str: "=TEXT", tuple: "=TEXT"}


def usage(program: Program, argv: Sequence[str] = ()) -> str:
    """The text of --help; where `argv` names a config file, fields show its values too."""
    width = max(60, min(100, shutil.get_terminal_size().columns))
    title = f"python -m experiments.{program.name} {program.words}".rstrip()
    lines = [title, "", *_wrap(program.meaning, width, "  "), ""]
    lines += ["flags:"]
    if program.config == "required":
        lines += _entry("--config=FILE.py[:variant[,variant...]]", "required",
                        "the experiment, such as configs/translation.py:smoke", width)
    for name, flag in program.flags.items():
        kind = _KINDS[type(flag.default)]
        default = f"default {overrides.show(flag.default)}" if kind else ""
        lines += _entry(f"--{name}{kind}", "required" if flag.required else default, flag.meaning,
                        width)
    lines += _entry("--help", "", "this text", width)
    if program.config == "none":
        return "\n".join(lines)
    base, where = Config(), ""
    for word, after in zip(argv, [*argv[1:], ""]):
        if word.startswith("--config=") or word == "--config":
            where = word.partition("=")[2] or after
    if where and program.config == "required":
        base = load(where)
    lines += ["", "config fields, --config.KEY=VALUE:"]
    for row in overrides.describe(base):
        if program.keys is not None and row.key not in program.keys:
            continue
        default = f"{row.type}; default {row.default}"
        here = f"; in {where}: {row.value}" if row.value != row.default else ""
        lines += _entry(f"--config.{row.key}", default + here, row.meaning, width)
    return "\n".join(lines)


def _entry(spelled: str, kind: str, meaning: str, width: int) -> list[str]:
    head = f"  {spelled}" + (f"  ({kind})" if kind else "")
    return _wrap(head.strip(), width, "  ", "      ") + _wrap(meaning, width, "      ")


def _wrap(text: str, width: int, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest or first,
                         break_long_words=False, break_on_hyphens=False)
