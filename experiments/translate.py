"""python -m experiments.translate --run=DIR: sentences on stdin, translations on stdout."""

import sys

from attention_lab.config import all_fields
from experiments import flags, stdin
from experiments.flags import say

PROGRAM = flags.Program("translate", "Translates sentences from stdin, one per line, with a finished run.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "beam": flags.Flag(0, "beam size; 0: that of the run's config, 1: greedy", low=0,
                       high=all_fields()["decoding.beam"].high),
    "attention": flags.Flag("", "a PNG to draw, the attention of the model for the first four sentences; or "
                            "an .html to look at it in, for the first eight"),
}, config="none")


def main(options: flags.Options) -> int:
    """Translates line by line; empty lines stay empty, and so do those that are too long."""
    from attention_lab.tasks import views
    from attention_lab.tasks.load import load
    from attention_lab.tasks.translation import pictures, view
    stdin.check_figure(options.attention)
    run = load(options.run, say=say)
    translator, drawn, before = run.translator, [], 0
    beam = options.beam or None
    page = stdin.is_page(options.attention)
    room = views.SENTENCES if page else pictures.DRAWN
    if options.attention and not translator.attends:
        raise ValueError(f"--attention={options.attention}: {options.run} has no attention to draw "
                         f"(model.kind={run.run.config.model.kind}, attention.compatibility=none)")
    for part in stdin.parts():
        sources = translator.prepare(part)
        too_long = translator.too_long(sources, beam)
        for i, tokens in too_long.items():
            say(f"line {before + i + 1} has {tokens} tokens, at most {translator.longest(beam)} are "
                "translated: it has no answer")
        filled = [i for i, line in enumerate(sources) if line.strip() and i not in too_long]
        sentences = [sources[i] for i in filled]
        unseen = stdin.unseen(translator.tokenizer, sentences)
        if unseen:
            say(unseen)
        texts, cut = translator.translate(run.params, sentences, beam)
        if cut:
            say(f"{cut} translations were cut: they had no end within decoding.max_length="
                f"{run.run.config.decoding.max_length} tokens (in proportion for long sources)")
        answers = dict(zip(filled, translator.restore(texts)))
        for i in range(len(part)):
            print(answers.get(i, ""))
        sys.stdout.flush()
        before += len(part)
        drawn += [pair for pair in zip(sentences, texts) if pair[1]][:room - len(drawn)]
    if options.attention:
        if not drawn:
            raise ValueError(f"--attention={options.attention}: there was no translation to draw")
        if page:
            view.of_pairs(run, *zip(*drawn), options.attention, say)
        else:
            attention = translator.attention(run.params, *zip(*drawn))
            pictures.draw(attention, [()] * len(attention), options.attention,
                          translator.tokenizer.segmentation)
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
