"""A grammar that writes English-French sentence pairs with the truth attached to each."""

from attention_lab.data.grammar.generate import corpus, generate
from attention_lab.data.grammar.truth import Agreement, Antecedent, Sense, Sentence

__all__ = ["Agreement", "Antecedent", "Sense", "Sentence", "corpus", "generate"]
