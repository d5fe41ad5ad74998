"""The file: everything in it, nothing of a sentence is markup, a picture for readers without JavaScript."""

import base64
import hashlib
import html.parser
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from importlib import resources

import numpy as np
import pytest

from attention_lab import view
from attention_lab.view import document, picture
from tests.view import pages


class Tags(html.parser.HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self._script = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._script = tag == "script"
        if self._script:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script:
            self.scripts[-1] += data


def test_a_sentence_with_markup_stays_a_sentence():
    plain, nasty = Tags(view.html(pages.page())), Tags(view.html(pages.page(pages.NASTY)))
    assert [tag for tag, _ in nasty.tags] == [tag for tag, _ in plain.tags]
    assert not {"img", "iframe"} & {tag for tag, _ in nasty.tags}
    assert json.loads(nasty.scripts[0])["sentences"][1]["text"] == pages.NASTY
    assert not set("<>&") & set(nasty.scripts[0])
    assert pages.NASTY not in view.html(pages.page(pages.NASTY))


def test_a_first_sentence_with_markup_is_text_in_the_picture_too():
    page = pages.page()
    first = page.sentences[0]
    table = first.maps["cross"]._replace(rows=["<b>&", *first.maps["cross"].rows[1:]])
    drawn = picture.svg(page._replace(sentences=[first._replace(text=pages.NASTY, maps={"cross": table})]))
    texts = ["".join(node.itertext()) for node in ElementTree.fromstring(drawn)]
    assert "<b>&" in texts and any(pages.NASTY in text for text in texts)


def test_nothing_is_asked_for_elsewhere():
    text = view.html(pages.page())
    for _, attributes in Tags(text).tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert attributes.get(name, "data:,") == "data:,", attributes
    outside = set(re.findall(r"https?://[^\s\"'<>)]+", text)) - {"http://www.w3.org/2000/svg"}
    assert outside == set() and "@import" not in text and "url(" not in text


def test_only_the_script_itself_may_run():
    tags = Tags(view.html(pages.page()))
    policy = next(attributes["content"] for tag, attributes in tags.tags
                  if attributes.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(tags.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy and policy.startswith("default-src 'none';")


def test_equal_pages_give_equal_bytes(tmp_path):
    for name in ("first.html", "second.html"):
        view.save(pages.page(), tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("first.html", "second.html"))
    assert first == second and first.decode("utf-8").startswith("<!DOCTYPE html>")


def test_a_path_that_can_not_be_written(tmp_path):
    with pytest.raises(OSError, match="none"):
        view.save(pages.page(), tmp_path / "none" / "view.html")


def test_the_picture_has_a_cell_for_each_weight_and_a_square_for_each_link():
    page = pages.page()
    table = page.sentences[0].maps["cross"]
    root = ElementTree.fromstring(picture.svg(page))
    rects = root.findall("{http://www.w3.org/2000/svg}rect")
    cells = [rect for rect in rects if rect.get("fill") != "none"]
    T, S = len(table.rows), len(table.columns)
    weights = table.weights[pages.SELECTED][-1].mean(axis=0)
    darkness = np.array([255 - int(rect.get("fill")[1:3], 16) for rect in cells]).reshape(T, S) / 244
    np.testing.assert_allclose(darkness, weights, atol=0.01)
    # The word 3 is cut into two parts: (3, 2) outlines both.
    assert len(rects) - len(cells) == len(table.links["alignment"]) + 1


def test_the_text_beside_the_picture_speaks_of_truth_where_there_is_one():
    page = pages.page()
    first = page.sentences[0]
    bare = first._replace(maps={kind: table._replace(links={}) for kind, table in first.maps.items()})
    for sentence, words in ((first, "darker is more, and orange squares mark the truth.\nWith JavaScript"),
                            (bare, "darker is more.\nWith JavaScript")):
        assert words in view.html(page._replace(sentences=[sentence, *page.sentences[1:]]))


def test_every_file_of_the_page_is_in_the_page_and_short():
    folder = resources.files("attention_lab.view").joinpath("page")
    names = {entry.name for entry in folder.iterdir()}
    assert names == {f"{name}.js" for name in document.SCRIPTS} | {"page.html", "style.css"}
    for name in names:
        text = folder.joinpath(name).read_text(encoding="utf-8")
        assert len(text.splitlines()) < 300 and "</script" not in text.replace("</script>\n", ""), name
        assert "innerHTML" not in text and "eval(" not in text, name


def test_eight_sentences_of_four_layers_of_four_heads_are_below_two_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    words = [f"word{n}" for n in range(13)]

    def table(allowed):
        weights = [rng.dirichlet(np.ones(13), (4, 4, 13)) for _ in range(8)]
        return view.Map(words, words, weights, [rng.uniform(size=(4, 4, 13)) for _ in range(8)], allowed,
                        {"alignment": [(n, n) for n in range(12)]}, None, None,
                        view.Elsewhere(np.tile(np.arange(13), (13, 1)), {
                            change: view.Said(np.tile(words, (21, 1)), *np.ones((3, 21, 13)))
                            for change in view.CHANGES}))
    sentence = view.Sentence(" ".join(words), " ".join(words), "", words, [
        view.Said(np.array(words), np.ones(13), np.ones(13))] * 8, {
            "cross": table(np.ones((13, 13), bool)), "encoder": table(np.ones((13, 13), bool)),
            "decoder": table(np.tri(13, dtype=bool))})
    view.save(view.Page("t", list(range(8)), 7, [sentence] * 8), tmp_path / "view.html")
    assert os.path.getsize(tmp_path / "view.html") < 2e6
