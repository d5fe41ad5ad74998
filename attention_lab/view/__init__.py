"""Tables in, one HTML file out: attention weights to choose from, beside the truth and beside other weights.

    from attention_lab import view
    view.save(view.Page("Transformer, 2 layers of 4 heads", steps, selected, sentences), "view.html")

The file holds data, style and script; it asks no address for anything. Without JavaScript it is a picture.
"""

from attention_lab.view.document import html, save
from attention_lab.view.tables import CHANGES, Elsewhere, Map, Page, Said, Sentence

__all__ = ["CHANGES", "Elsewhere", "Map", "Page", "Said", "Sentence", "html", "save"]
