"""Text to ids and back: byte-pair subwords (Sennrich et al. 2016), whole words, or bytes.

All kinds are `tokenizers.Tokenizer` of Hugging Face, saved as its JSON, with one vocabulary for source and
target. A subword that begins a word begins with U+2581, as in SentencePiece; a byte is a letter of GPT-2's
alphabet (Radford et al. 2019), and the space that begins a word is U+0120.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import tokenizers as huggingface
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, trainers

from attention_lab.config.choices import look_up
from attention_lab.data import lines, vocabulary
from attention_lab.storage.files import write_text

MARK = lines.MARK
UNKNOWN = vocabulary.SPECIALS[vocabulary.UNKNOWN]
# In raw text a full stop is attached to its word and an article to its noun ("l'herbe"): splitting them first
# lets all sentences share the word. Tokenised text is split already, and `&apos;` must stay whole.
MARKS = f"{MARK}?(?:[.,!?:\"()«»“”…]+(?![\\p{{L}}\\p{{N}}])|(?<![\\p{{L}}\\p{{N}}])[\"(«“]+)"
BYTES = tuple(sorted(pre_tokenizers.ByteLevel.alphabet()))
ELISION = f"{MARK}?\\p{{L}}+['’](?=\\p{{L}}{{2}})"


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """How text is cut into tokens, an entry of TOKENIZERS.

    Fields:
      model: class of the Hugging Face model, by which a stored tokenizer is recognised.
      untrained: () -> (untrained Hugging Face tokenizer, its trainer).
      whole_words: whether each word is one token. Otherwise it is one subword or several, of which the first
        begins with `mark`.
      mark: the space before a word, as it is written in tokens.
    """

    model: type
    untrained: Callable[[], tuple[huggingface.Tokenizer, Any]]
    whole_words: bool
    mark: str = MARK

    @property
    def of_bytes(self) -> bool:
        """Whether tokens are bytes, which know every text."""
        return self.mark != MARK

    @property
    def unit(self) -> str:
        """What text is made of before training, for messages; `units` gives those of a text."""
        return "words" if self.whole_words else "characters"

    def units(self, words: Sequence[str]) -> Iterable[str]:
        """The words, or their characters; none of bytes, all of which are known."""
        return words if self.whole_words else "" if self.of_bytes else "".join(words)

    def begins_word(self, token: str) -> bool:
        """Whether a token is the first of its word."""
        return self.whole_words or token.startswith(self.mark)

    def join(self, tokens: Iterable[str]) -> str:
        """The text of tokens."""
        text = (" " if self.whole_words else "").join(tokens)
        return lines.one_space(decoders.ByteLevel().decode([text]) if self.of_bytes else text)

    def least_entries(self, characters: set[str]) -> int:
        """Least number of entries, special ones apart, for text of these characters."""
        return 1 if self.whole_words else len(BYTES) if self.of_bytes else len(characters | {MARK})


class Tokenizer:
    """A vocabulary with the rule that splits text into its entries.

    Fields:
      kind: the key of its segmentation in TOKENIZERS.
    """

    def __init__(self, inner: huggingface.Tokenizer):
        """Wraps a trained Hugging Face tokenizer whose first ids are `vocabulary.SPECIALS`."""
        for index, token in enumerate(vocabulary.SPECIALS):
            if inner.token_to_id(token) != index:
                raise ValueError(f"id {index} is {inner.id_to_token(index)!r}, not {token}")
        inner.encode_special_tokens = True
        self._inner = inner
        self._tokens = [inner.id_to_token(i) or "" for i in range(inner.get_vocab_size())]
        of_bytes = isinstance(inner.pre_tokenizer, pre_tokenizers.ByteLevel)
        self.kind, = (kind for kind, entry in TOKENIZERS.items()
                      if isinstance(inner.model, entry.model) and entry.of_bytes == of_bytes)

    @property
    def segmentation(self) -> Segmentation:
        """How text is cut into tokens."""
        return TOKENIZERS[self.kind]

    @property
    def size(self) -> int:
        """Number N of ids, the four special ones included."""
        return len(self._tokens)

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """Ids of each sentence, without BOS and EOS; UNKNOWN for what training never saw."""
        sentences = [lines.one_space(sentence) for sentence in sentences]
        rows = [encoding.ids for encoding in
                self._inner.encode_batch_fast(sentences, add_special_tokens=False)]
        # "</s>" in a text is text, and no end mark.
        special = range(len(vocabulary.SPECIALS))
        return [[vocabulary.UNKNOWN if index in special else index for index in row]
                if "<" in sentence else row for sentence, row in zip(sentences, rows)]

    def decode(self, ids: Iterable[Iterable[int]]) -> list[str]:
        """Text of each row of ids, up to its first EOS; special ids are skipped.

        `decode(encode(text))` is the text, with single spaces, if nothing in it is UNKNOWN.
        """
        rows = (takewhile(lambda index: index != vocabulary.EOS, row) for row in ids)
        return [self.segmentation.join(self.tokens(
            index for index in row if index >= len(vocabulary.SPECIALS))) for row in rows]

    def tokens(self, row: Iterable[int]) -> list[str]:
        """The entry of the vocabulary of each id."""
        return [self._tokens[index] for index in row]

    def unseen(self, sentences: Iterable[str]) -> Counter:
        """How often each unit, a character or a word, occurs that the vocabulary lacks."""
        counts = Counter()
        for sentence in sentences:
            counts.update(self.segmentation.units(lines.one_space(sentence).split(" ")))
        entries = set(self._tokens[len(vocabulary.SPECIALS):])
        return Counter({part: n for part, n in counts.items() if part and part not in entries})

    def save(self, path: str | os.PathLike) -> None:
        """Writes the JSON of Hugging Face `tokenizers`; the same training text gives the same bytes."""
        write_text(path, self._inner.to_str(pretty=True) + "\n")


def _without_specials(sentence: str) -> str:
    """A sentence without words that contain a special id's name."""
    if not any(token in sentence for token in vocabulary.SPECIALS):
        return sentence
    return " ".join(word for word in sentence.split(" ")
                    if not any(token in word for token in vocabulary.SPECIALS))


