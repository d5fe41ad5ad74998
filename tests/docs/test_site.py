"""docs/site: links that hold without the site, its pages, and docstrings as reStructuredText."""

import pathlib
import re
import runpy
import types

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"
MARKDOWN = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "experiments").rglob("*.md")]
reference = types.SimpleNamespace(**runpy.run_path(str(SITE / "reference.py")))


def anchors(text):
    """The anchors of a page's headings, as GitHub and the site name them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(path):
    """Relative links of a page that lead nowhere."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if ":" in link or target.parent == SITE / "reference":  # Sphinx checks it once written
            continue
        if not target.exists() or anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield link


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path):
    assert list(broken(path)) == []


@pytest.mark.parametrize("text, links", [
    ("[a](page.md)", []), ("[a](pag.md)", ["pag.md"]), ("![a](no.png)", ["no.png"]),
    ("# One `two`: three\n[a](#one-two-three)", []), ("[a](#one)", ["#one"]),
    ("```\n[a](pag.md)\n```", []), ("[a](https://example.org/x)", []), ("[a](page.md#b)", ["page.md#b"]),
])
def test_broken_links_are_found(tmp_path, text, links):
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert list(broken(tmp_path / "page.md")) == links


def test_every_page_is_in_the_sites_contents():
    index = (SITE / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(?:\w+ <)?(\.\./[^\s>]+)>?$", index, re.MULTILINE))
    pages = {(SITE / f"{name}.md").resolve() for name in listed if "*" not in name}
    pages |= {path.resolve() for name in listed if "*" in name for path in SITE.glob(f"{name}.md")}
    assert pages | {(SITE / "index.md").resolve()} == {path.resolve() for path in MARKDOWN}


def test_the_reference_has_every_module_once(tmp_path):
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "gone.rst").write_text("of a room that is no more")
    reference.write_pages(ROOT / "attention_lab", folder)
    assert not (folder / "gone.rst").exists()
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.rst"))
    named = re.findall(r"automodule:: (\S+)", text)
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "attention_lab").rglob("*.py")}
    assert sorted(named) == sorted(".".join(path.parts).removesuffix(".__init__") for path in files)


@pytest.mark.parametrize("docstring, restructured", [
    ("Twice `x_y`, or 2*x, any x_.", r"Twice `x_y`, or 2\*x, any x\_."),
    ("`a.b`s", r"`a.b`\ s"),
    ("`f(a, b)` of `a.b`", "``f(a, b)`` of `a.b`"),
    ("`.text`, by its ending", "``.text``, by its ending"),
    ("With\n\n    a * b\n    c\n\nfor `c`.", "With\n\n::\n\n    a * b\n    c\n\nfor `c`."),
    ("Args:\n  x: 2*y\n    and more.", "Args:\n  x: 2\\*y\n    and more."),
    ("See:\n\n>>> 2*x\n4\n\n2*x", "See:\n\n>>> 2*x\n4\n\n2\\*x"),
    ("Returns:\n  x.\nAnd\n\n  a * b", "Returns:\n  x.\nAnd\n\n::\n\n  a * b"),
    ("* one *\n  and more\n* two", "* one \\*\n  and more\n* two"),
])
def test_docstrings_are_plain_text(docstring, restructured):
    assert "\n".join(reference.rewritten(docstring.split("\n"))) == restructured
