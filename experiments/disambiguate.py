"""python -m experiments.disambiguate --run=DIR: sentences on stdin, the senses of their words on stdout."""

import sys

from attention_lab.config import parse as overrides
from attention_lab.config.counts import are, counted
from attention_lab.data.labelled import joined
from attention_lab.storage import runs
from experiments import flags, stdin
from experiments.flags import say

MEANING = """Predicts word senses in sentences from stdin, one per line, with a finished run. Each
word in a form that the run knows gives a tab-separated line: word, sense, probability, number of the input
line, position of the word in it (from 0), then the other senses with their probabilities in falling order.
Word and position are - if the run classifies whole sentences; word, sense, probability and position are -
for an input line without a known word, or too long."""
PROGRAM = flags.Program("disambiguate", MEANING, {
    "run": flags.Flag("", "folder of a finished run that classifies", required=True),
    "attention": flags.Flag("", "a PNG to draw, the attention of the model for the first four words; or an "
                            ".html to look at it in, for the first eight"),
    "senses": flags.Flag(False, "prints below each word the other senses and the word by which the sense is "
                         "told: the one without which its log-odds fall most"),
}, config="overrides", keys=("attention.guide",))
NONE = "-"  # for a missing word, sense, probability or position


def main(options: flags.Options) -> int:
    """Prints senses line by line; every input line has an output line."""
    from attention_lab.analysis.class_told_by import class_told_by
    from attention_lab.tasks import views
    from attention_lab.tasks.classification import guidance, pictures, view
    from attention_lab.tasks.classification.new_text import find_targets
    from attention_lab.tasks.load import load
    stdin.check_figure(options.attention)
    run = load(options.run, overrides.apply(runs.load_run(options.run).config, options.given), say)
    classifier, config = run.classifier, run.run.config
    if options.attention and not classifier.attends:
        raise ValueError(f"--attention={options.attention}: {options.run} has no attention to draw "
                         f"(model.kind={config.model.kind}, model.pooling={config.model.pooling})")
    guide = guidance.of(run.run, run.config.attention.guide)

    def guided(sentences):
        return guide and guidance.answers(guide, sentences, classifier.classes)

    before, without, drawn = 0, 0, []
    page = stdin.is_page(options.attention)
    room = 0 if not options.attention else views.SENTENCES if page else pictures.DRAWN
    for part in stdin.parts():
        long: dict[int, int] = {}
        targets = find_targets(classifier, part)
        for line, reason in targets.refused.items():
            say(f"line {before + line + 1} {reason}: it has no answer")
        sentences = targets.sentences
        unseen = stdin.unseen(classifier.tokenizer, [targets.texts[i] for i in sorted(set(targets.lines))])
        if unseen:
            say(unseen)
        predicted = classifier.predict(run.params, sentences, with_weights=bool(options.attention),
                                       extra=guided(sentences))
        told = class_told_by(classifier, run.params, sentences, guided) if options.senses else []
        answers: dict[int, list[str]] = {}
        for i, line in enumerate(targets.lines):
            word = sentences.word[i]
            answers.setdefault(line, []).append(_row(
                word, classifier.classes[word], predicted.probabilities[i], before + line + 1,
                sentences.position[i]))
            if options.senses:
                answers[line].append(_told(word, classifier.classes[word], predicted.labels[i], told[i]))
            if len(drawn) < room:
                tokens = max(table.shape[-1] for table in predicted.weights[i].values())
                if page and tokens > views.LONGEST:
                    long[line] = tokens
                else:
                    drawn.append((sentences.select([i]), predicted.labels[i], predicted.weights[i]))
        for line in range(len(part)):
            print("\n".join(answers.get(line) or ["\t".join([NONE] * 3 + [str(before + line + 1), NONE])]))
        sys.stdout.flush()
        for line, tokens in long.items():
            say(views.left_out(f"line {before + line + 1}", tokens))
        without += len(part) - len(answers) - len(targets.refused)
        before += len(part)
    if without:
        what = "without a word that the run knows" if any(classifier.classes) else "empty"
        say(f"{without} of {counted(before, 'lines')} {are(without)} {what}")
    if options.attention:
        if not drawn:
            raise ValueError(f"--attention={options.attention}: there was no word to draw")
        parts, labels, weights = zip(*drawn)
        if page:
            shown = joined(parts)
            view.of_run(classifier, run.params, None, shown, run.run.folder, options.attention,
                        guided(shown), say)
        else:
            pictures.draw(classifier, joined(parts), labels, weights, options.attention)
    return 0


def _row(word, classes, probabilities, line, position) -> str:
    """A line of the output; see MEANING."""
    order = sorted(range(len(classes)), key=lambda c: -probabilities[c])
    (best, p), *others = [(classes[c], f"{probabilities[c]:.4f}") for c in order]
    return "\t".join([word or NONE, best, p, str(line), str(position) if word else NONE,
                      *(field for other in others for field in other)])


def _told(word, classes, sense, by) -> str:
    """A line of --senses.

    >>> _told("bank", ("banque", "rive"), "rive", "river")
    '    bank: rive, not banque, told by river'
    """
    others = " or ".join(other for other in classes if other != sense)
    return f"    {word or NONE}: {sense}" + (f", not {others}" if others else "") + (
        f", told by {by}" if by else "")


if __name__ == "__main__":
    flags.run(main, PROGRAM)
