"""From decoded text and attention weights to numbers, each with the count it stands on; no jax.

    from attention_lab import evaluation
    score, signature = evaluation.corpus_bleu(hypotheses, references, text="tokenized")
    evaluation.alignment_error_rate(predicted, sure, possible).error_rate
    evaluation.accuracies(hypotheses, sentences)["agreement"].score
"""

from attention_lab.evaluation.alignment import (
    AlignmentScore,
    alignment_error_rate,
    hard_links,
    merge_subwords,
)
from attention_lab.evaluation.bleu import Score, corpus_bleu, corpus_chrf
from attention_lab.evaluation.phenomena import (
    Accuracy,
    accuracies,
    agreement_accuracy,
    pronoun_accuracy,
    sense_accuracy,
)

__all__ = ["Accuracy", "AlignmentScore", "Score", "accuracies", "agreement_accuracy",
           "alignment_error_rate", "corpus_bleu", "corpus_chrf", "hard_links", "merge_subwords",
           "pronoun_accuracy", "sense_accuracy"]
