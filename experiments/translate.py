"""python -m experiments.translate --run=DIR: sentences on stdin, translations on stdout."""

import sys

from attention_lab.config import all_fields
from experiments import flags, stdin
from experiments.flags import say

PROGRAM = flags.Program("translate", "Translates sentences from stdin, one a line, with a finished run.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "beam": flags.Flag(0, "hypotheses kept; 0 as in the run's config, 1 is greedy", low=0,
                       high=all_fields()["decoding.beam"].high),
    "attention": flags.Flag("", "a PNG to draw: where the model looked at the first four sentences"),
}, config="none")
AT_ONCE = stdin.AT_ONCE  # lines translated together where they come from a file


def main(options: flags.Options) -> int:
    """Translates line by line; an empty line stays one."""
    from attention_lab.tasks.load import load
    from attention_lab.tasks.translation import pictures
    stdin.check_figure(options.attention)
    run = load(options.run, say=say)
    translator, drawn = run.translator, []
    if options.attention and not translator.attends:
        raise ValueError(f"--attention={options.attention}: {options.run} has no attention to draw "
                         f"(model.kind={run.run.config.model.kind}, attention.compatibility=none)")
    for part in stdin.parts(AT_ONCE):
        sources = translator.prepare(part)
        full = [i for i, line in enumerate(sources) if line.strip()]
        given = [sources[i] for i in full]
        unseen = stdin.unseen(translator.tokenizer, given)
        if unseen:
            say(unseen)
        found, cut = translator.translate(run.params, given, options.beam or None)
        if cut:
            say(f"{cut} translations were cut: they had no end within decoding.max_length="
                f"{run.run.config.decoding.max_length} tokens (in proportion for long sources)")
        answers = dict(zip(full, translator.restore(found)))
        for i in range(len(part)):
            print(answers.get(i, ""))
        sys.stdout.flush()
        written = [(source, text) for source, text in zip(given, found) if text]
        drawn += written[:pictures.DRAWN - len(drawn)]
    if options.attention:
        if not drawn:
            raise ValueError(f"--attention={options.attention}: there was no translation to draw")
        looked = translator.attention(run.params, *zip(*drawn))
        pictures.draw(looked, [()] * len(looked), options.attention,
                      translator.tokenizer.kind)
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
