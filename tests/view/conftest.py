"""A Chromium for the tests of pages; where there is none they are skipped, and say so."""

import pytest

from tests.view import chromium


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    path = chromium.program()
    if not path:
        pytest.skip(f"needs a Chromium on PATH ({', '.join(chromium.NAMES)}): pages are not opened")
    with chromium.browser(path) as opened:
        yield opened
