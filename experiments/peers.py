"""Other libraries that a benchmark times beside ours, where they are installed."""

import importlib.util

from experiments.flags import say

INSTALL = {"torch": "pip install -e '.[peers]'", "ctranslate2": "pip install -e '.[peers]'",
           "joeynmt": "pip install joeynmt importlib_metadata, in an environment of its own, for it "
                      "needs an old protobuf"}


def available(name: str) -> bool:
    """Whether a library is installed; if not, a line on stderr names it and what installs it."""
    try:
        there = importlib.util.find_spec(name) is not None
    except ValueError:  # what a test has put in its place
        there = False
    if not there:
        say(f"{name} is not timed, for it is not installed: {INSTALL[name]}")
    return there
