"""The fields of a config, group by group: each with unit, range, meaning and default."""

import dataclasses
from typing import Any

from attention_lab.config.choices import facts, names


def field(default: Any, meaning: str, *, choices=None, low=None, high=None, above=None,
          recorded: bool = True, traced: bool = False) -> Any:
    """A config field.

    Args:
      meaning: for `--help`, with the unit. choices: the allowed strings, or None.
      low, high: inclusive bounds, or None. above: exclusive lower bound, or None.
      recorded: False for paths and logging, which do not change a run's name.
      traced: True for a field of Hyper, a number that may vary inside one program.
    """
    return dataclasses.field(default=default, metadata=dict(
        meaning=meaning, choices=choices, low=low, high=high, above=above, recorded=recorded, traced=traced))


@dataclasses.dataclass(frozen=True)
class Traced:
    """Stands for a field of Hyper in a static spec."""

    key: str


class Group:
    """Frozen fields of a config; one that holds Traced can't be read: its value is in Hyper."""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if isinstance(value, Traced):
            raise ValueError(f"{value.key} is traced, so a static spec does not have it: take it from Hyper")
        return value

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in vars(self).items())})"


group = dataclasses.dataclass(frozen=True, eq=False, repr=False)

RECURRENT = ("rnn", "lstm", "gru")  # kinds of model
ENCODERS = ("encoder", "linear_attention")  # kinds of model; the second has linear scores alone
WITHOUT_LAYERS = ("average", "bag_of_words")  # kinds of model that see each token alone
POOLED = ("additive", "dot")  # poolings by attention
# Statistics of a query's weights that need nothing else.
LOGGED = tuple(name for name, entry in facts("attention.readouts.READOUTS").items() if not entry)
LEARNED_POSITIONS = 512  # rows of the table of learned positions


