"""Stories: entropy and surprisal against all stories of a small grammar, and the English."""

import collections
import math

import numpy as np
import pytest

from attention_lab.data.grammar import stories, weighted
from attention_lab.data.grammar.stories import AGAIN, FIRST, NEW, NEXT, StoryGrammar, entropy, write

SUBJECTS = (0.42, 0.18, 0.28, 0.12)  # of AGAIN: 0.6 x (0.7, 0.3) and 0.4 x (0.7, 0.3)


def small():
    """Two nouns in two numbers; what a noun is says whether its verb is certain."""
    fresh = [(0.6, "one", (NEW[0],)), (0.4, "two", (NEW[1],))]
    rules = {FIRST: fresh, NEXT: [(stories.REPEATED, "the", (AGAIN,)),
                                  *((p * (1 - stories.REPEATED), word, after) for p, word, after in fresh)],
             NEW[0]: [(0.7, "king", ("verb",)), (0.3, "cat", ("end",))],
             NEW[1]: [(0.7, "kings", ("verb",)), (0.3, "cats", ("end",))],
             "verb": [(0.5, "sleeps", ()), (0.5, "sings", ("end",))], "end": [(1.0, ".", ())]}
    rules[AGAIN] = [(p * q, word, after) for p, name in zip((0.6, 0.4), NEW)
                    for q, word, after in rules[name]]
    return rules, StoryGrammar(weighted.grammar(rules), np.array(SUBJECTS))


def all_stories(rules, sentences):
    """{words of that many sentences, cut after the last: probability}, by the meaning of the rules."""
    found = collections.Counter()

    def go(words, stack, subjects, left, p):
        if not stack:
            if not left:
                found[words] += p
                return
            stack, left = (NEXT if words else FIRST,), left - 1
        symbol, *rest = stack
        if symbol == AGAIN:
            for word in set(subjects):
                after = next(after for _, name, after in rules[AGAIN] if name == word)
                go((*words, word), (*after, *rest), subjects, left, p * subjects.count(word) / len(subjects))
            return
        for chance, word, after in rules[symbol]:
            known = (*subjects, word) if symbol in NEW else subjects
            go((*words, word), (*after, *rest), known, left, p * chance)

    go((), (), (), sentences, 1.0)
    return found


def test_the_entropy_of_each_sentence_is_that_of_all_stories():
    rules, given = small()
    wholes = [all_stories(rules, n) for n in (1, 2, 3, 4)]
    assert [sum(found.values()) for found in wholes] == pytest.approx([1.0] * 4)
    totals = [-sum(p * math.log(p) for p in found.values()) for found in wholes]
    assert entropy(given, 4) == pytest.approx(np.diff([0.0, *totals]), abs=1e-12)


def test_the_surprisal_of_a_word_is_that_of_its_prefix():
    """Stories of four sentences have eight words at least."""
    rules, given = small()
    prefixes = collections.Counter()
    for words, p in all_stories(rules, 4).items():
        for n in range(9):
            prefixes[words[:n]] += p
    words, surprisal = write(given, np.random.default_rng(0).random((40, 8)))
    for row, costs in zip(words, surprisal):
        names = tuple(given.grammar.words[word] for word in row)
        for n, cost in enumerate(costs):
            assert cost == pytest.approx(math.log(prefixes[names[:n]] / prefixes[names[:n + 1]]), abs=1e-9)
    drawn = collections.Counter(tuple(row[:2]) for row in words.tolist())
    assert len(drawn) == 4  # of two numbers and two nouns


def test_the_mean_surprisal_is_the_entropy():
    """Sentence by sentence, of the grammar that is trained on; 0 is exact for both."""
    given = stories.stories(300, 5)
    words, surprisal = write(given, np.random.default_rng(1).random((3000, 120)))
    stop = given.grammar.words.index(".")
    ends = np.cumsum(words == stop, axis=1) - (words == stop)  # the sentence of each word
    for sentence, exact in enumerate(entropy(given, 4)):
        costs = np.where(ends == sentence, surprisal, 0.0).sum(axis=1)
        assert (ends[:, -1] > sentence).all()
        assert abs(costs.mean() - exact) < 4 * costs.std() / 3000 ** 0.5


def test_the_english():
    """A verb agrees with its subject, across a clause too; `the` repeats a subject; objects fit."""
    given = stories.stories(600, 0)
    nouns, verbs = stories._words(600)
    of_form = {form: (noun, number) for noun in nouns for number, form in enumerate(noun.english)}
    verb_of = [{verb.english[1 - number]: verb for verb in verbs} for number in (0, 1)]
    words, _ = write(given, np.random.default_rng(2).random((200, 64)))
    seen = collections.Counter()
    for row in words:
        known, text = set(), " ".join(given.grammar.words[i] for i in row)
        for sentence in text.split(" . ")[:-1]:
            determiner, subject, *rest = sentence.split()
            noun, number = of_form[subject]
            assert subject in known if determiner == "the" else number == ("one", "two").index(determiner)
            known.add(subject)
            across = rest[0] == "that"
            if across:
                inner = verb_of[number][rest[1]]
                rest = rest[4 if inner.objects else 2:]
            verb = verb_of[number][rest[0]]
            assert noun.kind in verb.subjects
            if verb.objects:
                item, of_item = of_form[rest[2]]
                assert item.kind in verb.objects and of_item == ("this", "these").index(rest[1])
            seen.update({"across": across, "objects": bool(verb.objects), determiner: 1})
    assert min(seen[name] for name in ("across", "objects", "the", "one", "two")) > 50


def test_the_frequencies_of_facts_are_zipfs():
    assert stories._zipf(3) == pytest.approx([6 / 11, 3 / 11, 2 / 11])


def test_facts_are_drawn_by_the_seed_and_words_are_not():
    one, other = stories.stories(300, 0), stories.stories(300, 1)
    assert set(one.grammar.words) == set(other.grammar.words)
    assert one.grammar.word.tolist() != other.grammar.word.tolist()
    assert one is stories.stories(300, 0)
