"""A finished run read back as a model that can be asked."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config import Config, task_of
from attention_lab.storage.runs import Run
from attention_lab.tasks.classification import guidance, new_text
from attention_lab.tasks.classification.classifier import Classifier, Judged
from attention_lab.tasks.registry import family
from attention_lab.tasks.sequences.task import Tagger
from attention_lab.tasks.translation.translator import Translator
from attention_lab.training.weights import load_finished, scored_weights


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a classifier says of a word or, where `word` is "", of a whole line.

    Fields: place, the word's, counted from 0; label, its likeliest class; probabilities by class.
    """

    word: str
    place: int
    label: str
    probabilities: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained model with the weights that were scored.

    Fields:
      run: its folder, facts and result. config: the run's, or what it is asked by.
      model: the task's own functions of weights and text. params: the weights.
    """

    run: Run
    config: Config
    model: Translator | Classifier | Tagger
    params: Any

    @property
    def translator(self) -> Translator:
        """`model`; ValueError where the run does not translate."""
        return self._of("translation", "translate")

    @property
    def classifier(self) -> Classifier:
        """`model`; ValueError where the run does not classify."""
        return self._of("classification", "classify")

    def translate(self, sentences: Sequence[str], beam: int | None = None) -> list[str]:
        """Sentences as people write them, translated as people write them; of an empty one "".

        Args:
          beam: hypotheses kept; None as in the config's decoding.
        Raises:
          ValueError: the run does not translate, or a sentence beyond a table of learned positions.
        """
        sources = self.translator.prepare(sentences)
        full = [i for i, source in enumerate(sources) if source.strip()]
        texts = self.translator.translate(self.params, [sources[i] for i in full], beam).texts
        translated = dict(zip(full, self.translator.restore(texts)))
        return [translated.get(i, "") for i in range(len(sources))]

    def classify(self, sentences: Sequence[str]) -> list[list[Answer]]:
        """For each sentence the answers on the words that the run knows, or the one on the whole sentence.

        Raises:
          ValueError: the run does not classify, or its guide can't be read.
        """
        asked, judged = self._judge(sentences, False)
        answers: list[list[Answer]] = [[] for _ in sentences]
        for i, line in enumerate(asked.lines):
            word = asked.sentences.word[i]
            answers[line].append(Answer(word, asked.sentences.place[i], judged.labels[i], {
                name: float(p) for name, p in zip(self.classifier.classes[word], judged.probabilities[i])}))
        return answers

    def attention(self, sentences: Sequence[str], translations: Sequence[str] | None = None) -> list[Any]:
        """The weights in all layers and heads: of each sentence pair, or of each answer of `classify`.

        Args:
          translations: what is read along the sentences; None: what the model itself writes.
        Returns:
          An `Attention` for each pair; of a classifier the weights of `Judged` for each answer.
        Raises:
          ValueError: a model without attention, or one that neither translates nor classifies.
        """
        if not self.model.attends:
            raise ValueError(f"{self.run.folder} has no attention to look at")
        if task_of(self.run.config) == "classification":
            return self._judge(sentences, True)[1].weights
        translator = self.translator
        sources = translator.prepare(sentences)
        targets = translator.translate(self.params, sources).texts if translations is None \
            else translator.prepare(translations, "fr")
        return translator.attention(self.params, sources, targets)

    def _judge(self, sentences: Sequence[str], with_weights: bool) -> tuple[new_text.Questions, Judged]:
        classifier, guide = self.classifier, guidance.of(self.run)
        asked = new_text.questions(classifier, sentences)
        return asked, classifier.judge(
            self.params, asked.sentences, with_weights=with_weights,
            extra=guide and guidance.answers(guide, asked.sentences, classifier.classes))

    def _of(self, task: str, verb: str) -> Any:
        if task_of(self.run.config) != task:
            raise ValueError(f"{self.run.folder} does not {verb}: its data.source is "
                             f"{self.run.config.data.source}")
        return self.model


def load(folder: str | Path, config: Config | None = None, say: Callable[[str], None] = lambda line: None
         ) -> Trained:
    """Reads a finished run.

    Args:
      folder: the run's.
      config: what the model goes by, such as another beam; None is the run's own.
      say: takes a warning, such as that of a damaged checkpoint, for which another is taken.
    Raises:
      ValueError: no run, an unfinished one, or no checkpoint can be read.
    """
    run = load_finished(folder)
    model = family(run.config).read(run, config or run.config)
    return Trained(run, config or run.config, model, scored_weights(run, model.model.init, say))
