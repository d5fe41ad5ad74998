"""The reference: a page for each room of the package; docstrings, which are plain text, as markup."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def modules(package: Path) -> Iterator[str]:
    """Dotted names of the modules of a package, the package itself first, then by name, at any depth."""
    for path in sorted(package.rglob("*.py"), key=lambda path: (path.stem != "__init__", path)):
        parts = path.relative_to(package.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def write_pages(package: Path, folder: Path) -> None:
    """Writes PACKAGE.rst for the package itself and ROOM.rst for each of its rooms; others are removed."""
    functions = [f".. autofunction:: {package.name}.{name}" for name in ("train", "load", "compare")]
    pages = {package.name: "\n\n".join([_page(package.name, []).rstrip(), *functions]) + "\n"}
    for room in sorted(path.parent for path in package.glob("*/__init__.py")):
        name = f"{package.name}.{room.name}"
        pages[room.name] = _page(name, [each for each in modules(room) if each != room.name])
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _page(name: str, names: list[str]) -> str:
    """reStructuredText: the package with what it defines itself, then a section for each of its modules."""
    short = name.rpartition(".")[2]
    parts = [f"{short}\n{'=' * len(short)}", _module(name)]
    for each in names:
        full = f"{name}{each.removeprefix(short)}"
        parts += [f"{each}\n{'-' * len(each)}", _module(full)]
    return "\n\n".join(parts) + "\n"


def _module(name: str) -> str:
    return f".. automodule:: {name}\n   :members:\n   :ignore-module-all:"


SECTION = re.compile(r"(Args|Fields|Returns|Raises|Yields):")


def plain_text(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Turns a docstring into reStructuredText, in place.

    An indented block after an empty line is shown as it is, but for those under Args:, Fields:, Returns: and
    Raises:, which napoleon reads. Lists stay lists, a name in backticks is a reference, other words in
    backticks are code; nothing else is markup.
    """
    lines[:] = rewritten(lines)


def rewritten(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    new: list[str] = []
    section = literal = doctest = False
    for line in lines:
        indented = line.startswith(" ")
        doctest = (doctest or line.lstrip().startswith(">>>")) and bool(line.strip())
        if line.strip() and not indented:
            section, literal = bool(SECTION.fullmatch(line.strip())), False
        elif indented and new and not new[-1] and not (section or literal or doctest):
            new += ["::", ""]
            literal = True
        new.append(line if literal or doctest else _escaped(line))
    return new


def _escaped(line: str) -> str:
    bullet, rest = re.fullmatch(r"(\* |)(.*)", line).groups()
    parts = re.split(r"(`[^`]+`)", rest)
    plain = [re.sub(r"([*|\\`]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    marked = [part if re.fullmatch(r"`\w[\w.]*`", part) else f"`{part}`" for part in parts[1::2]]
    plain[1:] = [re.sub(r"^(?=\w)", r"\\ ", part) for part in plain[1:]]  # `x`s: markup ends before a blank
    return bullet + "".join(a + b for a, b in zip(plain, [*marked, ""]))


def without_fields(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out the fields of named tuples, which the docstring of their class tells."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None
