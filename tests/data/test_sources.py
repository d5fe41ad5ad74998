"""Corpora of classified sentences from every source: splits, shots, digests."""

import json

import pytest

from attention_lab import config as configs
from attention_lab.config import Data
from attention_lab.config.registries import SOURCES
from attention_lab.data import labelled, sources, tokenizers
from attention_lab.data.labelled import Labelled
from attention_lab.data.sequences import Sequences


@pytest.fixture
def place(tmp_path):
    """A folder with a word of CoarseWSD-20, a TSV, a CSV and files of classes, twenty sentences a class."""
    folder = tmp_path / "words" / "bank"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        rows = [f"2\t{split} the bank {i}" for i in range(40)]
        (folder / f"{split}.data.txt").write_text("\n".join(rows) + "\n")
        (folder / f"{split}.gold.txt").write_text("".join(f"{i % 2}\n" for i in range(40)))
    (folder / "classes_map.txt").write_text(json.dumps({"0": "river", "1": "money"}))
    (tmp_path / "senses.tsv").write_text("".join(
        f"1\tthe bank {i}\t{'river' if i % 2 else 'money'}\n" for i in range(40)))
    (tmp_path / "sst.csv").write_text("text,label,exp_split\n" + "".join(
        f"{split} film {i},{i % 2},{split}\n" for split in ("train", "dev", "test") for i in range(40)))
    (tmp_path / "classes").mkdir()
    for name in ("pos", "neg"):
        (tmp_path / "classes" / f"film.{name}").write_text("".join(f"{name} film {i}\n" for i in range(20)))
    return tmp_path


@pytest.fixture
def everywhere(place):
    """The folder with what every source reads: Multi30k too, in both forms, and sentence pairs."""
    pairs = {"en": "a {} dog .\n", "fr": "un chien {} .\n"}
    (place / "multi30k").mkdir()
    for name in ("train", "val", "test_2016_flickr"):
        for side, line in pairs.items():
            (place / "multi30k" / f"{name}.lc.norm.tok.{side}").write_text(line.format(name))
            (place / "multi30k" / f"{name}.{side}").write_text(line.format(name).capitalize())
    (place / "pairs.tsv").write_text("".join(f"a dog {i}\tun chien {i}\n" for i in range(9)))
    return place


FILES = {"multi30k": "multi30k", "tsv": "pairs.tsv", "coarsewsd": "words", "senses_tsv": "senses.tsv",
         "sentiment_csv": "sst.csv", "sentiment_files": "classes"}
TINY = {"train_size": 8, "dev_size": 2, "test_size": 2, "vocabulary_size": 60, "most_distance": 9,
        "length": 24}


def content(folder, source, **more):
    """The examples of train that a source gives, as text."""
    location = SOURCES[source].location.removeprefix("data.")
    where = {location: str(folder / FILES[source])} if source in FILES else {}
    train = sources.load(Data(source=source, **{**TINY, **where, **more}), ("train",))["train"]
    return str(train.source.tolist() if isinstance(train, Sequences) else train.text_columns())


def test_any_two_sources_are_two_corpora(everywhere):
    """No name quietly means another's reader."""
    corpora = {source: content(everywhere, source) for source in SOURCES}
    assert len(set(corpora.values())) == len(SOURCES) > 9
    with pytest.raises(ValueError, match="^data.source=gramar is not one of grammar, multi30k, tsv, "):
        sources.load(Data(source="gramar"))


@pytest.mark.parametrize("source", FILES)
def test_a_source_without_its_path_or_folder_is_refused(source):
    field, contents = SOURCES[source].location, SOURCES[source].contents
    message = f"^{field}: not given; data.source={source} needs {contents}$"
    for load in (sources.load, sources.load_whole):
        with pytest.raises(ValueError, match=message):
            load(Data(source=source))


def test_any_two_texts_and_tokenizers_differ(everywhere):
    choices = configs.all_fields()
    # Other choices are tried in tests/models/test_choices.py and tests/training/test_programs.py.
    assert {key for key, field in choices.items() if field.choices and key.partition(".")[0] not in (
        "model", "attention", "optimizer", "training", "decoding")} == {
            "data.source", "data.text", "data.tokenizer", "data.split"}
    texts = {content(everywhere, "multi30k", text=text) for text in choices["data.text"].choices}
    assert len(texts) == len(choices["data.text"].choices) == 2
    kinds = choices["data.tokenizer"].choices
    assert len({tuple(tokenizers.train(kind, ["ab ab cd"] * 3, 260).encode(["ab cd"])[0])
                for kind in kinds}) == len(kinds) == 3
    parts = {str(sources.load(Data(source="grammar", **TINY), (part,))[part].source)
             for part in choices["data.split"].choices}
    assert len(parts) == 2


