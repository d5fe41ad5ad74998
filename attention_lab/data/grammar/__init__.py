"""A grammar that writes English-French sentence pairs with the truth attached to each.

    sentences = generate(20000, seed=0, lexicon_size=1000, min_words=3, max_words=20)
    splits = corpus(20000, 500, 500, seed=0)         # {"train": [...], "dev": [...], "test": [...]}

Every English sentence has exactly one French translation here, by these rules:

* A word has one translation, but for the ambiguous nouns (ambiguous.py), whose sense one word
  tells by the relation in which it stands to the noun (senses.py). Occupations are masculine.
* A relative clause or prepositional phrase belongs to the noun right before it.
* `it` and `they` stand for a noun of the clause just before theirs: `it` for the one singular noun
  there that is no person, `they` for the one plural noun. There is always exactly one. `he` and
  `she` stand for persons, in or outside the sentence, and are il and elle whoever is meant.
* An adverb of frequency (often, never) belongs to the verb after it, any other to the verb before.
* Tense: `sees` is the present, `will see` the futur simple, `used to see` and `was` the imparfait.
* The direct object of a negated verb has de for un, une, des: does not see a dog, ne voit pas de
  chien; des is de before an adjective: some small dogs, de petits chiens.

Links: an auxiliary (`does`, `will`, `used`, `to`) goes with the French verb, `not` with ne and
pas, `never` with ne and jamais, a contracted word (du, aux) with the English preposition and its
article; the words of a preposition or conjunction are all linked to all of its translation. A
sentence's length in words counts English tokens without the final full stop.

The lexicon is in nouns.py, rare_nouns.py, adjectives.py, verbs.py, function_words.py and
ambiguous.py; morphology.py makes its forms, lexicon.py takes as much of it as is asked for.
draft.py, phrases.py, verb_phrases.py, clauses.py and senses.py write sentences, generate.py whole
corpora; truth.py has the records.
"""

from attention_lab.data.grammar.generate import corpus, generate
from attention_lab.data.grammar.truth import Agreement, Antecedent, Sense, Sentence

__all__ = ["Agreement", "Antecedent", "Sense", "Sentence", "corpus", "generate"]
