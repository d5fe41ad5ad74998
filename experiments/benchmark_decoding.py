"""`benchmark decoding`: translations a second of a trained run, beside CTranslate2 with the same weights."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from attention_lab.analysis.timing import interleaved, quartiles
from attention_lab.config import replace
from attention_lab.config.counts import counted
from attention_lab.data import sources
from attention_lab.tasks.load import load
from attention_lab.training import profile
from experiments import machine
from experiments.flags import Options, say
from experiments.peers import available

BEAMS = {1: "greedy", 5: "beam 5"}
PEERS = {"ctranslate2": "benchmark_ctranslate2", "joeynmt": "benchmark_joeynmt"}


def main(options: Options) -> int:
    """Prints a line for each search and way; status 1 where outputs differ too much to compare rates."""
    machine.check_new(options.json)
    if not options.run:
        raise ValueError("--run is needed: --run=DIR, the folder of a finished translation run")
    trained = load(options.run, say=say)
    trained = load(options.run, replace(trained.config, {"training.precision": "float32"}))
    pairs = sources.load(trained.config.data, ("dev",))["dev"]
    sentences = [line for line in pairs.source[:options.sentences] if line.strip()]
    peers = {name: peer for name in PEERS if options.peers and (peer := _peer(name, trained))}
    about = machine.facts({"jax": profile.product_rate()})
    about |= {name: peer.facts() for name, peer in peers.items()}
    print(f"# {machine.heading(about)}")
    print("case\tway\tsentences_a_second\tquartiles\ttokens_a_second\tsame_outputs\tshare_of_peer")
    rows, status = [], 0
    for beam, case in BEAMS.items():
        case = f"{case}, {counted(len(sentences), 'sentences')}"
        here = compared(case, beam, trained, sentences, peers, options.rounds)
        for row in here:
            least = peers[row["way"]].least[beam] if row["way"] in peers else 1.0
            if row["same_outputs"] < least:
                say(f"{row['way']} gives {row['same_outputs']:.4f} of the outputs of attention_lab, at least "
                    f"{least} are needed: rates are not compared")
                row["share_of_peer"], status = None, 1
            print("\t".join(_line(row)), flush=True)
        rows += here
    machine.write(options.json, options.command, about, rows)
    return status


def compared(case: str, beam: int, trained: Any, sentences: list[str], peers: dict[str, Any], rounds: int
             ) -> list[dict[str, Any]]:
    """A row for ours and each peer: rates in turn, and the share of outputs that are the same as ours."""
    translators: dict[str, Callable] = {
        "attention_lab": lambda: trained.translator.translate(trained.params, sentences, beam).texts}
    translators |= {name: peer.translator(sentences, beam) for name, peer in peers.items()}
    outputs = {name: translate() for name, translate in translators.items()}
    seconds = interleaved({name: lambda translate=translate: translate
                           for name, translate in translators.items()}, lambda _: (), rounds)
    tokens = sum(len(ids) + 1 for ids in trained.translator.tokenizer.encode(outputs["attention_lab"]))
    rows, ours = [], quartiles(seconds["attention_lab"])[1]
    for name, texts in outputs.items():
        times = quartiles(seconds[name])
        same = [a == b for a, b in zip(texts, outputs["attention_lab"], strict=True)]
        rows.append({"case": case, "way": name, "seconds": times, "same_outputs": float(np.mean(same)),
                     "sentences_a_second": len(sentences) / times[1], "tokens_a_second": tokens / times[1],
                     "share_of_peer": times[1] / ours})
    return rows


def _peer(name, trained):
    if not available(name):
        return None
    try:
        return importlib.import_module(f"experiments.{PEERS[name]}").Peer(trained)
    except ValueError as error:  # a model that it does not have
        say(f"{name} is not timed: {error}")
        return None


def _line(row):
    low, median, high = row["seconds"]
    count = row["sentences_a_second"] * median
    share = row["share_of_peer"]
    return [row["case"], row["way"], f"{row['sentences_a_second']:.4g}",
            f"{count / high:.4g}-{count / low:.4g}", f"{row['tokens_a_second']:.4g}",
            f"{row['same_outputs']:.4f}", "" if share is None else f"{share:.2f}"]
