"""python -m experiments.fetch --url=URL --sha256=HEX --path=FILE: downloads a file and checks it."""

from attention_lab.data.fetch import fetch
from experiments import flags

PROGRAM = flags.Program("fetch", "Downloads a file and keeps it if its checksum is right.", {
    "url": flags.Flag("", "location of the file: http, https or file", required=True),
    "sha256": flags.Flag("", "checksum of its content, 64 hexadecimal digits", required=True),
    "path": flags.Flag("", "where the file is written", required=True),
}, config="none", device=False)


def main(options: flags.Options) -> int:
    """Downloads the file unless it exists with that checksum, and prints its path."""
    fetch(options.url, options.sha256, options.path)
    print(options.path)
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
