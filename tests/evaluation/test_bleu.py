"""BLEU and chrF against values computed by hand from their definitions."""

import math
import re
import warnings

import pytest

from attention_lab.evaluation.bleu import bleu_losses, corpus_bleu, corpus_chrf, unfit_reason


def test_a_perfect_translation_scores_100():
    sentences = ["le chat noir dort .", "l' herbe est verte ."]
    assert corpus_bleu(sentences, sentences).score == 100.0
    assert corpus_chrf(sentences, sentences).score == pytest.approx(100.0)


def test_bleu_by_hand():
    # Matches of 1- to 4-grams: 6 of 7, 4 of 6, 2 of 5, 1 of 4; 7 words against 8.
    hypothesis = ["the cat sat on red mat ."]
    reference = ["the cat sat on the red mat ."]
    matches = [(7, 7), (5, 6), (3, 5), (1, 4)]
    expected = 100 * math.exp(1 - 8 / 7) * math.prod(m / n for m, n in matches) ** 0.25
    assert corpus_bleu(hypothesis, reference).score == pytest.approx(expected, rel=1e-9)


def test_bleu_clips_repeated_words_and_counts_over_the_corpus():
    hypotheses = ["la la la la", "un chat noir dort ici"]
    references = ["la mer la nuit", "un chat noir dort ici"]
    matches = [(2 + 5, 9), (0 + 4, 7), (0 + 3, 5), (0 + 2, 3)]
    expected = 100 * math.prod(m / n for m, n in matches) ** 0.25
    assert corpus_bleu(hypotheses, references).score == pytest.approx(expected, rel=1e-9)


def test_chrf_by_hand():
    # One character of two: precision 1, recall 1/2, so F2 = 5 * 1 * 0.5 / (4 * 1 + 0.5);
    # there are no longer n-grams in the hypothesis.
    assert corpus_chrf(["a"], ["ab"]).score == pytest.approx(100 * 2.5 / 4.5, rel=1e-6)


def test_the_variants_differ_in_case_and_tokeniser_as_their_signatures_say():
    hypothesis, reference = ["A dog runs here, fast."], ["a dog runs here , fast ."]
    raw = corpus_bleu(hypothesis, reference, text="raw")
    tokenized = corpus_bleu(hypothesis, reference, text="tokenized")
    assert raw.score == pytest.approx(
        100 * math.prod(m / n for m, n in [(6, 7), (5, 6), (4, 5), (3, 4)]) ** 0.25)
    assert tokenized.score < raw.score  # "here," is no word of the reference
    assert corpus_bleu(["UN CHAT DORT ICI ."], ["un chat dort ici ."]).score == 100.0
    assert corpus_chrf(["UN CHAT"], ["un chat"]).score == pytest.approx(100.0)
    assert corpus_chrf(["UN CHAT"], ["un chat"], text="raw").score < 10
    assert raw.signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert tokenized.signature.startswith("nrefs:1|case:lc|eff:no|tok:none|smooth:exp|version:")
    assert corpus_chrf(hypothesis, reference).signature.startswith("nrefs:1|case:lc|")


def test_tokenised_full_stops_are_not_warned_about(caplog):
    sentences = ["le chat dort ."] * 120
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corpus_bleu(sentences, sentences)
        corpus_bleu(sentences, sentences, text="raw")
    assert not caplog.records


def test_an_empty_hypothesis_is_scored_as_one():
    assert corpus_bleu([""], ["un chat dort ici ."]).score == 0.0
    assert 0 < corpus_bleu(["", "un chat dort ici ."], ["non .", "un chat dort ici ."]).score < 100


@pytest.mark.parametrize("score", [corpus_bleu, corpus_chrf])
@pytest.mark.parametrize("arguments, message", [
    (([], []), "no sentences"), ((["a"], ["a", "b"]), "1 hypotheses for 2"),
    (("a b", "a b"), "hypotheses is one string"), ((["a"], ["a"], "bpe"), "text='bpe'"),
])
def test_what_cannot_be_scored_is_refused(score, arguments, message):
    with pytest.raises(ValueError, match=message):
        score(*arguments)


def test_losses_are_paired_and_signed():
    references = [f"{a} {b} {c} {d} {a}" for a in "abcde" for b in "fgh" for c in "ij" for d in "klm"]
    worse = [text.replace("a", "x") for text in references]
    better = [text[::-1] if i % 4 == 0 else text for i, text in enumerate(references)]
    same, lead = bleu_losses(better, [better, references], references, resamples=99)
    assert same == (0.0, 1.0)
    assert lead.points == pytest.approx(corpus_bleu(better, references).score - 100.0, abs=1e-4)
    assert lead.p == pytest.approx(0.01)
    lost, = bleu_losses(references, [worse], references, resamples=99)
    assert lost.points == pytest.approx(100.0 - corpus_bleu(worse, references).score, abs=1e-4)


def test_losses_refuse_what_bleu_does():
    with pytest.raises(ValueError, match="1 hypotheses for 2 references"):
        bleu_losses(["a", "b"], [["a"]], ["a", "b"])
    with pytest.raises(ValueError, match="text='plain'"):
        bleu_losses(["a"], [["a"]], ["a"], "plain")


@pytest.mark.parametrize("references, text, why", [
    (["chat", "chien"], "tokenized", "four tokens"),
    (["un chat !", "oui."], "raw", "four tokens"),
    (["un chat!!"], "raw", ""),  # 13a parts marks from words
    (["我昨天去商店买了一本书,然后回家,很晚,很累。"], "raw", "without spaces .*CJK"),
    (["私は昨日 , 本を買いました , とても楽しかったです , はい"], "tokenized", "without spaces"),
    (["ฉันชอบอ่านหนังสือ ทุกวัน และชอบดูหนัง กับเพื่อนของฉัน"], "raw", "THAI"),
    (["我 昨天 去 商店 买 了 一 本 书 。"], "tokenized", ""),
    (["나는 어제 가게에 가서 책을 샀다."], "raw", ""),
    (["le mot 我 veut dire je ."], "tokenized", ""),
    (["un chat", "le chat noir dort ."], "tokenized", ""),
])
def test_where_bleu_says_nothing(references, text, why):
    reason = unfit_reason(references, text)
    assert bool(reason) == bool(why) and re.search(why, reason)
