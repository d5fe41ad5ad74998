"""python -m experiments.sample --run=DIR --prompt=TEXT: text that a language model writes, on stdout."""

from experiments import flags, stdin
from experiments.flags import say

PROGRAM = flags.Program("sample", "Continues a text with a finished language model.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "prompt": flags.Flag("", "text to continue, which is printed as well; empty: the beginning of a line"),
    "tokens": flags.Flag(100, "tokens to write; a line end is one", low=1, high=100_000),
    "temperature": flags.Flag(1.0, "logits are divided by it: below 1 likely tokens are likelier; 0 takes "
                              "the likeliest", low=0.0, high=100.0),
    "top_k": flags.Flag(0, "only the k likeliest tokens are drawn; 0: all", low=0),
    "top_p": flags.Flag(1.0, "only the likeliest tokens are drawn that together have this probability",
                        above=0.0, high=1.0),
    "samples": flags.Flag(1, "texts to write, parted by a line of --", low=1, high=1000),
    "seed": flags.Flag(0, "seed of the draws", low=0, high=2**31 - 1),
}, config="none")


def main(options: flags.Options) -> int:
    """Prints the prompt and its continuation."""
    from attention_lab.tasks.load import load
    trained = load(options.run, say=say)
    texts = trained.samples(options.prompt, options.samples, options.tokens, options.temperature,
                            options.top_k, options.seed, options.top_p)
    if unseen := stdin.unseen(trained.model.tokenizer, options.prompt.split("\n")):
        say(unseen)
    print("\n--\n".join(texts))
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
