"""The grammar's English sentences, each with a verb in the right and the wrong number."""

from attention_lab.data import grammar
from attention_lab.data.grammar.lexicon import lexicon
from attention_lab.data.verbs import Verbs

AUXILIARIES = {"is": "are", "was": "were", "has": "have", "does": "do"}


def read(train_size: int, dev_size: int, test_size: int, seed: int, lexicon_size: int = 1000,
         min_words: int = 3, max_words: int = 20) -> dict[str, Verbs]:
    """Draws {"train", "dev", "test"} of different sentences in which a verb shows its number.

    Of several verbs the one with the most attractors is asked for, the first of equals. Sentences without
    such a verb, as of the future, are drawn and left out: "verbs_without_number" counts them. Errors as of
    `grammar.corpus`.
    """
    parts = grammar.corpus(train_size, dev_size, test_size, seed=seed, lexicon_size=lexicon_size,
                           min_words=min_words, max_words=max_words)
    other = AUXILIARIES | {third: base for base, third in (
        verb.english for verb in lexicon(lexicon_size).verbs)}
    other |= {base: third for third, base in other.items()}
    return {split: _verbs(sentences, other) for split, sentences in parts.items()}


def _verbs(sentences, other):
    rows = []
    for sentence in sentences:
        marked = [link for link in sentence.agreement if link.marked]
        if marked:
            verb = max(marked, key=lambda link: link.attractors)
            right = sentence.english[verb.english_verb]
            rows.append((sentence.source, verb.english_verb, right, other[right], verb.attractors))
    counts = {"verbs_without_number": len(sentences) - len(rows), "sentences": len(rows)}
    return Verbs(*map(list, zip(*rows)), counts=counts) if rows else Verbs([], [], [], [], [], counts)
