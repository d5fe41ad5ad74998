"""CTranslate2 as a peer of `benchmark decoding`, with the weights of a trained run."""

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import ctranslate2

from attention_lab.tasks.translation import to_ctranslate2

SIZES = (32, 64, 128)  # sentences in a batch, of which it is given the fastest


class Peer:
    """A translator of CTranslate2 in float32, on the cores that this process may use."""

    least = {1: 1.0, 5: 0.99}  # share of outputs by beam that have to be the same as ours

    def __init__(self, trained: Any):
        """Takes what `load` gives."""
        self._trained = trained
        self._threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        with tempfile.TemporaryDirectory() as parent:
            folder = os.path.join(parent, "model")
            translator = trained.translator
            to_ctranslate2.convert(translator.model, trained.params, translator.hyper.attention_scale,
                                   translator.tokenizer, folder)
            self._inner = ctranslate2.Translator(folder, compute_type="float32", inter_threads=1,
                                                 intra_threads=self._threads)

    def facts(self) -> dict[str, Any]:
        """Version and threads."""
        return {"version": ctranslate2.__version__, "threads": self._threads}

    def translator(self, sentences: list[str], beam: int) -> Callable[[], list[str]]:
        """A function that translates these sentences, in batches of the size that proved fastest."""
        def seconds(size):
            began = time.perf_counter()
            self._translate(sentences, beam, size)
            return time.perf_counter() - began

        fastest = min(SIZES, key=seconds)
        return lambda: self._translate(sentences, beam, fastest)

    def _translate(self, sentences, beam, size):
        tokenizer, decoding = self._trained.translator.tokenizer, self._trained.config.decoding
        tokens = [[str(index) for index in row] for row in tokenizer.encode(sentences)]
        results = self._inner.translate_batch(
            tokens, beam_size=beam, max_batch_size=size, length_penalty=decoding.length_penalty,
            min_decoding_length=0, max_decoding_length=decoding.max_length)
        return tokenizer.decode([[int(token) for token in result.hypotheses[0]] for result in results])
