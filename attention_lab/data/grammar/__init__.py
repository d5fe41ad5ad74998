"""A grammar that writes annotated English-French sentence pairs.

    sentences = generate(20000, seed=0, lexicon_size=1000, min_words=3, max_words=20)
    splits = corpus(20000, 500, 500, seed=0)         # {"train": [...], "dev": [...], "test": [...]}

Every English sentence has exactly one French translation here, by these rules:

* A word has one translation, except the ambiguous nouns (ambiguous.py), whose sense one word
  decides by its relation to the noun (senses.py). Occupations are masculine.
* A relative clause or prepositional phrase modifies the noun right before it.
* `it` and `they` refer to a noun of the previous clause: `it` to its singular noun that is no
  person, `they` to its plural noun, of which there is always exactly one. `he` and `she` refer to
  persons, in or outside the sentence, and are always il and elle.
* An adverb of frequency (often, never) modifies the verb after it, any other the verb before.
* Tense: `sees` is the present, `will see` the futur simple, `used to see` and `was` the imparfait.
* The direct object of a negated verb has de for un, une, des: does not see a dog, ne voit pas de
  chien; des is de before an adjective: some small dogs, de petits chiens.

Links: an auxiliary (`does`, `will`, `used`, `to`) is linked to the French verb, `not` to ne and
pas, `never` to ne and jamais, a contracted word (du, aux) to the English preposition and its
article; each word of a preposition or conjunction to all words of its translation. A sentence's
length in words counts English tokens without the final full stop.

The entries are in nouns.py, rare_nouns.py, adjectives.py, verbs.py, function_words.py and
ambiguous.py; morphology.py inflects them, lexicon.py selects a lexicon of a given size.
draft.py, phrases.py, verb_phrases.py, clauses.py and senses.py write sentences, generate.py whole
corpora; truth.py has the annotations.
"""

from attention_lab.data.grammar.generate import corpus, generate
from attention_lab.data.grammar.truth import Agreement, Antecedent, Sense, Sentence

__all__ = ["Agreement", "Antecedent", "Sense", "Sentence", "corpus", "generate"]
