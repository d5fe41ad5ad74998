"""Labels of figures: of bounded length, and in letters that a font on this machine can draw."""

import functools
import logging
import unicodedata
from collections.abc import Collection, Iterable

import matplotlib
from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font

LOG = logging.getLogger(__name__)

FAMILY = "DejaVu Sans"  # the one that comes with matplotlib: the same letters, accents and all, everywhere
LONGEST = 24  # letters of a label


def shortened(text: str, most: int = LONGEST) -> str:
    """A label of at most so many letters.

    >>> shortened("anticonstitutionnellement", 10)
    'anticonst…'
    """
    return text if len(text) <= most else text[:most - 1] + "…"


def legible(texts: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """How to write labels, and in which fonts.

    A letter that DejaVu Sans lacks is drawn by another font of this machine that has it; where there is none
    it is written without its marks or by its number, such as \\u4e2d, and a warning says so.

    Returns:
      {text: as it can be drawn, shortened}, and the families to draw them with, DejaVu Sans first.
    """
    texts = list(dict.fromkeys(texts))
    short = {text: shortened(text) for text in texts}
    letters = {letter for text in short.values() for letter in text} - _letters(findfont(FAMILY))
    families = fallbacks(letters) if letters else {}
    missing = letters.difference(*families.values())
    if missing:
        few = " ".join(map(_number, sorted(missing)[:5]))
        LOG.warning("no font on this machine has %d letters of the figure's labels (%s%s): they are written "
                    "by their plain form or number", len(missing), few, " ..." * (len(missing) > 5))
    return {text: shortened("".join(_plain(letter) if letter in missing else letter for letter in label))
            for text, label in short.items()}, [FAMILY, *families]


def fallbacks(letters: Collection[str]) -> dict[str, frozenset[str]]:
    """Families of this machine that have letters which DejaVu Sans lacks, and which; as few as will do."""
    fonts = {name: letters & _letters(path) for name, path in sorted(_families().items())}
    chosen: dict[str, frozenset[str]] = {}
    left = set(letters)
    while left and any(left & those for those in fonts.values()):
        best = max(fonts, key=lambda name: len(left & fonts[name]))
        chosen[best] = frozenset(fonts[best])
        left -= fonts[best]
    return chosen


def _families() -> dict[str, str]:
    """{family: its upright font of normal weight} on this machine, without emoji and matplotlib's.

    matplotlib warns where it has to take another weight, and one of its fonts has a box for any letter.
    """
    return {font.name: font.fname for font in fontManager.ttflist
            if font.style == "normal" and font.weight in (400, "normal", "regular", "book")
            and "Emoji" not in font.name and not font.fname.startswith(matplotlib.get_data_path())}


@functools.cache
def _letters(path: str) -> frozenset[str]:
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):  # a font that FreeType can't read
        return frozenset()


def _plain(letter: str) -> str:
    """A letter in letters of DejaVu Sans: without its marks, or its number."""
    parts = [part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)]
    if parts and _letters(findfont(FAMILY)).issuperset(parts):
        return "".join(parts)
    return _number(letter)


def _number(letter: str) -> str:
    return ascii(letter)[1:-1]
