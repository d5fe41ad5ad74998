"""Corpus BLEU and chrF by sacreBLEU (Post 2018), with the signature that makes scores comparable."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

# Tokenised text must not be tokenised again, and is compared lower-cased, as in the literature on Multi30k;
# raw text gets mteval's 13a tokeniser, cased.
_BLEU = {"tokenized": dict(tokenize="none", lowercase=True), "raw": dict(tokenize="13a", lowercase=False)}

# Scripts written without spaces, as the names of their letters begin, and the letters that a token has at
# most on average in text that was cut into words.
SPACELESS = {"CJK": 3, "HIRAGANA": 3, "KATAKANA": 3, "THAI": 7, "LAO": 7, "KHMER": 7, "MYANMAR": 7,
             "TIBETAN": 7}


class Score(NamedTuple):
    """A corpus score and the settings and version that made it."""

    score: float  # 0 to 100
    signature: str  # such as nrefs:1|case:lc|eff:no|tok:none|smooth:exp|version:2.6.0


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str], text: str = "tokenized") -> Score:
    """BLEU of a corpus, one reference a sentence (Papineni et al. 2002; order 4, exponential smoothing).

    Args:
      text: "tokenized" (split at blanks, lower-cased) or "raw" (13a, cased).
    Raises:
      ValueError: no sentences, unequal counts, or another `text`.

    >>> corpus_bleu(["un chat noir dort ."], ["un chat noir dort ."]).score
    100.0
    """
    # `force` silences the warning that the sentences look tokenised.
    return _corpus_score(BLEU(**bleu_settings(text), force=True), hypotheses, references)


def corpus_chrf(hypotheses: Sequence[str], references: Sequence[str], text: str = "tokenized") -> Score:
    """chrF2 of a corpus: F-score, recall weighted twice, of character 1- to 6-grams (Popovic 2015).

    Arguments and errors as of `corpus_bleu`; "tokenized" is lower-cased, "raw" cased.
    """
    return _corpus_score(CHRF(lowercase=bleu_settings(text)["lowercase"]), hypotheses, references)


def unfit_reason(references: Sequence[str], text: str = "tokenized") -> str:
    """Why BLEU is meaningless for a split; "" if it is not.

    BLEU is 0 for sentences of fewer than four tokens, and a sentence written without spaces is one token.
    Arguments and errors as of `corpus_bleu`.

    >>> unfit_reason(["chat", "chien noir"])
    'no reference has the four tokens that BLEU needs'
    """
    tokenizer = BLEU(**bleu_settings(text)).tokenizer
    sentences = [tokenizer(reference).split() for reference in references]
    if max(map(len, sentences), default=0) < 4:
        return "no reference has the four tokens that BLEU needs"
    letters, tokens = Counter(), Counter()
    for token in (token for sentence in sentences for token in sentence):
        scripts = Counter(unicodedata.name(letter, "?").split()[0].split("-")[0] for letter in token
                          if letter.isalnum())
        letters += scripts
        tokens += Counter({script: 1 for script in scripts})
    for script, most in SPACELESS.items():
        if letters[script] > letters.total() / 4 and letters[script] > most * tokens[script]:
            return f"the references are written without spaces between words ({script}), by which BLEU counts"
    return ""


class Loss(NamedTuple):
    """BLEU points that another system loses, negative if it is better, and p of the difference."""

    points: float
    p: float


def bleu_losses(hypotheses: Sequence[str], others: Sequence[Sequence[str]], references: Sequence[str],
                text: str = "tokenized", resamples: int = 1000) -> list[Loss]:
    """How much worse than one system others translate, by paired bootstrap over sentences (Koehn 2004).

    The p values are sacreBLEU's, two-sided and at least 1 / (resamples + 1); it draws the same sentences each
    time unless SACREBLEU_SEED says otherwise. Errors as of `corpus_bleu`.

    Args:
      hypotheses: of the system. others: hypotheses of each other system for the same sentences.
      references, text: as of `corpus_bleu`.
    """
    for side in (hypotheses, *others):
        check_pairs(side, references)
    systems = [("whole", list(hypotheses)), *((str(i), list(other)) for i, other in enumerate(others))]
    _, scores = PairedTest(systems, {"BLEU": BLEU(**bleu_settings(text), force=True)}, [list(references)],
                           test_type="bs", n_samples=resamples)()
    whole, *rest = scores["BLEU"]
    # For identical hypotheses sacreBLEU gives the smallest p that there is.
    return [Loss(0.0, 1.0) if list(other) == list(hypotheses)
            else Loss(whole.score - result.score, result.p_value) for other, result in zip(others, rest)]


def check_pairs(hypotheses: Sequence, references: Sequence) -> None:
    """ValueError unless both are non-empty sequences, not strings, of equal length."""
    for name, values in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(values, str):
            raise ValueError(f"{name} is one string; a list of sentences is needed")
    if len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses)} hypotheses for {len(references)} references; each "
                         "sentence needs one of both")
    if not len(hypotheses):
        raise ValueError("no sentences to score")


def _corpus_score(metric, hypotheses, references):
    check_pairs(hypotheses, references)
    result = metric.corpus_score(list(hypotheses), [list(references)])
    # A perfect score comes out of exp and log an ulp off.
    return Score(min(float(result.score), 100.0), str(metric.get_signature()))


def bleu_settings(text: str) -> dict:
    """Arguments of sacreBLEU's BLEU for `text`; ValueError if that is unknown."""
    if text not in _BLEU:
        raise ValueError(f"text={text!r} is unknown; it is one of {', '.join(_BLEU)}")
    return _BLEU[text]
