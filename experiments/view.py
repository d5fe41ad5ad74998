"""python -m experiments.view --run=DIR: one HTML file to look at a run's attention in."""

from attention_lab.config.counts import are
from attention_lab.data import lines
from experiments import flags, stdin
from experiments.flags import say

PROGRAM = flags.Program("view", "Writes one HTML file to look at a run's attention in, without a server.", {
    "run": flags.Flag("", "folder of a finished run with attention", required=True),
    "sentences": flags.Flag("", "a file of sentences, one on each line; without it some of the run's dev "
                            "split are shown, beside the truth about them"),
    "out": flags.Flag("view.html", "the file to write"),
}, config="none")


def main(options: flags.Options) -> int:
    """Prints the path of the file."""
    from attention_lab.tasks.load import load
    stdin.check_path("out", options.out, (".html",))
    sentences, names = read(options.sentences) if options.sentences else (None, [])
    load(options.run, say=say).view(options.out, sentences, say, names)
    print(options.out)
    return 0


def read(path: str) -> tuple[list[str], list[str]]:
    """The lines of a file that are not empty, and what errors call each; ValueError if there are none."""
    written, _ = lines.read_lines(path)
    filled = {f"line {number} of {path}": line for number, line in enumerate(written, 1) if line.strip()}
    if not filled:
        raise ValueError(f"--sentences={path}: it has no sentence")
    if empty := len(written) - len(filled):
        say(f"{empty} of {len(written)} lines of {path} {are(empty)} empty")
    return list(filled.values()), list(filled)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
