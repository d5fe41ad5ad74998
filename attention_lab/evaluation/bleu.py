"""Corpus BLEU and chrF by sacreBLEU (Post 2018), with the signature that makes them comparable."""

from collections.abc import Sequence
from typing import NamedTuple

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

# Text that is tokenised already must not be tokenised again, and is compared lower-cased, as in the
# literature on Multi30k; raw text gets mteval's 13a tokeniser, cased.
_BLEU = {"tokenized": dict(tokenize="none", lowercase=True),
         "raw": dict(tokenize="13a", lowercase=False)}
_CHRF = {"tokenized": dict(lowercase=True), "raw": dict(lowercase=False)}


class Score(NamedTuple):
    """A corpus score and the settings and version that made it."""

    score: float  # 0 to 100
    signature: str  # such as nrefs:1|case:lc|eff:no|tok:none|smooth:exp|version:2.6.0


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str], text: str = "tokenized"
                ) -> Score:
    """BLEU of a corpus, one reference a sentence (Papineni et al. 2002; order 4, exp. smoothing).

    Args:
      hypotheses, references: sentences in the same order.
      text: "tokenized" (split at blanks, lower-cased) or "raw" (13a, cased).
    Raises:
      ValueError: no sentences, unequal counts, or another `text`.

    >>> corpus_bleu(["un chat noir dort ."], ["un chat noir dort ."]).score
    100.0
    """
    return _corpus_score(BLEU, _BLEU, hypotheses, references, text, force=True)


def corpus_chrf(hypotheses: Sequence[str], references: Sequence[str], text: str = "tokenized"
                ) -> Score:
    """chrF2 of a corpus: F-score, recall weighted twice, of character 1- to 6-grams (Popovic 2015).

    Args and errors as for `corpus_bleu`; "tokenized" is lower-cased, "raw" cased. Blanks don't
    count.
    """
    return _corpus_score(CHRF, _CHRF, hypotheses, references, text)


class Loss(NamedTuple):
    """What a system lacks to another one: BLEU points, below 0 where it leads, and p of the difference."""

    points: float
    p: float


def bleu_losses(hypotheses: Sequence[str], others: Sequence[Sequence[str]], references: Sequence[str],
                text: str = "tokenized", resamples: int = 1000) -> list[Loss]:
    """How much worse than a system others translate, by the paired bootstrap over sentences (Koehn 2004).

    The p values are those of sacreBLEU, two-sided and at least 1 / (resamples + 1); the sentences drawn are
    the same each time unless SACREBLEU_SEED says otherwise.

    Args:
      hypotheses: of the system. others: of each other system, the same sentences.
      references, text: as for `corpus_bleu`.
    Raises:
      ValueError: as `corpus_bleu`.
    """
    for one in (hypotheses, *others):
        check_pairs(one, references)
    systems = [("whole", list(hypotheses)), *((str(i), list(one)) for i, one in enumerate(others))]
    _, found = PairedTest(systems, {"BLEU": BLEU(**bleu_settings(text), force=True)}, [list(references)],
                          test_type="bs", n_samples=resamples)()
    whole, *rest = found["BLEU"]
    # Of a system that says the very same, sacreBLEU's p is the least there is.
    return [Loss(0.0, 1.0) if list(other) == list(hypotheses) else Loss(whole.score - one.score, one.p_value)
            for other, one in zip(others, rest)]


def check_pairs(hypotheses: Sequence, references: Sequence) -> None:
    """Raises ValueError unless both are non-empty sequences, not strings, of one length."""
    for name, values in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(values, str):
            raise ValueError(f"{name} is one string; a list of sentences is needed")
    if len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses)} hypotheses for {len(references)} references; each "
                         "sentence needs one of both")
    if not len(hypotheses):
        raise ValueError("no sentences to score")


def _corpus_score(kind: type, variants: dict, hypotheses: Sequence[str],
                  references: Sequence[str], text: str, **settings) -> Score:
    check_pairs(hypotheses, references)
    # `force` silences the warning that the periods look tokenised: they are, and it is meant.
    metric = kind(**_settings(variants, text), **settings)
    result = metric.corpus_score(list(hypotheses), [list(references)])
    # A perfect score comes out of exp and log an ulp off.
    return Score(min(float(result.score), 100.0), str(metric.get_signature()))


def bleu_settings(text: str) -> dict:
    """How sacreBLEU's BLEU is to be made for `text`; ValueError if that is unknown."""
    return _settings(_BLEU, text)


def _settings(variants, text):
    if text not in variants:
        raise ValueError(f"text={text!r} is unknown; it is one of {', '.join(variants)}")
    return variants[text]
