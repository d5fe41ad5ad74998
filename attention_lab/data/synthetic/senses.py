"""A corpus of the grammar's ambiguous nouns, balanced in the deciding word's distance and in distractors."""

from collections.abc import Iterator
from itertools import islice
from random import Random

from attention_lab.data import grammar
from attention_lab.data.grammar.generate import SHORTEST_SENSE, compose
from attention_lab.data.grammar.options import Options, tables
from attention_lab.data.grammar.senses import BESIDE, choices
from attention_lab.data.labelled import Labelled

# Most sentences of the grammar have distances below ten words: each of these bins gets the same share.
BINS = ((1, 4), (5, 9), (10, 19), (20, 29), (30, 40))
AHEAD = 32  # sentences that a cell writes at a time
PATIENCE = 500  # draws without a new sentence after which a cell counts as exhausted


def read(train_size: int, dev_size: int, test_size: int, seed: int, lexicon_size: int = 1000,
         max_words: int = 50, distance: tuple[int, int] = (1, 40), distractors: tuple[int, ...] = (0, 1)
         ) -> dict[str, Labelled]:
    """Draws {"train", "dev", "test"} of different sentences with one ambiguous noun each.

    A cell is a bin of distances together with a number of distractors. The cells take turns in an order that
    is drawn anew each round, so all have equally many sentences. A cell has only words of which it can write
    two senses or more, so that neither the distance nor a distractor reveals the sense. Test and dev are
    drawn first, so they do not depend on train_size. A small train may lack a sense that test has.

    Args:
      lexicon_size: English and French word types together, about; 1000 has 30 ambiguous nouns.
      max_words: longest sentence, the final full stop not counted; up to 120.
      distance: least and greatest distance of the deciding word, in words.
      distractors: the numbers of words that would decide for another sense in another position.
    Returns:
      Labelled with truth: label is the sense, named by its French noun; "words_of_one_sense" counts the nouns
      left out because no cell can write two senses of them.
    Raises:
      ValueError: a field is out of range, no noun has two senses, or there are too few different sentences.
    """
    sizes = {"test": test_size, "dev": dev_size, "train": train_size}
    for name, size in sizes.items():
        if size < 0:
            raise ValueError(f"{name}_size={size}: 0 or more is needed")
    cells = _cells(lexicon_size, max_words, distance, distractors)
    nouns = len(tables(lexicon_size).lexicon.ambiguous)
    left_out = nouns - len({word for _, words in cells for word in words})
    stream = _draw(cells, seed)
    sentences = {name: list(islice(stream, size)) for name, size in sizes.items()}
    return {name: _label(sentences[name], left_out) for name in ("train", "dev", "test")}


def _label(sentences, left_out):
    senses = [sentence.senses[0] for sentence in sentences]
    return Labelled([sentence.source for sentence in sentences], [sense.english for sense in senses],
                    [sense.word for sense in senses], [sense.label for sense in senses], sentences,
                    {"words_of_one_sense": left_out, "sentences": len(sentences)})


def _cells(lexicon_size: int, max_words: int, distance: tuple[int, int], distractors: tuple[int, ...]
           ) -> list[tuple[Options, frozenset[str]]]:
    """The (options, words of two senses or more) of each bin and number of distractors."""
    low, high = distance
    if not 1 <= low <= high:
        raise ValueError(f"distance={tuple(distance)}: 1 <= least <= greatest is needed")
    if max_words < high + BESIDE:
        raise ValueError(f"max_words={max_words}: a deciding word {high} words away needs sentences of at "
                         f"least {high + BESIDE}")
    if not distractors or min(distractors) < 0 or len(set(distractors)) < len(distractors):
        raise ValueError(f"distractors={tuple(distractors)}: different numbers, 0 or more, are needed")
    bins = [(max(low, first), min(high, last)) for first, last in (*BINS, (BINS[-1][1] + 1, high))
            if max(low, first) <= min(high, last)]
    cells = []
    for count in distractors:
        for span in bins:
            options = Options(lexicon_size=lexicon_size, ambiguous_share=1, sense_distance=span,
                              distractors=count, max_words=max_words,
                              min_words=max(SHORTEST_SENSE, span[0] + BESIDE))
            words = _words(options)
            if not words:
                raise ValueError(f"lexicon_size={lexicon_size}: no noun in it has two senses with a deciding "
                                 f"word {span[0]} to {span[1]} words away and {count} distractors")
            cells.append((options, words))
    return cells


def _words(options):
    """The nouns of which these options can write at least two senses."""
    lexicon = tables(options.lexicon_size).lexicon
    nouns, words = set(lexicon.nouns), set()
    for word, meanings in choices(lexicon.ambiguous, options):
        writable = 0
        for meaning, _ in meanings:
            rivals = {entry for other in word if other is not meaning for entry in other.deciders}
            writable += len((rivals - set(meaning.deciders)) & nouns) >= options.distractors
        if writable >= 2:
            words.add(word[0].noun.english[0])
    return frozenset(words)


def _draw(cells, seed):
    """Endless different sentences, from the cells in turn."""
    random = Random(seed).random
    seen = set()
    streams = [_cell(Random(int(random() * 2**53)).random, *cell, seen) for cell in cells]
    while True:
        for stream in sorted(streams, key=lambda _: random()):
            yield next(stream)


def _cell(random, options, words, seen) -> Iterator[grammar.Sentence]:
    """A cell's sentences, without those already `seen`."""
    material = tables(options.lexicon_size)
    ambiguous = tuple(word for word in material.lexicon.ambiguous if word[0].noun.english[0] in words)
    material = material._replace(lexicon=material.lexicon._replace(ambiguous=ambiguous))
    span = options.max_words - options.min_words + 1
    while True:
        # Several at a time: the grammar caches the choices of few cells.
        batch, misses = [], 0
        while len(batch) < AHEAD and misses < PATIENCE:
            sentence = compose(random, material, options, options.min_words + int(random() * span))
            if sentence and sentence.english not in seen and sentence.senses:
                seen.add(sentence.english)
                batch.append(sentence)
                misses = 0
            else:
                misses += 1
        if not batch:
            low, high = options.sense_distance
            raise ValueError(
                f"lexicon_size={options.lexicon_size}, max_words={options.max_words}: there are no more "
                f"sentences with a deciding word {low} to {high} words away and {options.distractors} "
                "distractors")
        yield from batch
