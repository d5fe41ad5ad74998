"""Both tokenizers: exact way back, same bytes, unknown text, special ids."""

import functools
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab.data import tokenizers, vocabulary
from attention_lab.data.readers import multi30k

REAL = os.environ.get("ATTENTION_LAB_DATA")
SIZE = 260  # entries, as many as the bytes and the special ids
TEXT = ["a man in a blue shirt .", "un homme avec l&apos; arbre d&apos; hiver .",
        "two men sit , and a woman &apos;s dog runs .", "Les hommes s'assoient : « Là-bas ! »",
        "The U.S. flag, 10,000 \"stars\" (or so)...", "l'homme aujourd'hui n'est pas là."] * 3


@pytest.fixture(scope="module", params=tokenizers.TOKENIZERS)
def tokenizer(request):
    return tokenizers.train(request.param, TEXT, SIZE)


def test_decode_gives_back_what_was_encoded(tokenizer):
    complete = tokenizers.train(tokenizer.kind, TEXT, 1000)
    assert complete.decode(complete.encode(TEXT)) == TEXT


@settings(max_examples=200, deadline=None)
@given(st.text(sorted(set("".join(TEXT))), max_size=30))
def test_subwords_round_trip_any_text_of_known_characters(text):
    tokenizer = subwords()
    ids = tokenizer.encode([text])
    assert vocabulary.UNKNOWN not in ids[0]
    assert tokenizer.decode(ids) == [" ".join(text.split())]


@functools.cache
def subwords():
    return tokenizers.train("bpe", TEXT, 120)


def test_words_are_split_at_spaces_only():
    tokenizer = tokenizers.train("word", TEXT, 1000)
    row = tokenizer.encode(["woman &apos;s dog"])[0]
    assert tokenizer.tokens(row) == ["woman", "&apos;s", "dog"]


def test_subwords_begin_words_with_the_mark_and_never_cross_spaces():
    tokenizer = tokenizers.train("bpe", ["in the"] * 50, 100)
    assert tokenizer.tokens(tokenizer.encode(["in the"])[0]) == ["▁in", "▁the"]


@pytest.mark.parametrize("raw, expected", [
    ("dog. dog.", ["▁dog", ".", "▁dog", "."]), ("l'homme", ["▁l'", "homme"]),
    ("(dog, dog)", ["▁(", "dog", ",", "▁dog", ")"]), ("l&apos; dog", ["▁l&apos;", "▁dog"])])
def test_raw_marks_and_articles_are_parted_from_words(raw, expected):
    tokenizer = tokenizers.train("bpe", [raw, "dog l' (dog dog) homme"] * 50, 200)
    assert tokenizer.tokens(tokenizer.encode([raw])[0]) == expected


def test_unseen_parts_become_unknown_and_are_counted():
    subword = subwords()
    assert subword.encode(["ñandú"])[0].count(vocabulary.UNKNOWN) == 2
    assert subword.unseen(["ñandú", "mañana"]) == Counter("ññú")
    word = tokenizers.train("word", ["a b c", "a b"], 100)
    assert word.encode(["a x c x"]) == [[4, 1, 6, 1]]
    assert word.unseen(["a x c x", ""]) == {"x": 2}


def test_the_most_frequent_words_are_kept():
    word = tokenizers.train("word", ["a b c", "a b", "a"], 6)
    assert word.size == 6
    assert word.encode(["a b c"]) == [[4, 5, vocabulary.UNKNOWN]]


def test_special_ids_come_first_are_skipped_and_end_the_text(tokenizer):
    assert tokenizer.tokens(range(4)) == ["<pad>", "<unk>", "<s>", "</s>"]
    row = tokenizer.encode(["a man"])[0]
    assert not set(row) & {vocabulary.PAD, vocabulary.BOS, vocabulary.EOS}
    padded = np.array([vocabulary.BOS, *row, vocabulary.EOS, *row, vocabulary.PAD], np.int32)
    assert tokenizer.decode([padded, tokenizer.encode(["a"])[0], []]) == ["a man", "a", ""]


def test_special_tokens_typed_by_someone_are_text(tokenizer):
    specials = {vocabulary.PAD, vocabulary.BOS, vocabulary.EOS}
    assert not specials & set(tokenizer.encode(["a <s> b </s> <pad>"])[0])
    frequent = tokenizers.train(tokenizer.kind, ["a x</s> </s>"] * 99, SIZE)
    assert not specials & set(frequent.encode(["x</s> </s>"])[0])


def test_save_and_load_are_the_same_tokenizer(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = tokenizers.load(tmp_path / "tokenizer.json")
    assert (loaded.kind, loaded.size) == (tokenizer.kind, tokenizer.size)
    odd = TEXT + ["</s> ñ", ""]
    assert loaded.encode(odd) == tokenizer.encode(odd)
    assert tokenizer.size <= SIZE and max(max(row) for row in tokenizer.encode(TEXT)) < SIZE


@pytest.mark.parametrize("kind", tokenizers.TOKENIZERS)
def test_the_same_text_gives_the_same_bytes_in_another_process(kind, tmp_path):
    tokenizers.train(kind, TEXT, SIZE).save(tmp_path / "here")
    program = ("import sys; from attention_lab.data import tokenizers; "
               f"tokenizers.train({kind!r}, {TEXT!r}, {SIZE}).save(sys.argv[1])")
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "there")], check=True,
                   env={**os.environ, "PYTHONHASHSEED": "7", "RAYON_NUM_THREADS": "1",
                        "PYTHONPATH": os.pathsep.join(sys.path)})
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


@pytest.mark.parametrize("content", ["", "{}", "no json", '{"version": "1.0", "model": {}}'])
def test_what_is_no_tokenizer_is_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(ValueError, match="t.json: not a tokenizer of attention_lab") as error:
        tokenizers.load(tmp_path / "t.json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind, text, size, message", [
    ("char", ["a"], 10, "data.tokenizer=char is not one of bpe, word"),
    ("bpe", [" ", ""], 10, "no text"), ("bpe", ["abcdef"], 10, "10 is too small .* need 11"),
    ("word", ["abcdef"], 4, "4 is too small .* need 5")])
def test_bad_requests_are_refused(kind, text, size, message):
    with pytest.raises(ValueError, match=message):
        tokenizers.train(kind, text, size)


def test_the_smallest_vocabulary_that_is_allowed_works():
    assert tokenizers.train("bpe", ["abcdef"], 11).size == 11


@pytest.mark.skipif(not REAL, reason="ATTENTION_LAB_DATA is not set")
@pytest.mark.parametrize("text", ["raw", "tokenized"])
def test_real_text_round_trips(text):
    read = multi30k.read(os.path.join(REAL, "multi30k"), "dev", text)
    tokenizer = tokenizers.train("bpe", read.source + read.target, 1500)
    assert tokenizer.size == 1500
    for side in (read.source, read.target):
        assert tokenizer.decode(tokenizer.encode(side)) == side