def train(kind: str, sentences: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """A tokenizer of at most `vocabulary_size` ids for source and target together.

    Args:
      kind: "bpe", "word" (the most frequent words; the rest is UNKNOWN) or "byte", which learns nothing.
      sentences: training text, tokenised or raw.
      vocabulary_size: the four special ids included; bpe needs all characters of the text.
    Raises:
      ValueError: another kind, text without a word, or a vocabulary that is too small.
    """
    segmentation = look_up(TOKENIZERS, "data.tokenizer", kind)
    specials = [AddedToken(token, special=True) for token in vocabulary.SPECIALS]
    sentences = [_without_specials(lines.one_space(sentence)) for sentence in sentences]
    characters = set().union(*sentences) - {" "}
    if not characters:
        raise ValueError("data.tokenizer: there is no text to train it on")
    smallest = len(specials) + segmentation.least_entries(characters)
    if vocabulary_size < smallest:
        raise ValueError(f"data.vocabulary_size: {vocabulary_size} is too small for this text; its "
                         f"characters and the special ids need {smallest}")
    inner, trainer = segmentation.untrained()
    trainer = trainer(vocab_size=vocabulary_size, special_tokens=specials, show_progress=False)
    inner.train_from_iterator(sentences, trainer, length=len(sentences))
    return Tokenizer(inner)


def _bpe():
    inner = huggingface.Tokenizer(models.BPE(unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always"),
        pre_tokenizers.Split(Regex(MARKS), "isolated"),
        pre_tokenizers.Split(Regex(ELISION), "isolated")])
    inner.decoder = decoders.Metaspace(replacement=MARK, prepend_scheme="always")
    return inner, partial(trainers.BpeTrainer, min_frequency=2)


def _word():
    inner = huggingface.Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(" ")
    return inner, trainers.WordLevelTrainer


def _byte():
    inner = huggingface.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    inner.decoder = decoders.ByteLevel()

    def trainer(vocab_size, **more):  # as many entries as there are bytes, so that none are joined
        size = len(vocabulary.SPECIALS) + len(BYTES)
        return trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(BYTES), **more)

    return inner, trainer


TOKENIZERS = {  # the choices of data.tokenizer
    "bpe": Segmentation(model=models.BPE, untrained=_bpe, whole_words=False),
    "word": Segmentation(model=models.WordLevel, untrained=_word, whole_words=True),
    "byte": Segmentation(model=models.BPE, untrained=_byte, whole_words=False, mark="\u0120"),
}


def load(path: str | os.PathLike) -> Tokenizer:
    """The tokenizer that `save` wrote; ValueError where the file can't be read as one."""
    text = lines.read_bytes(path)
    try:
        return Tokenizer(huggingface.Tokenizer.from_buffer(text))
    except Exception as error:  # the library raises bare Exception for every kind of bad JSON
        raise ValueError(f"{path}: not a tokenizer of attention_lab: {error}") from error
