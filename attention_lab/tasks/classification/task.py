"""Classification as a Task: the sense of a word in its sentence, or the class of the sentence."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from attention_lab.config import Config, Model
from attention_lab.data import content, labelled, sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.labelled import Labelled
from attention_lab.data.readers import indexed, vectors
from attention_lab.data.synthetic import senses
from attention_lab.data.tokenizers import Tokenizer
from attention_lab.data.vocabulary import SPECIALS
from attention_lab.evaluation.classes import by_distance, class_scores, most_frequent
from attention_lab.tasks import text
from attention_lab.tasks.classification import guidance, pictures
from attention_lab.tasks.classification.classifier import Classifier, load_names, with_columns
from attention_lab.tasks.classification.losses import make_loss
from attention_lab.training.task import Scores, Task

DISTANCES = (*senses.BINS, (senses.BINS[-1][1] + 1, 100))  # bins of words, up to the bound of most_distance


def build(config: Config, folder: str | Path | None = None) -> Task:
    """The task of a config; see `prepare`."""
    return prepare(config, folder)[1]


def prepare(config: Config, folder: str | Path | None = None) -> tuple[Classifier, Task]:
    """Reads the data, makes or loads the tokenizer, and wires model, loss and scores.

    Args:
      config: checked already.
      folder: a run; if it has checkpoints, its tokenizer and classes are loaded rather than made again.
    Raises:
      ValueError: data, vectors or a guide that can't be used, or nothing that fits into the buckets.
    """
    data, guide, files = config.data, guidance.find(config), content.files(config)
    whole = sources.load(data)
    corpus = {name: whole[name] for name in dict.fromkeys(("train", "dev", data.split))}
    classifier, examples, positions = _classifier(config, whole, folder)
    model = classifier.model
    if guide:
        guidance.check(guide, config, classifier.classes)
    facts, long = text.corpus_facts(corpus), []
    for name in dict.fromkeys(("dev", data.split)):
        corpus[name], line = text.without_too_long(classifier, corpus[name], corpus[name].text, "sentences")
        long += [f"{name}: {line}"] if line else []
    weight = class_weights(corpus["train"], config.training.balance)
    columns = classifier.columns(corpus["train"]) | {"position": positions, "weight": weight}
    adversarial = config.attention.weights == "adversarial"
    majority = most_frequent(corpus["train"].word, corpus["train"].label)
    table, init_facts = _vectors(data.vectors, classifier.tokenizer, config.model)
    notices = anomalies({name: (part.counts, part.text) for name, part in corpus.items()}, "sentences",
                        classifier.tokenizer, examples.too_long, max(examples.buckets)
                        ) + long + labelled.alike(classifier.classes)
    if data.vectors:
        notices.append(f"{init_facts['vectors_known']} of {classifier.tokenizer.size - len(SPECIALS)} words "
                       f"have a vector in {data.vectors}")

    @cache
    def guided(name):
        """The guide's weights and answers for a split, computed when first needed: a dry run needs none."""
        return guidance.answers(guide, corpus[name], classifier.classes) if guide else {}

    def init(key):
        params = model.init(key)
        if table is None:
            return params
        known = jnp.asarray(table[0])
        return {**params, "embedding": jnp.where(known[:, None], jnp.asarray(table[1]), params["embedding"])}

    def dev_batches():
        dev = corpus["dev"]
        columns = classifier.columns(dev)
        weight = class_weights(dev, config.training.balance) * (columns["target"] >= 0)
        return classifier.in_order(dev, {"weight": weight} | guided("dev"))

    def score(params, hyper, name, final):
        return scores(classifier, params, corpus[name], name, majority, hyper, final, guided(name))

    return classifier, Task(
        init=init,
        loss=make_loss(config, model),
        batches=lambda seed, first: (
            with_columns(batch, columns | guided("train")) for batch in examples.batches(seed, first)),
        rows=examples.rows,
        steps_per_epoch=examples.steps_per_epoch,
        dev_batches=dev_batches,
        score=score,
        select=("dev_objective", -1.0) if adversarial else ("dev_macro_f1", 1.0),
        save=classifier.save,
        illustrate=lambda params, hyper, folder: pictures.write(
            classifier, params, hyper, corpus["dev"], folder, guided("dev")),
        tokens=lambda batch: int((batch["source"] != 0).sum()),
        facts={"vocabulary": classifier.tokenizer.size, "words": len(classifier.classes),
               "classes": sum(map(len, classifier.classes.values())), "files": files, **init_facts,
               **examples.facts, **facts},
        notices=notices)


