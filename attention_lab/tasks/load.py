"""A finished run read back as a model that translates, classifies, continues text and shows its attention."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config import Config, task_of
from attention_lab.storage.device_errors import device_errors
from attention_lab.storage.runs import Run
from attention_lab.tasks.classification import guidance, new_text
from attention_lab.tasks.classification.classifier import Classifier, Predictions
from attention_lab.tasks.language.language_model import LanguageModel
from attention_lab.tasks.registry import TASKS
from attention_lab.tasks.sequences.task import Tagger
from attention_lab.tasks.translation.translator import Translator
from attention_lab.training.weights import load_finished, scored_weights


@dataclasses.dataclass(frozen=True)
class Answer:
    """The prediction of a classifier for a word or, where `word` is "", for a whole line.

    Fields: position of the word, from 0; label, the most probable class; probabilities by class.
    """

    word: str
    position: int
    label: str
    probabilities: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained model.

    Fields:
      run: its folder, facts and result. config: the run's, or the one given to `load`.
      model: its functions on text, from the task's `read`. params: those that were scored.
    """

    run: Run
    config: Config
    model: Translator | Classifier | Tagger | LanguageModel
    params: Any

    @property
    def translator(self) -> Translator:
        """`model`; ValueError where the run does not translate."""
        return self._of("translation", "translate")

    @property
    def classifier(self) -> Classifier:
        """`model`; ValueError where the run does not classify."""
        return self._of("classification", "classify")

    @device_errors()
    def translate(self, sentences: Sequence[str], beam: int | None = None) -> list[str]:
        """Translations of sentences; both are ordinary written text; "" for an empty sentence.

        Args:
          beam: hypotheses kept; None: as in the config.
        Raises:
          ValueError: the run does not translate, or a sentence is too long.
        """
        sources = self.translator.prepare(sentences)
        for i, tokens in self.translator.too_long(sources, beam).items():
            raise ValueError(f"sentences[{i}] has {tokens} tokens, at most {self.translator.longest(beam)} "
                             "are translated")
        texts = self.translator.translate(
            self.params, [source for source in sources if source.strip()], beam).texts
        translations = iter(self.translator.restore(texts))
        return [next(translations) if source.strip() else "" for source in sources]

    @device_errors()
    def classify(self, sentences: Sequence[str]) -> list[list[Answer]]:
        """For each sentence an answer for each word that the run knows, or one for the whole sentence.

        Raises:
          ValueError: the run does not classify, a sentence is too long, or its guide can't be read.
        """
        targets, predicted = self._predict(sentences, False)
        answers: list[list[Answer]] = [[] for _ in sentences]
        for i, line in enumerate(targets.lines):
            word, classes = targets.sentences.word[i], self.classifier.classes[targets.sentences.word[i]]
            answers[line].append(Answer(word, targets.sentences.position[i], predicted.labels[i], {
                name: float(p) for name, p in zip(classes, predicted.probabilities[i])}))
        return answers

    @device_errors()
    def sample(self, prompt: str, tokens: int = 100, temperature: float = 1.0, top_k: int = 0, seed: int = 0,
               top_p: float = 1.0) -> str:
        """The prompt and what a language model writes after it, as of `LanguageModel.samples`.

        Raises:
          ValueError: the run is no language model, or arguments that can't be used.
        """
        return self.samples(prompt, 1, tokens, temperature, top_k, seed, top_p)[0]

    @device_errors()
    def samples(self, prompt: str, count: int, tokens: int = 100, temperature: float = 1.0, top_k: int = 0,
                seed: int = 0, top_p: float = 1.0) -> list[str]:
        """`count` texts that are drawn as that of `sample`, all at once."""
        language = self._of("language", "continue a text")
        return language.samples(self.params, prompt, count, tokens, temperature, top_k, seed, top_p)

    @device_errors()
    def attention(self, sentences: Sequence[str], translations: Sequence[str] | None = None) -> list[Any]:
        """Weights of all layers and heads: an `Attention` for each pair, or `Predictions.weights`.

        Args:
          translations: read along with the sentences; None: the model's own.
        Raises:
          ValueError: a model without attention, or one that neither translates nor classifies.
        """
        if not self.model.attends:
            raise ValueError(f"{self.run.folder} has no attention")
        if task_of(self.run.config) == "classification":
            return self._predict(sentences, True)[1].weights
        translator = self.translator
        sources = translator.prepare(sentences)
        targets = translator.translate(self.params, sources).texts if translations is None \
            else translator.prepare(translations, "fr")
        return translator.attention(self.params, sources, targets)

    @device_errors()
    def view(self, path: str | Path, sentences: Sequence[str] | None = None,
             say: Callable[[str], None] = lambda line: None, names: Sequence[str] = ()) -> None:
        """Writes one HTML file to look at the attention in; see docs/view.md.

        Args:
          sentences: ordinary written text; None: some of the run's dev split, beside the truth about them.
          say: takes a line for the user. names: what errors call each sentence; (): by its number.
        Raises:
          ValueError: no translator or classifier, a model without attention, too many or too long sentences,
            or data that can't be read.
          OSError: the file can't be written.
        """
        write = TASKS[task_of(self.run.config)].view
        if write is None:
            raise ValueError(f"data.source={self.run.config.data.source}: view shows translators and "
                             "classifiers")
        if not self.model.attends:
            model, attention = self.run.config.model, self.run.config.attention
            raise ValueError(f"{self.run.folder} has no attention to view (data.source="
                             f"{self.run.config.data.source}, model.kind={model.kind}, model.pooling="
                             f"{model.pooling}, attention.compatibility={attention.compatibility})")
        write(self, sentences, path, say, names)

    def _predict(self, sentences: Sequence[str], with_weights: bool) -> tuple[new_text.Targets, Predictions]:
        classifier, guide = self.classifier, guidance.of(self.run, self.config.attention.guide)
        targets = new_text.find_targets(classifier, sentences)
        for i, reason in targets.refused.items():
            raise ValueError(f"sentences[{i}] {reason}")
        return targets, classifier.predict(
            self.params, targets.sentences, with_weights=with_weights,
            extra=guide and guidance.answers(guide, targets.sentences, classifier.classes))

    def _of(self, task: str, verb: str) -> Any:
        if task_of(self.run.config) != task:
            raise ValueError(f"{self.run.folder} does not {verb}: its data.source is "
                             f"{self.run.config.data.source}")
        return self.model


@device_errors()
def load(folder: str | Path, config: Config | None = None, say: Callable[[str], None] = lambda line: None
         ) -> Trained:
    """Reads a finished run.

    Args:
      config: one that differs from the run's, for instance in the beam; None: the run's.
      say: takes a warning, such as that a checkpoint is damaged and another one is used.
    Raises:
      ValueError: no run, an unfinished one, or no checkpoint can be read.
      DeviceError: no memory is left, there is no device, or JAX failed; methods of the result raise it too.
    """
    run = load_finished(folder)
    config = config or run.config
    model = TASKS[task_of(run.config)].read(run, config)
    return Trained(run, config, model, scored_weights(run, model.model.init, say))
