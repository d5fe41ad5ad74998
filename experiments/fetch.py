"""python -m experiments.fetch --url=URL --sha256=HEX --path=FILE: one file of data, checked."""

from attention_lab.data.fetch import fetch
from experiments import flags

PROGRAM = flags.Program("fetch", "Puts the file behind a URL in its place if it has the checksum.", {
    "url": flags.Flag("", "where the file is: http, https or file", required=True),
    "sha256": flags.Flag("", "of its content, 64 hexadecimal digits", required=True),
    "path": flags.Flag("", "where to put it", required=True),
}, config="none", device=False)


def main(options: flags.Options) -> int:
    """Fetches the file unless it is there already, and prints its path."""
    fetch(options.url, options.sha256, options.path)
    print(options.path)
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
