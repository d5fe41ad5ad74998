"""Links in the other base, outside their sentence, half given: one line, status 2; what is left out."""

import types

import pytest

from attention_lab.analysis import head_alignment
from attention_lab.config import Config
from attention_lab.data import sources, tokenizers
from attention_lab.data.spelling import MOSES
from attention_lab.tasks import load
from experiments import align

STORY = {"Chat_sents.txt": ["0\tle chat noir\n", "1\toui\n"],
         "Cat_sents.txt": ["0\tthe black cat\n", "1\tyes\n"]}


@pytest.mark.parametrize("links, words", [
    ("0\t1-1 3-3\n", "words are counted from 0 here, and this file seems to count from 1"),
    ("0\t0-0 1-7\n", "sentence 0: a link of English word 7 and French word 1, but the sentences have "
     "3 and 3 words"),
    ("0\t0-0\n1\t0-0\n", "nowhere is not a run folder"),
    ("0\t0-0\n", "1 of its 1 pairs have a sure link; layer and head are chosen on every other such pair"),
    ("0\t0p0\n1\t0-0\n", "1 of its 2 pairs have a sure link; layer and head are chosen on every other such"),
])
def test_what_is_refused(call, tmp_path, links, words):
    for name, sentences in (STORY | {"ali_w2w_Chat_Cat.txt": [links]}).items():
        (tmp_path / name).write_text("".join(sentences[:links.count("\n")]))
    status, out, err = call(align, "--run=nowhere", f"--links={tmp_path}")
    assert status == 2 and not out and words in err and err.count("\n") == 1
    status, _, err = call(align, "--run=nowhere", f"--links={tmp_path}", "--source=test.e")
    assert status == 2 and "--source and --target go together" in err
    status, _, err = call(align, "--run=nowhere", f"--links={tmp_path}/ali_w2w_Chat_Cat.txt")
    assert status == 2 and "is a file: the folder of the Alibi stories is needed, or --source" in err


def test_what_is_left_out_is_said_on_standard_error(call, monkeypatch, tmp_path):
    def errors(run, texts, sure, possible):
        assert texts == (["the black cat", "yes"], ["le chat noir", "oui"])
        assert list(sure) == [{(2, 1)}, {(0, 0)}] and list(possible) == [{(0, 0)}, set()]
        chosen = head_alignment.Chosen("0.0", 0.5, {"0.0": 0.25, "mean": 0.75}, [])
        return head_alignment.Errors({("predict", False): chosen}, 0.875, 0.5, 0.625)

    def gone(*_):
        raise ValueError("text is gone")

    run = types.SimpleNamespace(
        run=types.SimpleNamespace(config=Config()),
        translator=types.SimpleNamespace(attends=True, spelling=MOSES,
                                         tokenizer=tokenizers.train("word", ["the cat"], 11)))
    for module, name, stand_in in ((load, "load", lambda *_, say: run), (head_alignment, "errors", errors),
                                   (sources, "load", gone)):
        monkeypatch.setattr(module, name, stand_in)
    english, french, links = (tmp_path / name for name in ("test.e", "test.f", "test.wa"))
    english.write_text("".join(f"<s snum=000{n}> {text} </s>\n" for n, text in
                               enumerate(("the black cat", "so", "yes"))))
    french.write_text("".join(f"<s snum=000{n}> {text} </s>\n" for n, text in
                              enumerate(("le chat noir", "ainsi", "oui"))))
    links.write_text("0000 3 2 S\n0000 1 1 P\n0000 0 3 P\n0002 1 1 S\n")
    status, out, err = call(align, "--run=planted", f"--links={links}", f"--source={english}",
                            f"--target={french}", "--every")
    assert status == 0 and err.splitlines() == [
        f"align: {links}: 1 null link, 1 pair without sure links",
        "align: words unknown to the run can't be counted: text is gone"]
    assert [line.split("\t") for line in out.splitlines()] == [
        ["pairs", "2"], ["step", "weighed_by", "head", "error_rate", "mean_of_heads"],
        ["predict", "weight", "0.0", "0.2500", "0.7500"],
        ["not_trained", "0.8750"], ["diagonal", "0.5000"], ["uniform", "0.6250"],
        ["step", "weighed_by", "layer.head", "error_rate"],
        ["predict", "weight", "0.0", "0.2500"], ["predict", "weight", "mean", "0.7500"]]
