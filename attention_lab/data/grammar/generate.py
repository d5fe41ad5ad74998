"""Sentences and corpora, deterministic from a seed and all different."""

import dataclasses
from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Any

from attention_lab.data.grammar.clauses import Writer
from attention_lab.data.grammar.draft import PRONOUNS, Rejected, Subject
from attention_lab.data.grammar.function_words import FUTURE, PAST, PLURAL, PRESENT, SINGULAR
from attention_lab.data.grammar.options import Options, Tables, tables
from attention_lab.data.grammar.senses import BESIDE, SenseClause, choices, record
from attention_lab.data.grammar.truth import Antecedent, Sentence

SHORT_CLAUSE = 6  # words, on average, of the clauses of a sentence that has as many as possible
SHORTEST_SENSE = 4  # words of the shortest clause with an ambiguous noun
PATIENCE = 2000  # draws without a new sentence after which a corpus counts as exhausted


def generate(size: int, *, seed: int, **options) -> list[Sentence]:
    """Draws `size` different sentence pairs; the same arguments always give the same ones.

    Args:
      **options: fields of `options.Options`, such as lexicon_size=1000, min_words=3, max_words=20,
        ambiguous_share=0.3, sense_distance=(1, 40), distractors=0, max_depth=2.
    Raises:
      ValueError: an option is unknown or out of range, or there are too few different sentences.
    """
    return list(_draw([(size, _options(options))], seed))


def corpus(train_size: int, dev_size: int, test_size: int, seed: int, lexicon_size: int = 1000,
           min_words: int = 3, max_words: int = 20, train: Mapping[str, Any] = MappingProxyType({}),
           **options) -> dict[str, list[Sentence]]:
    """Draws {"train": ..., "dev": ..., "test": ...}, in which no English sentence is repeated.

    Test and dev are drawn first, so they depend neither on train_size nor on `train`, the options in which
    the training sentences differ. Errors as of `generate`.
    """
    options |= {"lexicon_size": lexicon_size, "min_words": min_words, "max_words": max_words}
    held_out = test_size + dev_size
    parts = [(held_out, _options(options)), (train_size, _options(options | dict(train)))]
    sentences = list(_draw(parts, seed))
    return {"train": sentences[held_out:], "dev": sentences[test_size:held_out],
            "test": sentences[:test_size]}


def _options(values: dict) -> Options:
    allowed = [field.name for field in dataclasses.fields(Options)]
    for name in values:
        if name not in allowed:
            raise ValueError(f"{name}={values[name]!r} is no option of the grammar, which has "
                             f"{', '.join(allowed)}")
    return Options(**values)


def _draw(parts, seed):
    """Yields the sentences of each (size, options) in turn, all different."""
    total = sum(size for size, _ in parts)
    random = Random(seed).random
    seen = set()
    for size, options in parts:
        if size < 0:
            raise ValueError(f"size={size}: 0 or more is needed")
        material, goal, misses = tables(options.lexicon_size), len(seen) + size, 0
        span = options.max_words - options.min_words + 1
        while len(seen) < goal:
            sentence = compose(random, material, options,
                               options.min_words + int(random() * span))
            if sentence is None or sentence.english in seen:
                misses += 1
                if misses > PATIENCE:
                    raise ValueError(
                        f"size={total}: there are only {len(seen)} different sentences of "
                        f"{options.min_words} to {options.max_words} words with lexicon_size="
                        f"{options.lexicon_size} and these options")
                continue
            misses = 0
            seen.add(sentence.english)
            yield sentence


def compose(random, material: Tables, options: Options, size: int) -> Sentence | None:
    """One sentence of exactly `size` words; None if all attempts fail."""
    least = max(SHORTEST_SENSE, options.sense_distance[0] + BESIDE - 1)
    open_ = choices(material.lexicon.ambiguous, options) if size >= least else ()
    ambiguous = open_ and random() < options.ambiguous_share
    for _ in range(200 if ambiguous else 20):
        writer = Writer(random, material, options)
        word, meaning, pairs = None, None, ()
        if ambiguous:
            word, meanings = writer.pick(open_)
            meaning, pairs = writer.pick(meanings)
        try:
            return _compose(writer, size, word, meaning, pairs)
        except Rejected:
            pass
    return None


def _compose(writer, size, word, meaning, pairs) -> Sentence:
    """Writes a sentence of `size` words; Rejected if that fails."""
    options = writer.options
    distractors = ban_rivals(writer, word, meaning) if word else []
    tense = writer.tense = draw_tense(writer)
    shares, chosen = clause_sizes(writer, size, bool(word))
    start, can_refer, joined = 0, False, None
    for i, share in enumerate(shares):
        previous, paired = writer.nouns[start:], writer.paired
        start = len(writer.nouns)
        writer.tense, writer.outer_number, writer.paired = tense, None, False
        if i:
            joined = conjunction(writer, tense, joined)
        if i == chosen:
            sense = SenseClause(writer, meaning, pairs, share, options.max_depth).write()
            can_refer = True
        elif can_refer and pronoun_clause(writer, share, previous, paired):
            can_refer = False
        else:
            writer.clause(share, options.max_depth)
            can_refer = True
    if writer.pending:
        raise Rejected
    writer.finish()
    if word:
        writer.senses.append(record(word, meaning, *sense, writer, distractors))
    writer.links.sort()
    writer.agreement.sort(key=lambda link: link.english_verb)
    return Sentence(tuple(writer.english), tuple(writer.french), tuple(writer.english_tags),
                    tuple(writer.french_tags), tuple(writer.links), tuple(writer.agreement),
                    tuple(writer.antecedents), tuple(writer.senses))