def test_sources_in_one_piece_are_read_whole(everywhere):
    assert len(sources.load_whole(Data(source="tsv", path=str(everywhere / "pairs.tsv")))) == 9
    text = sources.load_whole(Data(source="text", path=str(everywhere / "pairs.tsv")))
    assert list(text.lines()) == [f"a dog {i} un chien {i}" for i in range(9)]
    assert sources.load_whole(Data(source="text")) is None
    assert sources.load_whole(Data(source="grammar")) is None


def test_the_share_of_ambiguous_nouns_is_that_of_train_alone():
    few, many = (sources.load(Data(source="grammar", train_size=307, dev_size=5, test_size=3,
                                   ambiguous_share=share)) for share in (0.0, 1.0))
    assert few["dev"].source == many["dev"].source and few["test"].source == many["test"].source
    assert not any(sentence.senses for sentence in few["train"].truth)
    assert sum(bool(sentence.senses) for sentence in many["train"].truth) > 250


def data(place, source, **more):
    name, file = {"coarsewsd": ("directory", "words"), "senses_tsv": ("path", "senses.tsv"),
                  "sentiment_csv": ("path", "sst.csv"), "sentiment_files": ("directory", "classes")}[source]
    return Data(source=source, **{name: str(place / file)}, **more)


# Of 20 sentences of a class 15 % are 3 to score on; 15 % of the other 17, rounded, are 3 to choose on.
SIZES = {"coarsewsd": (34, 6, 40), "senses_tsv": (28, 6, 6), "sentiment_csv": (40, 40, 40),
         "sentiment_files": (28, 6, 6)}


@pytest.mark.parametrize("source", SIZES)
def test_splits_share_no_sentence_and_have_every_class(place, source):
    corpus = sources.load(data(place, source))
    assert tuple(len(corpus[name]) for name in ("train", "dev", "test")) == SIZES[source]
    texts = [text for part in corpus.values() for text in part.text]
    assert len(set(texts)) == len(texts)
    assert len({str(labelled.classes(part)) for part in corpus.values()}) == 1
    again = sources.load(data(place, source, corpus_seed=1))
    assert (again["dev"].text != corpus["dev"].text) == (source != "sentiment_csv")


def test_few_shots_are_taken_of_train_alone(place):
    corpus = sources.load(data(place, "coarsewsd", shots=3))
    assert [len(corpus[name]) for name in ("train", "dev", "test")] == [6, 6, 40]
    assert sorted(corpus["train"].label) == ["money"] * 3 + ["river"] * 3
    many = sources.load(data(place, "coarsewsd", shots=19))["train"]
    assert len(many) == 34 and many.counts["classes_below_shots"] == 2


def test_everything_is_for_sources_that_hold_out_themselves(place):
    for source, count in {"senses_tsv": 40, "sentiment_files": 40}.items():
        assert len(sources.load_whole(data(place, source))) == count
    for source in ("coarsewsd", "sentiment_csv"):
        assert sources.load_whole(data(place, source)) is None


def test_the_grammar_is_named_by_its_fields():
    small = Data(source="senses", train_size=5, dev_size=3, test_size=2, most_distance=4)
    corpus = sources.load(small, ("dev", "train"))
    assert [(name, len(part)) for name, part in corpus.items()] == [("dev", 3), ("train", 5)]
    with pytest.raises(ValueError, match="^data.max_words=7: a deciding word 40 words away needs"):
        sources.load(Data(source="senses", max_words=7))


def test_a_word_is_asked_for_where_words_have_folders(place):
    assert set(sources.load(data(place, "coarsewsd", word="bank"))["train"].word) == {"bank"}
    for source in ("senses_tsv", "sentiment_csv"):
        with pytest.raises(ValueError, match=f"^data.word=bank: data.source={source} has all its words in"):
            sources.load(data(place, source, word="bank"))


def test_a_file_too_small_to_hold_anything_out_is_refused(place):
    (place / "senses.tsv").write_text("1\tthe bank\triver\n1\ta bank\tmoney\n")
    with pytest.raises(ValueError, match="senses.tsv: no sentence is left for dev: .* 3 different sent"):
        sources.load(data(place, "senses_tsv"))


