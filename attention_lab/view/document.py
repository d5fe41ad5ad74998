"""The page as one HTML file: template, style, script and data in it, and nothing that is asked for elsewhere.

Text of users reaches the file as JSON whose `<`, `>` and `&` are escaped, or through `html.escape`; the
script writes it as text nodes alone. A content policy names the script by its digest, so that no other script
runs and nothing is fetched.
"""

import base64
import hashlib
import json
import os
from html import escape
from importlib import resources
from string import Template

from attention_lab.storage.files import write_bytes
from attention_lab.view import encoding, picture
from attention_lab.view.tables import Page

# In this order: a file uses what stands in those before it.
SCRIPTS = ("decode", "weights", "truth", "state", "svg", "colours", "heatmap", "lines", "focus", "output",
           "heads", "steps", "controls", "export", "keys", "main")
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def html(page: Page) -> str:
    """The text of the file."""
    script = "(() => {\n\"use strict\";\n" + "".join(_part(f"{name}.js") for name in SCRIPTS) + "})();\n"
    data = json.dumps(encoding.plain(page), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Template(_part("page.html")).substitute(
        title=escape(page.title), style=_part("style.css"), script=script, digest=_digest(script),
        data=data.translate(str.maketrans(_ESCAPED)), picture=picture.svg(page),
        squares=", and orange squares mark the truth" if picture.has_truth(page) else "")


def save(page: Page, path: str | os.PathLike) -> None:
    """Writes the file in one move; equal pages give equal bytes. OSError where it can't be written."""
    write_bytes(path, html(page).encode("utf-8"))


def _part(name: str) -> str:
    return resources.files("attention_lab.view").joinpath("page", name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
