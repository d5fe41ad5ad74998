"""python -m experiments.fetch NAME --path=FOLDER: downloads a data set; --url and --sha256: any file."""

from attention_lab.data.datasets import DATASETS, fetch_named
from attention_lab.data.fetch import fetch
from experiments import flags
from experiments.flags import say

WORDS = f"[{' | '.join(DATASETS)}]"
MEANING = "Downloads a data set by name, or a file by its URL, and verifies its checksum."
PROGRAM = flags.Program("fetch", MEANING, {
    "url": flags.Flag("", "without a name: location of the file: http, https or file"),
    "sha256": flags.Flag("", "checksum of its content, 64 hexadecimal digits; with a name, of the file whose "
                         "checksum the table of data sets lacks"),
    "unchecked": flags.Flag(False, "with a name: accepts a file whose checksum is not known"),
    "path": flags.Flag("", "where the file, or the folder of the data set, is written", required=True),
}, config="none", words=WORDS, device=False)


def main(options: flags.Options) -> int:
    """Prints the path of each file; what is known of a data set goes to stderr."""
    names = options.words or []
    if len(names) > 1 or bool(names) == bool(options.url):
        raise ValueError(f"fetch takes one name ({', '.join(DATASETS)}) or --url, not both and not several")
    if not names:
        if options.unchecked:
            raise ValueError("--unchecked goes with a name of a data set: a file by --url needs --sha256=HEX")
        if not options.sha256:
            raise ValueError(f"--sha256: --url={options.url} needs the checksum of the file")
        fetch(options.url, options.sha256, options.path)
        print(options.path)
        return 0
    if names[0] in DATASETS:
        say(f"{names[0]} ({DATASETS[names[0]].page}); licence: {DATASETS[names[0]].licence}")
    for path, known in fetch_named(names[0], options.path, options.sha256, options.unchecked):
        print(path)
        say(f"{path}: {known}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
