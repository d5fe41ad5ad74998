"""What is odd in a corpus that is used all the same, told to the user."""

from collections.abc import Mapping, Sequence

from attention_lab.data.tokenizers import Tokenizer


def anomalies(corpus: Mapping[str, tuple[Mapping[str, int], Sequence[str]]], unit: str, tokenizer: Tokenizer,
              too_long: int = 0, longest: int = 0) -> list[str]:
    """One line for each split with rows that its reader counted as odd, for unseen words, for long examples.

    Args:
      corpus: {split: (its counts by name, the texts that a model reads)}.
      unit: what examples are called, "pairs" or "sentences"; the count of that name is not odd.
      too_long: examples of train beyond `longest` tokens.
    """
    lines = []
    for split, (counts, texts) in corpus.items():
        odd = {name.replace("_", " "): count for name, count in counts.items() if count and name != unit}
        if odd:
            lines.append(f"{split}: " + ", ".join(f"{count} {name}" for name, count in odd.items()))
        unseen = tokenizer.unseen(texts) if split != "train" else None
        if unseen:
            some = " ".join(part for part, _ in unseen.most_common(5))
            pieces = "characters" if tokenizer.kind == "bpe" else "words"
            lines.append(f"{split}: {sum(unseen.values())} {pieces} never seen in training ({some})")
    if too_long:
        lines.append(f"train: {too_long} {unit} are longer than {longest} tokens and left out")
    return lines
