"""A Chromium for the tests of pages; where there is none they are skipped, and say so."""

import pytest

from attention_lab import view
from tests.view import chromium, pages


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    path = chromium.program()
    if not path:
        pytest.skip(f"needs a Chromium on PATH ({', '.join(chromium.NAMES)}): pages are not opened")
    with chromium.browser(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a page with a nasty sentence."""
    path = tmp_path_factory.mktemp("page") / "view.html"
    view.save(pages.page(pages.NASTY), path)
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """The page, newly opened."""
    browser.open(address)
    assert browser.errors == []
    return browser
