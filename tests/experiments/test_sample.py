"""A language model on a text of the user's, from the command line: trained, continued, sampled, refused."""

import json

import pytest

from experiments import sample, train

pytestmark = pytest.mark.once

CONFIG = "--config=configs/language.py:"


@pytest.fixture
def text(tmp_path):
    """A file of eighty lines, and a function that writes another."""
    path = tmp_path / "text.txt"

    def write(content):
        path.write_bytes(content)
        return path

    write(b"".join(f"the dog {i % 7} sees\n\n".encode() for i in range(40)))
    return write


def trained(call, tmp_path, *more):
    return call(train, f"{CONFIG}smoke", f"--config.data.path={tmp_path}/text.txt",
                f"--workdir={tmp_path}/run", *more)


@pytest.mark.parametrize("variant", ["smoke", "bytes,smoke", "bpe,gru,smoke"])
def test_any_text_is_modelled_and_continued(call, tmp_path, text, variant):
    command = [f"{CONFIG}{variant}", f"--config.data.path={tmp_path}/text.txt", f"--workdir={tmp_path}/run"]
    status, out, err = call(train, *command)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert status == 0 and {"test_perplexity", "test_bits_per_byte"} <= set(result), err
    run = [f"--run={tmp_path}/run", "--prompt=the  dog", "--tokens=9"]
    asked = [*run, "--top_k=3", "--temperature=0.5"]
    status, out, err = call(sample, *asked)
    assert status == 0 and out.startswith("the dog") and err == ""
    assert call(sample, *asked)[1] == out
    assert len({call(sample, *asked, f"--seed={seed}")[1] for seed in range(4)}) > 1
    greedy = {call(sample, *run, option, f"--seed={seed}")[1] for option in ("--temperature=0", "--top_k=1")
              for seed in range(3)}
    assert len(greedy) == 1
    assert {call(sample, *run, "--top_p=1e-9", f"--seed={seed}")[1] for seed in range(3)} == greedy
    status, out, _ = call(sample, *run, "--samples=3")
    texts = out.split("\n--\n")
    assert status == 0 and len(texts) == 3 and all(text.startswith("the dog") for text in texts)
    text(b"another text\n" * 40)
    status, _, err = call(train, *command)
    assert status == 2 and "text.txt" in err.splitlines()[-1] and "was trained on" in err


def test_a_prompt_with_words_that_are_not_known(call, tmp_path, text):
    assert trained(call, tmp_path)[0] == 0
    status, out, err = call(sample, f"--run={tmp_path}/run", "--prompt=the wolf", "--tokens=1")
    assert status == 0 and out.startswith("the ") and "1 word never seen in training: wolf" in err


@pytest.mark.parametrize("content, more, said", [
    (b"", [], "text.txt: has no text: it is empty"),
    (b"\n\n", [], "text.txt: has no text: of 2 lines all are empty"),
    (b"one line", [], "has no line end"),
    (b"a b\n" * 400, ["--config.data.context=33"],
     "batch_tokens=256: a batch has at least 8 contexts of data.context=33; at least 264 is allowed"),
    ("caf\u00e9\n".encode("latin-1") * 50, [], "line 1 is not UTF-8 (byte 0xe9)"),
    (b"a b\n" * 40, ["--config.data.context=100"], "data.context=100 is longer than the text"),
    (b"a b\n" * 32, [], "data.dev_size=16 and data.test_size=16 leave none of the 32 lines"),
    (b"a b\n" * 40, ["--config.data.context=1"], "data.context=1 is not an integer of at least 2"),
    (b"a b\n" * 40, ["--config.model.causal=false"], "model.causal=false"),
    (b"a b\n" * 40, ["--config.data.tokenizer=bytes"], "bpe, word, byte")])
def test_a_text_or_context_that_cannot_be_used(call, tmp_path, text, content, more, said):
    text(content)
    status, out, err = trained(call, tmp_path, *more)
    assert status == 2 and out == "" and "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert said in last and ": error: " in last and ("data." in last or "model." in last)


def test_stories_are_cut_into_words(call, tmp_path):
    status, _, err = call(train, f"{CONFIG}bytes,smoke", f"--workdir={tmp_path}/run")
    assert status == 2 and "data.tokenizer=byte: stories" in err.splitlines()[-1]


def test_other_runs_are_not_sampled_from(call, tmp_path):
    assert call(train, "--config=configs/recall.py:smoke", f"--workdir={tmp_path}/run")[0] == 0
    status, out, err = call(sample, f"--run={tmp_path}/run")
    assert status == 2 and "does not continue a text: its data.source is recall" in err
    status, out, err = call(sample, f"--run={tmp_path}/run", "--temperature=-1")
    assert status == 2 and "temperature" in err.splitlines()[-1]
    for p in ("0", "1.5"):
        status, out, err = call(sample, f"--run={tmp_path}/run", f"--top_p={p}")
        assert status == 2 and f"--top_p={p} is not a number above 0 and at most 1" in err.splitlines()[-1]
