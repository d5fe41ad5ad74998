"""python -m experiments.export --run=DIR --to=FORMAT --out=FOLDER: a finished run for other programs."""

from attention_lab.config.choices import names
from experiments import flags
from experiments.flags import say

MEANING = "Writes the parameters, config and tokenizer of a finished run into a new folder."
PROGRAM = flags.Program("export", MEANING, {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "to": flags.Flag("safetensors", "format: arrays by name (safetensors, npz), or a model that "
                     "ctranslate2.Translator reads", choices=names("tasks.export.FORMATS")),
    "out": flags.Flag("", "the folder, which is made", required=True),
}, config="none")


def main(options: flags.Options) -> int:
    """Prints the path of each file."""
    from attention_lab.tasks import export
    from attention_lab.tasks.load import load
    export.check(options.to)
    for name in export.export(load(options.run, say=say), options.to, options.out):
        print(f"{options.out.rstrip('/')}/{name}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