@group
class Data(Group):
    """Where sentences come from and how they become integers."""

    source: str = field("grammar", "where examples come from", choices=names("data.sources.SOURCES"))
    directory: str = field("", "folder of the Multi30k files (multi30k), of a folder for each word "
                           "(coarsewsd), of a file for each class (sentiment_files), or of Linzen et al.'s "
                           "sentences (agreement; unset: the grammar's)", recorded=False)
    path: str = field("", "file of 'english TAB french' lines (tsv), of 'index TAB sentence TAB sense' lines "
                      "(senses_tsv), of text,label,exp_split (sentiment_csv), or any text (text; unset: "
                      "stories that the grammar writes)", recorded=False)
    text: str = field("tokenized", "form of the text: tokenized (lower-cased, and scored so) or raw, as "
                      "people write it, scored cased by sacreBLEU's 13a; picks the files of Multi30k; files "
                      "of classified text are read unchanged, a user's text is converted to this form",
                      choices=("tokenized", "raw"))
    split: str = field("test", "split scored at the end of a run, besides dev; with dev, test is never read",
                       choices=("dev", "test"))
    tokenizer: str = field("word", "unit of text: byte-pair subwords, whole words, or bytes",
                           choices=names("data.tokenizers.TOKENIZERS"))
    vocabulary_size: int = field(6000, "joint vocabulary, tokens, specials included", low=8)
    max_length: int = field(48, "longest training sentence, tokens with the end mark; longer ones are "
                            "counted and left out", low=2)
    buckets: tuple[int, ...] = field((), "padded lengths, rising, the last at most max_length; empty: the "
                                     "six that waste least")
    corpus_seed: int = field(0, "seed of generated examples (grammar, senses, recall, echo, marked, "
                             "repeated, stories), of the parts held out of a file, and of the shots", low=0)
    train_size: int = field(20000, "grammar, senses, recall, echo, marked and repeated: examples of train; "
                            "facts: those that tell none; stories, which never repeat: contexts of an "
                            "epoch", low=1)
    dev_size: int = field(500, "grammar, senses, recall, echo, marked, repeated and tsv: examples of dev; "
                          "facts: facts, and as many that tell none; stories: contexts; a text file: "
                          "lines before those of test", low=1)
    test_size: int = field(500, "grammar, senses, recall, echo, marked, repeated and tsv: examples of test; "
                           "facts: as in dev; stories: contexts; a text file: its last lines", low=1)
    dev_share: float = field(0.15, "coarsewsd, senses_tsv and sentiment_files: share of each class held out "
                             "for dev, and for test where the files have no test split", above=0.0, high=0.4)
    word: str = field("all", "coarsewsd: the ambiguous word, a folder's name, or all of them in one model")
    shots: int = field(0, "classified text: examples of each class to train on; 0: all", low=0)
    vectors: str = field("", "classified text: file of initial embeddings, as text of fastText or GloVe")
    least_distance: int = field(1, "senses: least distance of the deciding word, words", low=1, high=100)
    most_distance: int = field(40, "senses: greatest distance of the deciding word, words", low=1, high=100)
    distractors: tuple[int, ...] = field((0, 1), "senses: numbers of words that would decide for another "
                                         "sense at another position, each in equally many sentences")
    people: int = field(100, "facts: people of whom facts are told", low=4)
    context: int = field(128, "text, agreement and facts: tokens that are predicted one after another, each "
                         "from those before it in the context", low=2)
    pairs: int = field(16, "recall: pairs of a key and a value in a sequence; kfold: places with a value",
                       low=1, high=128)
    fold: int = field(1, "kfold: places that one query names at once, all of whose values it is to give",
                      low=1, high=16)
    queries: int = field(0, "recall: how many keys of a sequence are asked for; 0: all", low=0, high=128)
    keys: int = field(0, "recall: ids that are keys, the first after the specials; 0: half of the ids", low=0)
    values: int = field(0, "recall: ids that are values, the next after the keys; 0: half of the ids", low=0)
    distance: int = field(20, "echo and marked: how many positions ago the answer was read", low=1, high=480)
    answers: int = field(16, "echo: positions of a sequence that have an answer", low=1, high=480)
    length: int = field(128, "marked: tokens of a sequence, more than distance; repeated: at least 7", low=2,
                        high=LEARNED_POSITIONS)
    lexicon_size: int = field(1000, "grammar, senses, stories: English and French word types, about", low=100)
    min_words: int = field(3, "grammar: shortest English sentence, words", low=3)
    max_words: int = field(20, "grammar and senses: longest English sentence, words", low=3, high=120)
    ambiguous_share: float = field(0.3, "grammar: share of training sentences with an ambiguous noun, of "
                                   "those long enough; dev and test have 0.3", low=0.0, high=1.0)


@group
class Model(Group):
    """The sizes of the network around attention."""

    kind: str = field("transformer", "architecture: transformer translates; encoder answers token by token, "
                      "predicts the next or classifies, and so does linear_attention, the encoder with "
                      "attention.compatibility=linear; rnn, lstm and gru do any of it; average, which sees "
                      "each token alone, and bag_of_words classify", choices=names("models.MODELS"))
    pooling: str = field("place", "classifiers: from a sentence's states to one vector: that of the target "
                         "word (place), their mean, or their mean under additive or dot attention by a "
                         "learned query", choices=names("models.pooling.POOLINGS"))
    width: int = field(128, "size of a token's vector, units", low=1)
    num_layers: int = field(2, "layers in the encoder and again in the decoder; average and bag_of_words "
                            "have none", low=1)
    num_heads: int = field(4, "attention heads in each layer", low=1)
    key_size: int | None = field(None, "size of a head's query and key; unset: width / num_heads", low=1)
    value_size: int | None = field(None, "size of a head's value; unset: width / num_heads", low=1)
    hidden: int = field(256, "hidden size of the feed-forward nets (0: layers without them), or size of a "
                        "recurrent state or of average's, units", low=0)
    norm: str = field("pre", "layer norm before each block (pre), after each sum (post), or nowhere (none)",
                      choices=names("models.layers.NORMS"))
    residual: bool = field(True, "layers: the input of each block is added to its output")
    positions: str = field("sinusoidal", "how a token's position enters",
                           choices=names("models.positions.POSITIONS"))
    activation: str = field("relu", "non-linearity of the feed-forward layers",
                            choices=names("models.layers.ACTIVATIONS"))
    embedding_scale: float = field(1.0, "factor on the initial embeddings, vectors of data.vectors as well; "
                                   "at 1 their units enter the network with standard deviation 1", above=0.0)
    tie_embeddings: bool = field(True, "one matrix for source, target and output embeddings")
    causal: bool = field(False, "encoder: a token sees only itself and the tokens before it")
    shift: bool = field(False, "recall and echo: the vector of the token before is added to each token's, "
                        "through a matrix, so that one layer can match a pair by its key")
    bidirectional: bool = field(False, "recurrent: the source is read both ways, by half of hidden each")
    reverse_source: bool = field(False, "recurrent: the source is read from its end to its beginning")
    input_feeding: bool = field(False, "recurrent: the query is the new state, not the last one (Bahdanau et "
                                "al. 2015), and the output goes into the next step (Luong et al. 2015)")
    forget_bias: float = field(1.0, "lstm: initial bias of the forget gate")


