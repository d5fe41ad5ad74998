"""python -m experiments.translate --run=DIR: sentences on stdin, translations on stdout."""

import sys
from typing import Any

from attention_lab.config import all_fields
from attention_lab.config.counts import counted
from experiments import flags, stdin
from experiments.flags import say

PROGRAM = flags.Program("translate", "Translates sentences from stdin, one per line, with a finished run.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "beam": flags.Flag(0, "beam size; 0: that of the run's config, 1: greedy", low=0,
                       high=all_fields()["decoding.beam"].high),
    "attention": flags.Flag("", "a PNG to draw, the attention of the model for the first four sentences; or "
                            "an .html to look at it in, for the first eight"),
    "senses": flags.Flag(False, "prints below each translation how the grammar's ambiguous nouns in it are "
                         "translated, and by which word the sense is told"),
}, config="none")


def main(options: flags.Options) -> int:
    """Translates line by line; empty lines stay empty, and so do those that are too long."""
    from attention_lab.analysis.told_by import told_by, why_unknown
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
    unknown = why_unknown(translator) if options.senses else ""
    if unknown:
        say(f"--senses: {unknown}")
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
            say(f"{counted(cut, 'translations')} cut, without an end within decoding.max_length="
                f"{run.run.config.decoding.max_length} tokens (in proportion for long sources)")
        answers = dict(zip(filled, translator.restore(texts)))
        told = {} if unknown or not options.senses else dict(zip(
            filled, told_by(translator, run.params, sentences, texts)))
        for i in range(len(part)):
            print(answers.get(i, ""))
            for noun in told.get(i, []):
                print(f"    {spelled(noun)}")
        sys.stdout.flush()
        for i, *pair in zip(filled, sentences, texts):
            if len(drawn) == room or not options.attention:
                break
            tokens = view.tokens_of(translator, *pair)
            if page and tokens > views.LONGEST:
                say(views.left_out(f"line {before + i + 1} or its translation", tokens))
            elif pair[1]:
                drawn.append(pair)
        before += len(part)
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


def spelled(noun: Any) -> str:
    """A `Told` in words.

    >>> from types import SimpleNamespace
    >>> spelled(SimpleNamespace(word="bank", senses=("banque", "rive"), sense="rive", by="river"))
    'bank: rive, not banque, told by river'
    >>> spelled(SimpleNamespace(word="bank", senses=("banque", "rive"), sense="rive", by=""))
    'bank: rive, not banque'
    """
    others = " or ".join(sense for sense in noun.senses if sense != noun.sense)
    if not noun.sense:
        return f"{noun.word}: neither {others.replace(' or ', ' nor ')}"
    return f"{noun.word}: {noun.sense}, not {others}" + (f", told by {noun.by}" if noun.by else "")


if __name__ == "__main__":
    flags.run(main, PROGRAM)
