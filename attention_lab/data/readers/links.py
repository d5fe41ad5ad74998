"""Word alignments made by hand: the Alibi stories, which count words from 0, and the Hansards, from 1.

All come out as links (source word, target word), English to French, counted from 0: the truth of Pairs.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from attention_lab.data.lines import one_space, read_lines
from attention_lab.data.pairs import Pairs

Link = tuple[int, int]
ENOUGH = 5  # sentences of which one surely links a first word


class Linked(NamedTuple):
    """The links of a sentence pair.

    Fields:
      sure, possible: links (source word, target word); one that is given as both is sure, and not repeated
        among the possible.
    """

    sure: frozenset[Link]
    possible: frozenset[Link]


class _Read(NamedTuple):
    number: str
    source: str
    target: str
    links: Linked  # counted as in the file


def read_alibi(folder: str | os.PathLike) -> Pairs:
    """The stories of a folder: ali_w2w_FRENCH_ENGLISH.txt with the two files of sentences it is named after.

    A line of links is "id TAB i-j ipj ...", i French, j English, both from 0; i-j is sure, ipj possible
    (https://github.com/yvonf/AlibiWordAlignments). Truth is the Linked of each pair. Counts: what
    `lines.read_lines` counts, "odd_spaces" (sentences), "pairs_without_sure_links" (left out).

    Raises:
      ValueError: no such file, ids that differ, a link outside its sentence, or words counted from 1.
    """
    paths = sorted(Path(folder).glob("ali_w2w_*_*.txt"))
    if not paths:
        raise ValueError(f"{folder}: no ali_w2w_FRENCH_ENGLISH.txt in it")
    counts = Counter(odd_spaces=0)
    return _linked_pairs([pair for path in paths for pair in _read_story(path, counts)], counts)


def _read_story(path, counts):
    french, english = path.stem.split("_")[2:]
    rows = {}
    for name, place in (("french", path.parent / f"{french}_sents.txt"),
                        ("english", path.parent / f"{english}_sents.txt"), ("links", path)):
        rows[name] = _numbered(place, counts)
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
        sides = [_even(rows[name][number], counts) for name in ("english", "french")]
        found.append(_Read(number, *sides, _links(links["-"], links["p"])))
    _check(found, 0, path)
    return found


def _numbered(path, counts):
    found = {}
    for count, line in enumerate(_lines(path, counts), 1):
        number, tab, text = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}: line {count} has no TAB between its id and the rest")
        if number in found:
            raise ValueError(f"{path}: line {count}: sentence {number} stands there twice")
        found[number] = text
    return found


def read_hansards(source: str | os.PathLike, target: str | os.PathLike, links: str | os.PathLike) -> Pairs:
    """Sentences "<s snum=0001> words </s>" and links "0001 i j [S|P]" (Mihalcea & Pedersen 2003).

    i is a word of the source and j one of the target, both from 1; without a letter a link is sure. A link
    with one word 0 is a null link: its other word has no counterpart. Truth is the Linked of each pair.
    Counts: what `lines.read_lines` counts, "odd_spaces" (sentences), "empty_lines" (among the links),
    "null_links" (left out), "pairs_without_sure_links" (left out, those without any link among them),
    "sentences_of_one_side" (left out).

    Raises:
      ValueError: a line that is no such sentence or link, a link to a sentence that is not there or outside
        it, words counted from 0, or a word 0 that may be either.
    """
    counts = Counter(odd_spaces=0, empty_lines=0, null_links=0)
    sides = [_sentences(path, counts) for path in (source, target)]
    counts["sentences_of_one_side"] = len(sides[0].keys() ^ sides[1].keys())
    kept = {number: {"S": set(), "P": set()} for number in sides[0] if number in sides[1]}
    for count, line in enumerate(_lines(links, counts), 1):
        parts = line.split()
        if not parts:
            counts["empty_lines"] += 1
            continue
        if len(parts) < 3 or not all(part.isdecimal() for part in parts[:3]):
            raise ValueError(f"{links}: line {count}: {line!r} is no link; 'sentence i j [S|P]' is needed")
        kind = " ".join(part for part in parts[3:] if not _is_number(part)) or "S"
        if kind not in ("S", "P"):
            raise ValueError(f"{links}: line {count}: {kind!r} is neither S (sure) nor P (possible)")
        number, *link = map(int, parts[:3])
        if str(number) not in kept:
            raise ValueError(f"{links}: links of sentence {number}, which {source} or {target} does not have")
        kept[str(number)][kind].add(tuple(link))
    found = [_Read(number, sides[0][number], sides[1][number], _links(own["S"], own["P"]))
             for number, own in kept.items()]
    _check(found, 1, links)
    # So the shared task's AER without NULL is computed, and attention has no word 0 to look at.
    counts["null_links"] = sum(0 in link for one in found for link in one.links.sure | one.links.possible)
    return _linked_pairs([one._replace(links=Linked(*map(_from_zero, one.links))) for one in found], counts)


def _from_zero(links):
    return frozenset((i - 1, j - 1) for i, j in links if i and j)


def _is_number(text):
    return text.replace(".", "", 1).isdigit()  # how sure the annotator was


def _sentences(path, counts):
    found = {}
    for count, line in enumerate(_lines(path, counts), 1):
        parts = re.fullmatch(r"\s*<s snum=0*(\d+)>(.*)</s>\s*", line)
        if not parts:
            raise ValueError(f"{path}: line {count} is not '<s snum=N> words </s>'")
        if parts[1] in found:
            raise ValueError(f"{path}: line {count}: sentence {parts[1]} stands there twice")
        found[parts[1]] = _even(parts[2].strip(), counts)
    return found


def _lines(path, counts):
    found, odd = read_lines(path)
    counts.update(odd)
    return found


def _even(text, counts):
    counts["odd_spaces"] += text != one_space(text)
    return one_space(text)


def _links(sure, possible):
    return Linked(frozenset(sure), frozenset(possible - sure))


def _linked_pairs(found: Sequence[_Read], counts: Counter) -> Pairs:
    """The pairs that have a sure link, and the number of others among the counts."""
    kept = [one for one in found if one.links.sure]
    return Pairs([one.source for one in kept], [one.target for one in kept], [one.links for one in kept],
                 {**counts, "pairs_without_sure_links": len(found) - len(kept), "pairs": len(kept)})


def _check(found: Sequence[_Read], base: int, path: str | os.PathLike) -> None:
    """Refuses links outside their sentences, and those of a file that counts from the other number."""
    linked = [(one.number, link, (len(one.source.split()), len(one.target.split())))
              for one in found for link in sorted(one.links.sure | one.links.possible)]
    numbers = {number for _, link, _ in linked for number in link}
    other = f"{path}: words are counted from {base} here, and this file seems to count from {1 - base}"
    if base == 1 and any(link == (0, 0) for _, link, _ in linked):
        raise ValueError(f"{other}: it has a link of word 0 to word 0")
    # From 0 no word has the number of its sentence's length; where one has, word 0 can only be null.
    if base == 1 and 0 in numbers and not any(
            word == length > 0 for _, link, lengths in linked for word, length in zip(link, lengths)):
        raise ValueError(f"{other}: it has a word 0; as null links these are taken only where another link "
                         "has the last word of its sentence")
    outside = [(number, link, lengths) for number, link, lengths in linked
               if any(word - base >= length for word, length in zip(link, lengths))]
    if base == 0 and numbers and 0 not in numbers and (outside or len(found) >= ENOUGH):
        raise ValueError(f"{other}: no word 0 in any of its {len(found)} sentences")
    for number, (i, j), lengths in outside:
        raise ValueError(f"{path}: sentence {number}: a link of English word {i} and French word {j}, but "
                         f"the sentences have {lengths[0]} and {lengths[1]} words from {base} on")
