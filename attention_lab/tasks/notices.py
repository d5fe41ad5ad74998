"""What a user is told of a corpus that is odd and is trained on all the same."""

from collections.abc import Mapping, Sequence

from attention_lab.data.tokenizers import Tokenizer


def notices(corpus: Mapping[str, tuple[Mapping[str, int], Sequence[str]]], unit: str, tokenizer: Tokenizer,
            too_long: int = 0, longest: int = 0) -> list[str]:
    """One line for each oddity of the data that was counted and gone on with.

    Args:
      corpus: {split: (its counts by name, the texts that a model reads)}.
      unit: what examples are called, "pairs" or "sentences"; the count of that name is no oddity.
      too_long: examples of train beyond `longest` tokens.
    """
    said = []
    for split, (counts, texts) in corpus.items():
        odd = {name.replace("_", " "): count for name, count in counts.items() if count and name != unit}
        if odd:
            said.append(f"{split}: " + ", ".join(f"{count} {name}" for name, count in odd.items()))
        unseen = tokenizer.unseen(texts) if split != "train" else None
        if unseen:
            some = " ".join(part for part, _ in unseen.most_common(5))
            pieces = "characters" if tokenizer.kind == "bpe" else "words"
            said.append(f"{split}: {sum(unseen.values())} {pieces} never seen in training ({some})")
    if too_long:
        said.append(f"train: {too_long} {unit} are longer than {longest} tokens and left out")
    return said
