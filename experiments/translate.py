"""python -m experiments.translate --run=DIR: sentences on stdin, translations on stdout."""

import sys

from experiments import flags

FLAGS = {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "beam": flags.Flag(0, "hypotheses kept; 0 as in the run's config, 1 is greedy"),
    "attention": flags.Flag("", "a PNG to draw: where the model looked at the first four sentences"),
}


def main(options: flags.Options) -> int:
    """Translates line by line; an empty line stays one."""
    from attention_lab.data import detokenize
    from attention_lab.tasks import finished, illustrations
    if options.beam < 0:
        raise ValueError(f"--beam={options.beam}: allowed are 0 (as in the run's config) and more")
    run = finished.load(options.run)
    data = run.run.config.data
    tokenized = data.source == "multi30k" and data.text == "tokenized"
    lines = [line.decode("utf-8").rstrip("\r\n") for line in sys.stdin.buffer]
    sources = [detokenize.prepare(line) if tokenized else line for line in lines]
    if data.source == "grammar":
        sources = [detokenize.prepare(line) for line in lines]
    unseen = run.translator.tokenizer.unseen([line for line in sources if line.strip()])
    if unseen:
        print(f"translate: {sum(unseen.values())} unknown: {' '.join(list(unseen)[:5])}", file=sys.stderr)
    full = [i for i, line in enumerate(sources) if line.strip()]
    given = [sources[i] for i in full]
    raw = run.translator.translate(run.params, given, options.beam or None)
    shown = [""] * len(sources)
    for i, text in zip(full, raw):
        shown[i] = text if data.text == "raw" and data.source == "multi30k" else detokenize.restore(text)
    for line in shown:
        print(line)
    if options.attention and given:
        found = run.translator.attention(run.params, given[:illustrations.DRAWN], raw)
        illustrations.draw(found, [()] * len(found), options.attention)
    return 0


if __name__ == "__main__":
    flags.run(main, "translate", "Translates sentences from stdin, one a line, with a finished run.",
              FLAGS, config="none")
