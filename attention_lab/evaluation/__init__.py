"""From decoded text, classes and attention weights to scores; no jax.

    bleu, bleu_counts, lengths    translations, of a corpus, by sentence, by length of the source
    phenomena                     senses, agreement and pronouns in translations of the grammar's sentences
    alignment                     attention weights against word alignments
    classes, separation           predicted classes; vectors of words by their sense
    distributions                 distances of distributions
"""