def one_class(place, source):
    """Leaves one class in the files of a source."""
    if source == "coarsewsd":
        for split in ("train", "test"):
            (place / "words" / "bank" / f"{split}.gold.txt").write_text("0\n" * 40)
        return "river"
    if source == "sentiment_files":
        (place / "classes" / "film.neg").write_text("\n")
        return "two classes that have some are needed"
    path = place / FILES[source]
    path.write_text(path.read_text().replace("river", "money").replace(",1,", ",0,"))
    return {"senses_tsv": "money", "sentiment_csv": "0"}[source]


@pytest.mark.parametrize("source", SIZES)
def test_one_class_alone_is_refused(place, source):
    with pytest.raises(ValueError, match=f"nothing to decide between: .* there is {one_class(place, source)}$"
                       if source != "sentiment_files" else one_class(place, source)):
        sources.load(data(place, source))


def also(part):
    return {name: count for name, count in part.counts.items() if "_also_in_" in name}


def test_sentences_of_several_splits_are_counted(everywhere):
    """Of translations: train and dev have all of test, dev one pair with another translation."""
    folder = everywhere / "multi30k"
    for name, english, french in (("train", "a\nb\nc", "A\nB\nC"), ("val", "a\nb\nd", "A\nX\nD"),
                                  ("test_2016_flickr", "a\nd\na", "A\nD\nA")):
        (folder / f"{name}.en").write_text(english)
        (folder / f"{name}.fr").write_text(french)
    corpus = sources.load(Data(source="multi30k", directory=str(folder), text="raw"))
    assert also(corpus["train"]) == {}
    assert also(corpus["dev"]) == {"source_sentences_also_in_train": 2, "pairs_also_in_train": 1}
    assert also(corpus["test"]) == {
        "source_sentences_also_in_train": 2, "pairs_also_in_train": 2,
        "source_sentences_also_in_dev": 3, "pairs_also_in_dev": 3}


def test_classified_sentences_of_several_splits_are_counted(place):
    for path, old, new in ((place / "sst.csv", "test film 1,1,", "train film 1,1,"),
                           (place / "sst.csv", "test film 2,0,", "train film 2,1,"),
                           (place / "words" / "bank" / "test.data.txt", "test the bank 3\n",
                            "train the bank 3\n")):
        path.write_text(path.read_text().replace(old, new))
    assert also(sources.load(data(place, "sentiment_csv"))["test"]) == {
        "sentences_also_in_train": 2, "sentences_with_their_class_also_in_train": 1}
    of_words = sources.load(data(place, "coarsewsd"))
    counted = [also(of_words["test"]).get(f"sentences_also_in_{part}", 0) for part in ("train", "dev")]
    assert sum(counted) == 1


def test_a_sentence_of_train_with_two_classes_is_counted_once(place):
    """A sentence that repeats its class, or is of another word of the same sentence, contradicts nothing."""
    rows = [("the bank", 1, "bank", "river"), ("the bank", 1, "bank", "money"),
            ("the bank", 1, "bank", "river"), ("a bank", 1, "bank", "money"),
            ("a bank", 1, "bank", "money"), ("a bank", 0, "a", "article")]
    counted = labelled.with_contradictions(Labelled(*map(list, zip(*rows))))
    assert counted.counts == {"sentences_of_several_classes": 1}
    path = place / "sst.csv"
    path.write_text(path.read_text() + "train film 1,0,train\ntrain film 1,1,train\ntest film 1,0,test\n")
    told = {split: part.counts.get("sentences_of_several_classes")
            for split, part in sources.load(data(place, "sentiment_csv")).items()}
    assert told == {"train": 1, "dev": None, "test": None}


def test_what_is_odd_in_a_csv_is_told_of_the_first_split_that_is_read(place):
    path = place / "sst.csv"
    path.write_text(path.read_text() + " odd  film,1,test\n")
    for splits, told in ((("train", "dev", "test"), "train"), (("test",), "test")):
        corpus = sources.load(data(place, "sentiment_csv"), splits)
        assert [split for split, part in corpus.items() if part.counts.get("odd_spaces")] == [told]


def test_text_place_word_and_class_change_the_digest():
    one = Labelled(["a b"], [0], ["a"], ["x"])
    others = [Labelled(["a c"], [0], ["a"], ["x"]), Labelled(["a b"], [1], ["a"], ["x"]),
              Labelled(["a b"], [0], ["b"], ["x"]), Labelled(["a b"], [0], ["a"], ["y"])]
    digests = {sources.digest({"train": part}) for part in (one, *others)}
    assert len(digests | {sources.digest({"dev": one})}) == 6
    # The order of the splits is not the corpus's.
    assert sources.digest({"train": one, "dev": others[0]}) == sources.digest(
        {"dev": others[0], "train": one})
