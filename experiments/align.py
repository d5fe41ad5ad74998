"""python -m experiments.align --run=DIR --links=FOLDER: a run's attention against human word links."""

import os

from attention_lab.data.detokenize import respell
from attention_lab.data.readers import links
from experiments import flags
from experiments.flags import say

PROGRAM = flags.Program("align", "Scores a run's attention against word links by human annotators.", {
    "run": flags.Flag("", "folder of a finished run with attention", required=True),
    "links": flags.Flag("", "folder of the Alibi stories (words counted from 0), or a file of Hansards links "
                            "(words counted from 1)", required=True),
    "source": flags.Flag("", "English sentences of a file of Hansards links"),
    "target": flags.Flag("", "French sentences of a file of Hansards links"),
    "every": flags.Flag(False, "also prints the error rate of every layer and head"),
}, config="none")
WEIGHTED_BY = ("weight", "weight and value")  # without and with the norms of the values


def main(options: flags.Options) -> int:
    """Prints error rates on one half of the sentences, of the layer and head selected on the other half."""
    if bool(options.source) != bool(options.target):
        raise ValueError("--source and --target go together, with --links=FILE of the Hansards")
    if not options.source and os.path.isfile(options.links):
        raise ValueError(f"--links={options.links} is a file: the folder of the Alibi stories is needed, or "
                         "--source and --target beside it, for links of the Hansards")
    from attention_lab.analysis import head_alignment
    from attention_lab.data import sources
    from attention_lab.data.anomalies import anomalies
    from attention_lab.tasks.load import load
    pairs = links.read_hansards(options.source, options.target, options.links) if options.source \
        else links.read_alibi(options.links)
    if len(pairs) < 2:
        total = len(pairs) + pairs.counts["pairs_without_sure_links"]
        raise ValueError(f"{options.links}: {len(pairs)} of its {total} pairs have a sure link; layer "
                         "and head are chosen on every other such pair and scored on the rest: both need one")
    run = load(options.run, say=say)
    config = run.run.config
    if not run.translator.attends:
        raise ValueError(f"{options.run} has no attention: its attention.compatibility is none")
    for notice in anomalies({options.links: (pairs.counts, ())}, "pairs", run.translator.tokenizer):
        say(notice)
    texts = pairs.source, pairs.target
    if config.data.text == "tokenized":
        texts = tuple([respell(text, run.translator.spelling) for text in side] for side in texts)
    errors = head_alignment.errors(run, texts, [links.sure for links in pairs.truth],
                                   [links.possible for links in pairs.truth])
    print(f"pairs\t{len(pairs)}")
    try:
        train = sources.load(config.data, ("train",))["train"]
    except ValueError as error:
        say(f"words unknown to the run can't be counted: {error}")
    else:
        for name, side, trained_on in zip(("english", "french"), texts, (train.source, train.target)):
            print(f"unknown_{name}\t{head_alignment.unknown(side, trained_on):.4f}")
    print("step\tweighed_by\thead\terror_rate\tmean_of_heads")
    for (step, by_value), head in errors.chosen.items():
        print(f"{step}\t{WEIGHTED_BY[by_value]}\t{head.name}\t{head.error_rate:.4f}\t{head.mean:.4f}")
    for name in ("not_trained", "diagonal", "uniform"):
        print(f"{name}\t{getattr(errors, name):.4f}")
    if options.every:
        print("step\tweighed_by\tlayer.head\terror_rate")
        for (step, by_value), head in errors.chosen.items():
            for name, rate in head.rates.items():
                print(f"{step}\t{WEIGHTED_BY[by_value]}\t{name}\t{rate:.4f}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
