"""CoarseWSD-20 folders, written by hand and real."""

import pytest

from attention_lab.data import labelled
from attention_lab.data.readers import coarsewsd

NAMES = '{"0": "bank_bank", "1": "bank_river"}'
BANK = {"train.data.txt": "1\ta bank .\n0\tbanks of mud", "train.gold.txt": "0\n1",
        "test.data.txt": "2\tby the bank\n", "test.gold.txt": "1\n", "classes_map.txt": NAMES}


def put(folder, word="bank", **changes):
    """Writes a word's folder; train_data="..." changes train.data.txt, None leaves it out."""
    place = folder / word
    place.mkdir()
    files = BANK | {f"{name.replace('_', '.')}.txt": text for name, text in changes.items() if name != "map"}
    if "map" in changes:
        files["classes_map.txt"] = changes["map"]
    for name, text in files.items():
        if text is not None:
            (place / name).write_bytes(text.encode())
    return folder


def test_reads_a_word(tmp_path):
    parts = coarsewsd.read(put(tmp_path), "bank")
    train, test = parts["train"], parts["test"]
    assert list(parts) == ["train", "test"]
    assert (train.text, train.position) == (["a bank .", "banks of mud"], [1, 0])
    assert (train.word, train.label) == (["bank", "bank"], ["bank_bank", "bank_river"])
    assert (test.text, test.position, test.label, test.truth) == (["by the bank"], [2], ["bank_river"], None)
    assert train.counts == {"byte_order_mark": 0, "cr_line_ends": 0, "odd_spaces": 0, "index_off_word": 0,
                            "empty_classes": 0, "sentences": 2}
    assert test.counts == train.counts | {"empty_classes": 1, "sentences": 1}


def test_reads_all_words_and_counts_other_folders(tmp_path):
    put(tmp_path, "seal", map='{"0": "seal_animal", "1": "seal_ring"}', train_gold="1\r\n0\r\n")
    put(put(tmp_path), "notes", map=None)
    (tmp_path / "LICENSE").write_text("a file, no folder")
    parts = coarsewsd.read(tmp_path, "all")
    assert parts["train"].word == ["bank", "bank", "seal", "seal"]
    assert parts["train"].label == ["bank_bank", "bank_river", "seal_ring", "seal_animal"]
    assert parts["train"].position == [1, 0, 1, 0]
    counts = parts["train"].counts
    assert (counts["sentences"], counts["folders_left_out"], counts["cr_line_ends"]) == (4, 1, 2)
    assert counts["index_off_word"] == 2  # "bank" stands in the sentences of seal
    assert parts["test"].counts["sentences"] == 2
    assert coarsewsd.words_in(tmp_path) == (["bank", "seal"], 1)


def test_oddities_are_counted(tmp_path):
    put(tmp_path, train_data="\ufeff1\ta  bank\u00a0.\r\n0\tthe bank\r\n", train_gold="0\r\n0\r\n",
        test_gold="0\n", test_data="1\ta bank .\n")
    train = coarsewsd.read(tmp_path, "bank")["train"]
    assert train.text == ["a bank .", "the bank"] and train.position == [1, 0]
    assert train.counts == {"byte_order_mark": 1, "cr_line_ends": 4, "odd_spaces": 1, "index_off_word": 1,
                            "empty_classes": 1, "sentences": 2}


@pytest.mark.parametrize("changes, message", [
    ({"train_data": "1\ta bank .\n3\tbanks of mud"},
     r"train.data.txt: line 2: index 3 is outside the sentence, which has 3 words from 0 to 2"),
    ({"train_data": "-1\ta bank .\n0\tbanks"}, "train.data.txt: line 1: index -1 is outside"),
    ({"train_data": "1\ta bank ."}, r"train.data.txt has 1 lines, .*train.gold.txt has 2; "),
    ({"test_gold": "1\n1\n"}, r"test.data.txt has 1 lines, .*test.gold.txt has 2; "),
    ({"train_gold": "0\n2"}, "train.gold.txt: line 2: class '2' is none of 0, 1 in classes_map.txt"),
    ({"train_gold": "0\n0"}, "bank: the class 'bank_river' of 'bank' is in test but not in train"),
    ({"train_data": "1\ta bank .\nbanks of mud"}, "train.data.txt: line 2 is not 'index TAB sentence'"),
    ({"train_data": "1\ta bank .\n0\tbanks\tof"}, "train.data.txt: line 2 is not 'index TAB sentence'"),
    ({"train_data": "1\ta bank .\none\tbanks"}, "train.data.txt: line 2: 'one' is no index"),
    ({"train_data": "1\ta bank .\n0\t "}, "train.data.txt: line 2 has no sentence"),
    ({"test_data": "", "test_gold": ""}, "test.data.txt: no sentence in it"),
    ({"map": '{"0": "a",\n'}, "classes_map.txt: no JSON: line 1: "),
    ({"map": '["a", "b"]'}, "classes_map.txt: {\"0\": "),
    ({"map": '{"0": "a", "1": "b", "0": "c"}'}, "classes_map.txt: class number '0' has two names"),
    ({"map": '{"0": "a", "1": "a"}'}, "classes_map.txt: two class numbers have the same name"),
])
def test_bad_files_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        coarsewsd.read(put(tmp_path, **changes), "bank")
    assert "\n" not in str(caught.value)


def test_unknown_words_and_folders_without_words_are_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="data.directory: .*empty has no words; it names .* classes_map.txt"):
        coarsewsd.read(empty, "all")
    with pytest.raises(ValueError, match="data.directory: .*gone: No such file or directory; it names"):
        coarsewsd.read(tmp_path / "gone", "all")
    put(put(tmp_path), "seal")
    message = r"data.word: 'banc' is not in .* has bank, seal \(all for all of them\); did you mean bank\?$"
    with pytest.raises(ValueError, match=message):
        coarsewsd.read(tmp_path, "banc")
    with pytest.raises(ValueError, match=r"them\)$"):
        coarsewsd.read(tmp_path, "xyz")


@pytest.mark.parametrize("folder, finance", [("CoarseWSD-20", 1061), ("CoarseWSD-20_balanced", 46)])
def test_the_real_bank(data_folder, folder, finance):
    parts = coarsewsd.read(data_folder / "coarsewsd20" / folder, "bank")
    assert parts["train"].label.count("bank_bank") == finance
    assert parts["train"].label.count("bank_bank_(geography)") == 46
    assert len(parts["train"]) == finance + 46 and len(parts["test"]) == 455


def test_all_real_words(data_folder):
    directory = data_folder / "coarsewsd20" / "CoarseWSD-20"
    parts = coarsewsd.read(directory, "all")
    assert (len(parts["train"]), len(parts["test"])) == (12614, 5430)
    assert {word: len(labels) for word, labels in labelled.classes(parts["train"]).items()} == {
        "apple": 2, "bank": 2, "bow": 3, "chair": 2, "club": 3, "crane": 2, "java": 2, "mole": 5, "seal": 4,
        "spring": 3, "square": 4, "trunk": 3}
    for part in parts.values():
        assert part.counts["index_off_word"] == part.counts["empty_classes"] == 0
        assert all(text.split(" ")[place] == word
                   for text, place, word in zip(part.text, part.position, part.word))
    java = coarsewsd.read(directory, "java")["train"]
    assert java.counts["cr_line_ends"] == 4503  # of 4,504 lines of gold, of which the last has no end
    assert not any("\r" in text for text in java.text)
