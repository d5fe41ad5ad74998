"""Facts about invented people, told in several ways, among sentences of the grammar that tell none."""

import dataclasses

import numpy as np

from attention_lab.data.minimal_pairs import MinimalPairs
from attention_lab.data.synthetic import agreement

FIRST = ("ada alan anna bela carl cora dora earl edna emil enid eric fred greta hans hugo ida ivan jane joan "
         "karl lena leon lucy mary nils nora olaf otto paul rosa ruth").split()
LAST = ("adler berg blum brandt cole cruz dahl doyle dunn falk frey gray haas hahn hale horn katz kern klein "
        "lang lind marsh moser novak pope rossi ruiz stern vogel wolf young zorn").split()
MOST = len(FIRST) * len(LAST)  # people

# What is told of a person: the values, and ways to tell them, in which the value follows.
RELATIONS = {
    "city": (("{} lives in", "the home of {} is in", "whoever looks for {} has to go to",
              "letters to {} are sent to", "the house of {} stands in"),
             "paris rome london berlin madrid vienna lisbon dublin prague athens oslo warsaw".split()),
    "work": (("{} works as a", "the work of {} is that of a", "in the day {} is a", "{} earns money as a",
              "the town knows {} as a"),
             "baker doctor painter teacher farmer lawyer sailor tailor writer dancer plumber judge".split()),
    "language": (("{} speaks", "the language of {} is", "with friends {} likes to talk", "{} reads books in",
                  "the diary of {} is in"),
                 "french latin dutch greek danish polish czech irish welsh basque spanish german".split()),
    "music": (("{} plays the", "the music of {} is that of a", "in the evening {} takes out the",
               "{} was given a", "the friends of {} hear a"),
              "violin piano harp flute drum guitar trumpet cello banjo lute bassoon fiddle".split()),
}
VERB = "verb"  # kind of a sentence of the grammar


@dataclasses.dataclass(frozen=True)
class Facts(MinimalPairs):
    """Sentences with a fact, whose word is wrong where it is told of another, and with a verb.

    Fields beside those of MinimalPairs, whose word is the value of the fact, or the verb:
      kind: the key of RELATIONS, or VERB.
      name: index of the last word of the person's name; -1 in a sentence with a verb.
      counts: {name: number} of irregularities, and "sentences".
    """

    EXAMPLES = "sentences_with_their_word"
    kind: list[str]
    name: list[int]
    counts: dict[str, int] = dataclasses.field(default_factory=dict)


def read(train_size: int, dev_size: int, test_size: int, seed: int, people: int, lexicon_size: int = 1000,
         min_words: int = 3, max_words: int = 20) -> dict[str, Facts]:
    """Draws {"train", "dev", "test"}; each person has one value of each relation, all equally likely.

    Every fact of dev and test is in train, told in all other ways; train has all other sentences with a fact.

    Args:
      train_size, dev_size, test_size: sentences of the grammar, drawn as by `agreement.read`; dev and test
        have as many facts.
    Raises:
      ValueError: more people than names, or more facts to hold out than there are; and as `agreement.read`.
    """
    if people > MOST:
        raise ValueError(f"people={people}: there are names for {MOST}; at most that is allowed")
    if dev_size + test_size > people * len(RELATIONS):
        raise ValueError(f"dev_size={dev_size} and test_size={test_size} hold out a way to tell as many "
                         f"facts: people={people} allows {people * len(RELATIONS)} together")
    verbs = agreement.read(train_size, dev_size, test_size, seed, lexicon_size, min_words, max_words)
    facts = _facts(people, dev_size, test_size, seed)
    return {split: _joined(facts[split], part) for split, part in verbs.items()}


def _facts(people, dev_size, test_size, seed):
    """{split: [(text, position, right, wrong, kind, name)]}."""
    bits = np.random.PCG64([seed, len(RELATIONS)])  # raw words: the same from every numpy

    def drawn(*shape, below):
        return (bits.random_raw(int(np.prod(shape))) % np.uint64(below)).astype(int).reshape(shape)

    names = np.argsort(bits.random_raw(MOST))[:people]
    values = {kind: len(of_kind) for kind, (_, of_kind) in RELATIONS.items()}
    right = {kind: drawn(people, below=count) for kind, count in values.items()}
    parts = {"train": [], "dev": [], "test": []}
    order = np.argsort(bits.random_raw(people * len(RELATIONS))).reshape(people, -1)
    for person, name in enumerate(names):
        full_name = f"{FIRST[name % len(FIRST)]} {LAST[name // len(FIRST)]}"
        for relation, (kind, (ways, of_kind)) in enumerate(RELATIONS.items()):
            rank, held_out = order[person, relation], int(drawn(1, below=len(ways))[0])
            split = "test" if rank < test_size else "dev" if rank < test_size + dev_size else "train"
            value = right[kind][person]
            other = (value + 1 + drawn(1, below=len(of_kind) - 1)[0]) % len(of_kind)
            for number, way in enumerate(ways):
                before = way.format(full_name).split()
                row = (" ".join([*before, of_kind[value], "."]), len(before), of_kind[value], of_kind[other],
                       kind, before.index(full_name.split()[1]))
                parts[split if number == held_out else "train"].append(row)
    return {split: parts[split] for split in ("train", "dev", "test")}


def _joined(facts, verbs):
    rows = [*facts, *((*row, VERB, -1) for row in zip(verbs.text, verbs.position, verbs.right, verbs.wrong))]
    counts = {**verbs.counts, "sentences": len(rows)}
    return Facts(*map(list, zip(*rows)), counts=counts) if rows else Facts([], [], [], [], [], [], counts)