def _classifier(config, corpus, folder):
    """The classifier, the training examples in buckets, and the position of each one's target word."""
    data, train = config.data, corpus["train"]
    tokenizer = text.tokenizer_of(config, folder, train.text)
    if text.has_checkpoints(folder):
        classes, forms = load_names(folder)
    else:
        # The grammar's training part, if small, may lack a sense that test has.
        known = list(corpus.values()) if data.source == "senses" else [train]
        classes = labelled.classes(labelled.joined(known))
        # An index that misses its word would make another word a form of it.
        forms = {sentence.split(" ")[index]: word for part in known for sentence, index, word in zip(
            part.text, part.position, part.word) if index >= 0 and (
                data.source == "senses" or indexed.stands_at(word, sentence.split(" ")[index]))}
    ids = tokenizer.encode(train.text)
    examples = text.examples(config, ids, ids)
    classifier = Classifier(config, tokenizer, classes, forms, examples.buckets)
    return classifier, examples, classifier.token_positions(ids, train)


def class_weights(sentences: Labelled, balance: float) -> np.ndarray:
    """Weights of examples, float32 (N,): (mean size of the word's classes / size of its class) ** balance."""
    pairs = list(zip(sentences.word, sentences.label))
    sizes, words = Counter(pairs), Counter(sentences.word)
    classes = Counter(word for word, _ in sizes)
    return np.array([(words[word] / classes[word] / sizes[word, label]) ** balance
                     for word, label in pairs], np.float32)


def scores(classifier: Classifier, params: Any, sentences: Labelled, name: str, majority: Mapping[str, str],
           hyper: Any = None, final: bool = True, guided: Mapping[str, Any] | None = None) -> Scores:
    """Accuracy and macro-F1 of a split; if `final` also by word, by distance, and of the majority baseline.

    majority: {word: its most frequent class}. guided: as of `guidance.answers`.
    """
    adversarial = classifier.config.attention.weights == "adversarial"
    predicted = classifier.predict(params, sentences, hyper, with_weights=adversarial, extra=guided)
    of_classes = class_scores(sentences.word, sentences.label, predicted.labels)
    numbers = {f"{name}_accuracy": round(of_classes.accuracy, 6),
               f"{name}_macro_f1": round(of_classes.macro_f1, 6)}
    if adversarial:
        numbers |= {f"{name}_{what}": value for what, value in guidance.compared(
            predicted, guided, classifier.config.attention.divergence).items()}
    if final:
        baseline = class_scores(sentences.word, sentences.label,
                                [majority.get(word, "") for word in sentences.word])
        numbers |= {f"{name}_most_frequent_accuracy": round(baseline.accuracy, 6),
                    f"{name}_most_frequent_macro_f1": round(baseline.macro_f1, 6)}
        if len(of_classes.by_word) > 1:
            for word, (accuracy, macro_f1) in of_classes.by_word.items():
                numbers |= {f"{name}_accuracy_{word}": round(accuracy, 6),
                            f"{name}_macro_f1_{word}": round(macro_f1, 6)}
        if sentences.truth is not None:
            numbers |= {f"{name}_accuracy_distance_{low}_{high}": round(accuracy, 6)
                        for (low, high), (accuracy, _) in by_distance(
                            sentences.truth, sentences.label, predicted.labels, DISTANCES).items()}
    best = predicted.probabilities.max(axis=1)
    rows = zip(sentences.text, sentences.position, sentences.word, sentences.label, predicted.labels, best)
    return Scores(numbers, [{"sentence": sentence, "place": str(index), "word": word, "class": label,
                             "found": answer, "probability": f"{p:.4f}"}
                            for sentence, index, word, label, answer, p in rows])


def _vectors(path: str, tokenizer: Tokenizer, model: Model):
    """(which tokens have a vector (N,), table (N, D)) of a file of vectors, or None; and the facts on it."""
    if not path:
        return None, {}
    tokens = tokenizer.tokens(range(tokenizer.size))
    by_token, size = vectors.read(path, tokens[len(SPECIALS):])
    if size != model.width:
        raise ValueError(f"model.width={model.width}: {path} has vectors of {size} numbers: that is needed")
    known = np.array([token in by_token for token in tokens])
    table = np.stack([by_token.get(token, np.zeros(size, np.float32)) for token in tokens])
    if known.any():
        # As large as embeddings begin.
        table *= model.embedding_scale * model.width ** -0.5 / max(float(table[known].std()), 1e-12)
    return (known, table), {"vectors_known": int(known.sum())}
