"""The site, built by Sphinx from the Markdown of the checkout and the docstrings: `make docs`.

Its sources are the files as they are read in the checkout; the root of the checkout is the source folder, so
that their links hold on the site as well.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

import reference  # noqa: E402

project = "attention_lab"
author = "The developers of attention_lab"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/site/index"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**", "experiments/studies/**"]
myst_heading_anchors = 3
highlight_language = "text"  # of the indented blocks, which are commands

default_role = "py:obj"  # a name in a docstring is a link where the reference has it
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False  # those of flax.linen.Module tell nothing of ours
maximum_signature_line_length = 90
napoleon_custom_sections = [("Fields", "params_style")]

html_theme = "furo"
html_title = project
html_copy_source = False


def links_to_folders(app, name, source):
    """A link to a folder leads to its README.md; where it has none, the words are left without a link."""
    folder = (ROOT / name).parent

    def page(link):
        path = (folder / link[2]).resolve()
        if not path.is_dir():
            return link[0]
        readme = path / "README.md"
        return f"[{link[1]}]({link[2].rstrip('/')}/README.md)" if readme.exists() else link[1]

    source[0] = re.sub(r"(?<!!)\[([^]]+)\]\(([\w./-]+)\)", page, source[0])


def short_arrays(app, what, name, obj, options, signature, returns):
    """chex.Array, which Python spells out, as Array."""
    union = r"(~?[\w.]*\bArray) \| ~?[\w.]*ndarray \| ~?[\w.]*bool_? \| ~?[\w.]*number\b"
    return tuple(part and re.sub(union, r"\1", part) for part in (signature, returns))


def front_door(app, error):
    """index.html at the top of the site, which leads to the first page."""
    if not error:
        (Path(app.outdir) / "index.html").write_text(
            '<!doctype html><meta charset="utf-8"><title>attention_lab</title>'
            f'<meta http-equiv="refresh" content="0; url={root_doc}.html">'
            f'<a href="{root_doc}.html">attention_lab</a>\n', encoding="utf-8")


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", lambda app: reference.write_pages(
        ROOT / "attention_lab", HERE / "reference"))
    app.connect("autodoc-process-docstring", reference.plain_text, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", reference.without_fields)
    app.connect("autodoc-process-signature", short_arrays)
    app.connect("source-read", links_to_folders)
    app.connect("build-finished", front_door)
