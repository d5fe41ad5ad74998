"""Word alignments made by hand: the Alibi stories, which count words from 0, and the Hansards, from 1.

Both are read as links (source word, target word), English to French, from 0: the truth of Pairs.
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
ENOUGH = 5  # sentences, of which at least one surely links a first word


class Linked(NamedTuple):
    """Fields: sure, possible: links (source word, target word) of a sentence pair; sure ones are not repeated
    among the possible."""

    sure: frozenset[Link]
    possible: frozenset[Link]


class _Linked(NamedTuple):
    number: str
    source: str
    target: str
    links: Linked  # counted as in the file


def read_alibi(folder: str | os.PathLike) -> Pairs:
    """The stories of a folder: ali_w2w_FRENCH_ENGLISH.txt with the two files of sentences it is named after.

    A line of links is "id TAB i-j ipj ...", i French, j English, both from 0; i-j is sure, ipj possible
    (https://github.com/yvonf/AlibiWordAlignments). Truth is the Linked of each pair. Counts: those of
    `lines.read_lines`, "odd_spaces" (sentences), "pairs_without_sure_links" (left out). ValueError for no
    such file, ids that differ, a link outside its sentence, or words counted from 1.
    """
    paths = sorted(Path(folder).glob("ali_w2w_*_*.txt"))
    if not paths:
        raise ValueError(f"{folder}: no ali_w2w_FRENCH_ENGLISH.txt in it")
    counts = Counter(odd_spaces=0)
    return _with_sure_links([pair for path in paths for pair in _read_story(path, counts)], counts)


def _read_story(path, counts):
    french, english = path.stem.split("_")[2:]
    rows = {}
    for name, file in (("french", path.parent / f"{french}_sents.txt"),
                       ("english", path.parent / f"{english}_sents.txt"), ("links", path)):
        rows[name] = _numbered(file, r"(?P<number>[^\t]*)\t(?P<text>.*)",
                               "has no TAB between its id and the rest", counts)
        if list(rows[name]) != list(rows["french"]):
            raise ValueError(f"{file}: its sentence ids are not those of {french}_sents.txt")
    pairs = []
    for number, text in rows["links"].items():
        links = {"-": set(), "p": set()}
        for word in text.split():
            parts = re.fullmatch(r"(\d+)([-p])(\d+)", word)
            if not parts:
                raise ValueError(f"{path}: sentence {number}: {word!r} is no link; i-j or ipj is needed")
            links[parts[2]].add((int(parts[3]), int(parts[1])))
        sides = [_normalised(rows[name][number], counts) for name in ("english", "french")]
        pairs.append(_Linked(number, *sides, _links(links["-"], links["p"])))
    _check(pairs, 0, path)
    return pairs


def read_hansards(source: str | os.PathLike, target: str | os.PathLike, links: str | os.PathLike) -> Pairs:
    """Sentences "<s snum=0001> words </s>" and links "0001 i j [S|P]" (Mihalcea & Pedersen 2003).

    i is a word of the source and j one of the target, both from 1; without a letter a link is sure. In a null
    link one word is 0: the other has no counterpart. Truth is the Linked of each pair. Counts: those of
    `lines.read_lines`, "odd_spaces" (sentences), "empty_lines" (among the links), and what is left out:
    "null_links", "pairs_without_sure_links" (or without any), "sentences_of_one_side". ValueError for a
    malformed line, a link to or outside a sentence that is not there, words counted from 0, or a word 0 that
    may mean either.
    """
    counts = Counter(odd_spaces=0, empty_lines=0, null_links=0)
    sides = [{number: _normalised(text.strip(), counts) for number, text in _numbered(
        path, r"\s*<s snum=0*(?P<number>\d+)>(?P<text>.*)</s>\s*", "is not '<s snum=N> words </s>'",
        counts).items()} for path in (source, target)]
    counts["sentences_of_one_side"] = len(sides[0].keys() ^ sides[1].keys())
    by_sentence = {number: {"S": set(), "P": set()} for number in sides[0] if number in sides[1]}
    for count, line in enumerate(_lines(links, counts), 1):
        parts = line.split()
        if not parts:
            counts["empty_lines"] += 1
            continue
        if len(parts) < 3 or not all(part.isdecimal() for part in parts[:3]):
            raise ValueError(f"{links}: line {count}: {line!r} is no link; 'sentence i j [S|P]' is needed")
        # A number among the rest is how sure the annotator was.
        kind = " ".join(part for part in parts[3:] if not part.replace(".", "", 1).isdigit()) or "S"
        if kind not in ("S", "P"):
            raise ValueError(f"{links}: line {count}: {kind!r} is neither S (sure) nor P (possible)")
        number, *link = map(int, parts[:3])
        if str(number) not in by_sentence:
            raise ValueError(f"{links}: links of sentence {number}, which {source} or {target} does not have")
        by_sentence[str(number)][kind].add(tuple(link))
    pairs = [_Linked(number, sides[0][number], sides[1][number], _links(kinds["S"], kinds["P"]))
             for number, kinds in by_sentence.items()]
    _check(pairs, 1, links)
    # As in the shared task's AER without NULL; attention has no word 0 to look at.
    counts["null_links"] = sum(0 in link for pair in pairs for link in pair.links.sure | pair.links.possible)
    pairs = [pair._replace(links=Linked(*map(_from_zero, pair.links))) for pair in pairs]
    return _with_sure_links(pairs, counts)


def _from_zero(links):
    return frozenset((i - 1, j - 1) for i, j in links if i and j)


def _numbered(path, pattern, refusal, counts) -> dict[str, str]:
    """{number: text} of the lines of a file, each of which matches a pattern with these two groups."""
    texts = {}
    for count, line in enumerate(_lines(path, counts), 1):
        match = re.fullmatch(pattern, line, re.DOTALL)
        if not match:
            raise ValueError(f"{path}: line {count} {refusal}")
        if match["number"] in texts:
            raise ValueError(f"{path}: line {count}: sentence {match['number']} occurs twice")
        texts[match["number"]] = match["text"]
    return texts


def _lines(path, counts):
    lines, odd = read_lines(path)
    counts.update(odd)
    return lines


def _normalised(text, counts):
    counts["odd_spaces"] += text != one_space(text)
    return one_space(text)


def _links(sure, possible):
    return Linked(frozenset(sure), frozenset(possible - sure))


def _with_sure_links(pairs: Sequence[_Linked], counts: Counter) -> Pairs:
    """The pairs that have a sure link; the counts say how many have none."""
    kept = [pair for pair in pairs if pair.links.sure]
    source, target, truth = ([getattr(pair, name) for pair in kept] for name in ("source", "target", "links"))
    return Pairs(source, target, truth, {
        **counts, "pairs_without_sure_links": len(pairs) - len(kept), "pairs": len(kept)})


def _check(pairs: Sequence[_Linked], base: int, path: str | os.PathLike) -> None:
    """Refuses links outside their sentences, and files that count words from 1 - base."""
    linked = [(pair.number, link, (len(pair.source.split()), len(pair.target.split())))
              for pair in pairs for link in sorted(pair.links.sure | pair.links.possible)]
    numbers = {number for _, link, _ in linked for number in link}
    other = f"{path}: words are counted from {base} here, and this file seems to count from {1 - base}"
    if base == 1 and any(link == (0, 0) for _, link, _ in linked):
        raise ValueError(f"{other}: it has a link of word 0 to word 0")
    # Counted from 0, no word's number is its sentence's length; where one is, word 0 can only be null.
    if base == 1 and 0 in numbers and not any(
            word == length > 0 for _, link, lengths in linked for word, length in zip(link, lengths)):
        raise ValueError(f"{other}: it has a word 0; as null links these are taken only where another link "
                         "has the last word of its sentence")
    outside = [(number, link, lengths) for number, link, lengths in linked
               if any(word - base >= length for word, length in zip(link, lengths))]
    if base == 0 and numbers and 0 not in numbers and (outside or len(pairs) >= ENOUGH):
        raise ValueError(f"{other}: no word 0 in any of its {len(pairs)} sentences")
    for number, (i, j), lengths in outside:
        raise ValueError(f"{path}: sentence {number}: a link of English word {i} and French word {j}, but "
                         f"the sentences have {lengths[0]} and {lengths[1]} words from {base} on")