@group
class Attention(Group):
    """How a query meets a key."""

    compatibility: str = field("dot", "score of a query and a key; linear: that of linear attention; none: a "
                               "network without it, whose pooling may attend",
                               choices=names("attention.scores.SCORES") + ("none",))
    scale: str | float | None = field(
        None, "factor on the scores: inverse_sqrt (1/sqrt(key_size)), inverse (1/key_size) or a number; "
        "unset: inverse_sqrt for dot and general, 1 for additive, linear, and cosine, whose gain is learned",
        choices=("inverse_sqrt", "inverse"), traced=True)
    small_query: bool = field(False, "divides the initial query projection by sqrt(key_size), which does at "
                              "the start the effect that the scale has throughout (Raffel et al. 2020)")
    query_gain: float = field(1.0, "factor on the initial query projection: it sets how large logits are at "
                              "the start, whatever the scale", above=0.0)
    weights: str = field("learned", "classifiers: weights of a pooling by attention: learned; uniform over "
                         "the sentence; frozen, those of the run that guide names; adversarial, learned to "
                         "give the guide's predictions by other weights",
                         choices=names("models.pooling.WEIGHTS"))
    guide: str = field("", "weights=frozen and adversarial: folder of the finished run that guides")
    divergence: float = field(0.001, "weights=adversarial: variation of the predictions traded for a nat of "
                              "divergence from the guide's weights (Wiegreffe & Pinter 2019)", low=0.0)
    window: int | None = field(None, "self-attention of an encoder, a translator's as well: how many places "
                               "to either side a token sees; 0: itself alone; unset: all", low=0)
    dropout: float = field(0.0, "share of the weights of self- and cross-attention dropped", low=0.0,
                           high=0.95)
    readouts: str = field("", "statistics of the weights that the log gets at each step, mean over queries, "
                          "heads and layers, separated by commas: " + ", ".join(LOGGED))
    implementation: str = field("reference", "reference forms all weights, blockwise those of a block of "
                                "queries; of dot alone: xla (jax.nn.dot_product_attention), cudnn (GPUs, "
                                "bfloat16), splash (TPUs), tokamax (GPUs, by that library); auto takes the "
                                "device's own where that can compute it, else blockwise for many queries and "
                                "keys, else reference",
                                choices=names("attention.implementations.IMPLEMENTATIONS") + ("auto",))


