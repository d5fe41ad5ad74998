"""Word alignments made by hand: the Alibi stories, which count words from 0, and the Hansards, from 1.

All come out as links (source word, target word), English to French, counted from 0.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from attention_lab.data.lines import one_space, read_lines

Link = tuple[int, int]
ENOUGH = 5  # sentences of which one surely links a first word


class Linked(NamedTuple):
    """A sentence pair and its links.

    Fields:
      source, target: English and French, words parted by single spaces.
      sure, possible: links (source word, target word); a sure one is not repeated among the possible.
    """

    source: str
    target: str
    sure: frozenset[Link]
    possible: frozenset[Link]


def read_alibi(folder: str | os.PathLike) -> list[Linked]:
    """The stories of a folder: ali_w2w_FRENCH_ENGLISH.txt with the two files of sentences it is named after.

    A line of links is "id TAB i-j ipj ...", i French, j English, both from 0; i-j is sure, ipj possible
    (https://github.com/yvonf/AlibiWordAlignments). Pairs without a sure link are left out.

    Raises:
      ValueError: no such file, ids that differ, a link outside its sentence, or words counted from 1.
    """
    paths = sorted(Path(folder).glob("ali_w2w_*_*.txt"))
    if not paths:
        raise ValueError(f"{folder}: no ali_w2w_FRENCH_ENGLISH.txt in it")
    return [pair for path in paths for pair in _read_story(path)]


def _read_story(path):
    french, english = path.stem.split("_")[2:]
    rows = {}
    for name, place in (("french", path.parent / f"{french}_sents.txt"),
                        ("english", path.parent / f"{english}_sents.txt"), ("links", path)):
        rows[name] = _numbered(place)
        if list(rows[name]) != list(rows["french"]):
            raise ValueError(f"{place}: its sentence ids are not those of {french}_sents.txt")
    found = []
    for number, text in rows["links"].items():
        links = {"-": set(), "p": set()}
        for word in text.split():
            parts = re.fullmatch(r"(\d+)([-p])(\d+)", word)
            if not parts:
                raise ValueError(f"{path}: sentence {number}: {word!r} is no link; i-j or ipj is needed")
            links[parts[2]].add((int(parts[3]), int(parts[1])))
        found.append((number, Linked(rows["english"][number], rows["french"][number],
                                     frozenset(links["-"]), frozenset(links["p"] - links["-"]))))
    _check(found, 0, path)
    return [pair for _, pair in found if pair.sure]


def _numbered(path):
    found = {}
    for count, line in enumerate(read_lines(path)[0], 1):
        number, tab, text = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}: line {count} has no TAB between its id and the rest")
        if number in found:
            raise ValueError(f"{path}: line {count}: sentence {number} stands there twice")
        found[number] = one_space(text)
    return found


def read_hansards(source: str | os.PathLike, target: str | os.PathLike, links: str | os.PathLike
                  ) -> list[Linked]:
    """Sentences "<s snum=0001> words </s>" and links "0001 i j [S|P]" (Mihalcea & Pedersen 2003).

    i is a word of the source and j one of the target, both from 1; without a letter a link is sure. Pairs
    without a sure link are left out.

    Raises:
      ValueError: a line that is no such sentence or link, a link to a sentence that is not there or outside
        it, or words counted from 0.
    """
    sides = [_sentences(path) for path in (source, target)]
    kept: dict[str, dict[str, set[Link]]] = {}
    for count, line in enumerate(read_lines(links)[0], 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) < 3 or not all(part.isdigit() for part in parts[:3]):
            raise ValueError(f"{links}: line {count}: {line!r} is no link; 'sentence i j [S|P]' is needed")
        kind = parts[3] if len(parts) > 3 and not _is_number(parts[3]) else "S"
        if kind not in ("S", "P"):
            raise ValueError(f"{links}: line {count}: {kind!r} is neither S (sure) nor P (possible)")
        own = kept.setdefault(parts[0].lstrip("0"), {"S": set(), "P": set()})
        own[kind].add((int(parts[1]), int(parts[2])))
    found = []
    for number, own in kept.items():
        if any(number not in side for side in sides):
            raise ValueError(f"{links}: links of sentence {number}, which {source} or {target} does not have")
        found.append((number, Linked(sides[0][number], sides[1][number], frozenset(own["S"]),
                                     frozenset(own["P"] - own["S"]))))
    _check(found, 1, links)
    return [pair._replace(sure=_from_zero(pair.sure), possible=_from_zero(pair.possible))
            for _, pair in found if pair.sure]


def _from_zero(links):
    return frozenset((i - 1, j - 1) for i, j in links)


def _is_number(text):
    return text.replace(".", "", 1).isdigit()  # how sure the annotator was


def _sentences(path):
    found = {}
    for count, line in enumerate(read_lines(path)[0], 1):
        parts = re.fullmatch(r"\s*<s snum=0*(\d+)>(.*)</s>\s*", line)
        if not parts:
            raise ValueError(f"{path}: line {count} is not '<s snum=N> words </s>'")
        if parts[1] in found:
            raise ValueError(f"{path}: line {count}: sentence {parts[1]} stands there twice")
        found[parts[1]] = one_space(parts[2])
    return found


def _check(found: Sequence[tuple[str, Linked]], base: int, path: str | os.PathLike) -> None:
    """Refuses links outside their sentences, and those of a file that counts from the other number."""
    numbers = [number for _, pair in found for link in pair.sure | pair.possible for number in link]
    other = f"{path}: words are counted from {base} here, and this file seems to count from {1 - base}"
    if base == 1 and 0 in numbers:
        raise ValueError(f"{other}: it has a word 0")
    outside = [(number, pair, link) for number, pair in found for link in sorted(pair.sure | pair.possible)
               if any(word - base >= len(side.split()) for word, side in zip(link, pair[:2]))]
    if base == 0 and numbers and 0 not in numbers and (outside or len(found) >= ENOUGH):
        raise ValueError(f"{other}: no word 0 in any of its {len(found)} sentences")
    for number, pair, (i, j) in outside:
        raise ValueError(f"{path}: sentence {number}: a link of word {i} to word {j}, but the sentences have "
                         f"{len(pair.source.split())} and {len(pair.target.split())} words from {base} on")