def ban_rivals(writer, word, meaning):
    """Bans the deciders of the other senses, except the distractors; returns these nouns."""
    deciders = set(meaning.deciders)
    rivals = [entry for other in word if other is not meaning for entry in other.deciders
              if entry not in deciders]
    writer.banned = frozenset(entry.english for entry in rivals)
    distractors = []
    if writer.options.distractors:
        in_lexicon = set(writer.tables.lexicon.nouns)
        nouns = [entry for entry in dict.fromkeys(rivals) if entry in in_lexicon]
        if len(nouns) < writer.options.distractors:
            raise Rejected
        for _ in range(writer.options.distractors):
            distractors.append(nouns.pop(int(writer.random() * len(nouns))))
        writer.pending = list(distractors)
    return distractors


def draw_tense(writer):
    """The tense of a sentence's main clauses: present in three of five."""
    draw = writer.random()
    if draw < 0.2 and "future" in writer.tables.lexicon.features:
        return FUTURE
    if draw > 0.8 and "past" in writer.tables.lexicon.features:
        return PAST
    return PRESENT


def clause_sizes(writer, size, sense):
    """Words of each clause, without conjunctions, and the index of the one for a sense or None."""
    options = writer.options
    shares = [size]
    if writer.tables.conjunctions:
        first = 0
        if sense and options.sense_distance[0] > SHORT_CLAUSE:
            # A distant deciding word needs a clause of that length.
            first = options.sense_distance[0] + BESIDE + int(writer.random() * 2 * SHORT_CLAUSE)
            if first + SHORT_CLAUSE > size:
                return [size], 0
        most = 10 + 6 * options.max_depth
        rest = size - (first + 1 if first else 0)
        low = -(-(rest + 1) // (most + 1))
        count = low + int(writer.random() * (max(low, (rest + 1) // SHORT_CLAUSE) - low + 1))
        spare = rest - (count - 1) - 3 * count
        if spare >= 0:
            cuts = sorted(int(writer.random() * (spare + 1)) for _ in range(count - 1))
            shares = [3 + b - a for a, b in zip([0, *cuts], [*cuts, spare])]
            if first:
                index = int(writer.random() * (count + 1))
                shares.insert(index, first)
                return shares, index
    if not sense:
        return shares, None
    long_enough = [i for i, share in enumerate(shares) if share >= SHORTEST_SENSE]
    if not long_enough:
        raise Rejected
    return shares, writer.pick(long_enough)


def conjunction(writer, tense, last):
    """Writes a conjunction for this tense and returns its tag; no two subordinating ones in a row.

    Args:
      last: tag of the previous conjunction, or None.
    """
    word = writer.pick([c for c in writer.tables.conjunctions if tense in c.tenses
                        and not c.tag == last == "SCONJ"])
    if word.french[-1] in ("que", "si"):
        writer.open_elisions.append(len(writer.french) + len(word.french) - 1)
    writer.write_many([word.english], [word.tag], list(word.french),
                      [word.tag] * len(word.french))
    return word.tag


def pronoun_clause(writer, size, previous, paired):
    """A clause whose subject is it or they, if exactly one noun of the previous clause fits.

    `it` refers to its only singular noun that is no person, `they` to its only plural noun, unless
    two nouns are joined by `and` (`paired`). Returns whether the clause was written.
    """
    features = writer.tables.lexicon.features
    if writer.random() >= writer.options.pronoun_share:
        return False
    fits = []
    if "it" in features:
        things = [noun for noun in previous if noun[1] == SINGULAR and noun[2] != "p"]
        if len(things) == 1:
            fits.append(("it", things[0]))
    if "they" in features and not paired:
        many = [noun for noun in previous if noun[1] == PLURAL]
        if len(many) == 1:
            fits.append(("they", many[0]))
    if not fits:
        return False
    pronoun, (index, number, kind, antecedent) = writer.pick(fits)
    right = PRONOUNS[antecedent.gender][number]
    wrong = PRONOUNS[1 - antecedent.gender][number]
    e, f = writer.write(pronoun, "PRON", right, "PRON")
    writer.antecedents.append(Antecedent(e, index, f, antecedent.french, right, wrong))
    writer.predicate(size - 1, Subject(e, f, kind, antecedent.gender, number),
                     writer.options.max_depth)
    return True