@group
class Optimizer(Group):
    """Adam with decoupled weight decay, and its schedule."""

    learning_rate: float = field(1e-3, "peak learning rate", low=0.0, traced=True)
    query_key_rate: float = field(1.0, "factor on the rate of the projections to queries and keys, whose "
                                  "step moves logits in proportion to key_size (Yang et al. 2022)", low=0.0)
    warmup_steps: int = field(400, "steps of linear warm-up", low=0)
    schedule: str = field("inverse_sqrt", "shape after the warm-up",
                          choices=names("training.optimizer.SCHEDULES"))
    weight_decay: float = field(0.0, "decoupled weight decay, per unit of learning rate",
                                low=0.0, traced=True)
    clip_norm: float = field(1.0, "largest global gradient norm; 0 does not clip", low=0.0)
    beta1: float = field(0.9, "decay of Adam's first moment", low=0.0, high=0.99999)
    beta2: float = field(0.98, "decay of Adam's second moment", low=0.0, high=0.99999)
    epsilon: float = field(1e-9, "Adam's denominator floor", above=0.0)


@group
class Training(Group):
    """Duration, batches, precision, and when the host logs, scores and saves."""

    steps: int | None = field(1000, "duration in optimizer steps", low=1)
    epochs: float | None = field(None, "duration in passes over the training data", above=0.0)
    max_minutes: float | None = field(None, "duration in minutes; such a run can't be reproduced", above=0.0)
    batch_tokens: int = field(4096, "padded target tokens a step", low=1)
    accumulate: int = field(1, "parts that a batch is cut into, one after another, to save memory", low=1)
    dropout: float = field(0.1, "share of units dropped", low=0.0, high=0.95, traced=True)
    word_dropout: float = field(0.0, "classifiers: share of the words of a sentence, but for its target, "
                                "that are read as the unknown word in training", low=0.0, high=0.95)
    balance: float = field(0.0, "classifiers: exponent of class weights: 0 weighs examples alike, 1 the "
                           "classes of a word alike", low=0.0, high=1.0)
    label_smoothing: float = field(0.1, "probability mass spread over the vocabulary, or over the classes",
                                   low=0.0, high=0.95, traced=True)
    entropy_weight: float = field(0.0, "what a nat of the attention's entropy adds to the loss, mean over "
                                  "queries, heads and layers; below 0 it rewards flat weights", traced=True)
    precision: str = field("float32", "type of the factors in products with parameters; sums and all else "
                           "are float32", choices=names("models.products.PRECISIONS"))
    average_decay: float = field(0.0, "decay of the moving average of parameters that is scored; 0 scores "
                                 "the last parameters", low=0.0, high=0.99999)
    devices: int = field(0, "devices that share each batch; 0: all that are visible", low=0)
    eval_every: int = field(500, "steps between evaluations on dev", low=1)
    patience: int = field(0, "evaluations on dev without a better score before stopping; 0 never stops",
                          low=0)
    checkpoint_every: int = field(500, "steps between checkpoints", low=1)
    keep_checkpoints: int = field(2, "newest checkpoints kept, besides the best", low=1, recorded=False)
    keep_views: int = field(0, "times at which parameters are kept for view.html, to show how attention came "
                            "about: at half of the duration, a quarter, an eighth ...", low=0, high=16,
                            recorded=False)
    log_every: int = field(50, "steps between lines of metrics.jsonl", low=1, recorded=False)


@group
class Decoding(Group):
    """Search for translations when a run is scored."""

    beam: int = field(5, "hypotheses kept; 1 is greedy", low=1, high=64)
    length_penalty: float = field(1.0, "exponent a of the score log p / length^a", low=0.0)
    max_length: int = field(64, "longest translation, tokens", low=1)


@group
class Config(Group):
    """One experiment, whole."""

    seed: int = field(0, "seed of the initial parameters, the order of examples and dropout", low=0,
                      high=2**31 - 1, traced=True)
    data: Data = dataclasses.field(default_factory=Data)
    model: Model = dataclasses.field(default_factory=Model)
    attention: Attention = dataclasses.field(default_factory=Attention)
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    training: Training = dataclasses.field(default_factory=Training)
    decoding: Decoding = dataclasses.field(default_factory=Decoding)
