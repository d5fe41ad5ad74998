"""disambiguate and evaluate on one run of two words and one of whole sentences."""

import json
import re

import pytest

from experiments import disambiguate, evaluate, train, translate
from tests.experiments.words import SENSES, SENTIMENT, TINY, trained, write_films, write_word


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("senses")
    write_word(folder / "words", "bank", ["money", "rivers"])
    write_word(folder / "words", "club", ["golf", "music", "cards"])
    trained(f"{SENSES}:coarsewsd,bag_of_words,smoke", *TINY, f"--workdir={folder}/run",
            f"--config.data.directory={folder}/words")
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    trained(f"{SENTIMENT}:average,sst,smoke", *TINY, f"--workdir={folder}/run",
            f"--config.data.path={write_films(folder / 'films.csv')}")
    return folder


def numbers(out):
    return dict(line.split("\t") for line in out.splitlines())


def test_a_line_for_each_word_that_is_known(call, place, monkeypatch):
    text = b"The Bank of money.\n\nno word of it\nthe banks and the club .\n"
    status, out, err = call(disambiguate, f"--run={place}/run", stdin=text)
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and [(row[0], *row[3:5]) for row in rows] == [
        ("bank", "1", "1"), ("-", "2", "-"), ("-", "3", "-"), ("bank", "4", "1"), ("club", "4", "4")]
    assert rows[1] == ["-", "-", "-", "2", "-"]
    assert "2 of 4 lines are without a word that the run knows" in err
    for row, senses in ((rows[0], {"money", "rivers"}), (rows[4], {"golf", "music", "cards"})):
        assert {row[1], *row[5::2]} == senses
        found = [float(p) for p in (row[2], *row[6::2])]
        assert found == sorted(found, reverse=True) and sum(found) == pytest.approx(1, abs=2e-4)
    assert "4 words never seen in training: . banks and\n" in err  # of the lines that have an answer
    # Typed line by line the numbers of the lines go on.
    monkeypatch.setattr(disambiguate.stdin, "parts", lambda: ([line] for line in text.decode().splitlines()))
    assert call(disambiguate, f"--run={place}/run")[1] == out


def test_the_word_by_which_a_sense_is_told(call, place, films):
    text = "in the bank of money test 3"
    status, out, _ = call(disambiguate, f"--run={place}/run", "--senses", stdin=f"{text}\n\n".encode())
    row, below, empty = out.splitlines()
    sense = row.split("\t")[1]
    found = re.fullmatch(rf"    bank: {sense}, not (money|rivers), told by (\w+)", below)
    assert status == 0 and found[1] != sense and empty.startswith("-\t")
    plain = call(disambiguate, f"--run={place}/run", stdin=f"{text}\n\n".encode())[1]
    assert plain.splitlines() == [row, empty]
    words = [word for word in text.split() if word != "bank"]
    without = "\n".join(" ".join(w for w in text.split() if w != word) for word in words)
    rows = [line.split("\t") for line in
            call(disambiguate, f"--run={place}/run", stdin=without.encode())[1].splitlines()]
    left = {word: float(row[row.index(sense) + 1]) for word, row in zip(words, rows, strict=True)}
    assert left[found[2]] == min(left.values())
    _, out, _ = call(disambiguate, f"--run={films}/run", "--senses", stdin=b"fine\na dull film\n")
    assert re.fullmatch(r"    -: (\w+), not (\w+)", out.splitlines()[1])
    assert re.fullmatch(r"    -: (\w+), not (\w+), told by (a|dull|film)", out.splitlines()[3])


def test_the_class_of_whole_sentences_and_where_it_looked(call, films, tmp_path):
    figure = tmp_path / "figure.png"
    status, out, err = call(disambiguate, f"--run={films}/run", f"--attention={figure}",
                            stdin=b"A fine film\n\nbad\n")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and [row[0] for row in rows] == ["-"] * 3 and rows[1] == ["-", "-", "-", "2", "-"]
    assert {rows[0][1], rows[0][5]} == {"positive", "negative"} and "1 of 3 lines is empty" in err
    assert figure.read_bytes().startswith(b"\x89PNG")
    status, _, err = call(disambiguate, f"--run={films}/run", f"--attention={figure}", stdin=b"\n")
    assert status == 2 and "there was no word to draw" in err
    assert call(disambiguate, f"--run={films}/run", stdin=b"") == (0, "", "")


def test_what_can_not_be_is_refused_in_one_line_before_anything_is_read(call, place, films, tmp_path):
    def refused(*argv, stdin=b"\xe9"):
        status, out, err = call(disambiguate, *argv, stdin=stdin)
        assert (status, out) == (2, "") and err.count("\n") == 1
        return err

    assert "has no attention to draw (model.kind=bag_of_words, model.pooling=mean)" in refused(
        f"--run={place}/run", f"--attention={tmp_path}/figure.png")
    assert ".png or .html in an existing folder" in refused(f"--run={films}/run",
                                                            f"--attention={tmp_path}/figure.pdf")
    assert "there is no such folder" in refused(f"--run={tmp_path}/none")
    status, _, err = call(translate, f"--run={place}/run", stdin=b"hi\n")
    assert status == 2 and "does not translate: its data.source is coarsewsd" in err


@pytest.mark.parametrize("bad, why", [
    (b"bank of money " * 1000, "line 2 has 3001 tokens and 1000 words to classify, at most "),
    (b"bank of " + b"snow " * 300000, "line 2 has 300003 tokens, at most "),
    (b"the bank caf\xe9", "line 2 is not UTF-8")])
def test_a_bad_line_takes_no_other_with_it(call, place, bad, why, monkeypatch):
    monkeypatch.setattr("attention_lab.tasks.limits.CLASSIFIED", 2 ** 26)  # a second rather than a minute
    status, out, err = call(disambiguate, f"--run={place}/run",
                            stdin=b"the bank of money\n" + bad + b"\nthe club\n")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and [(row[0], row[3]) for row in rows] == [("bank", "1"), ("-", "2"), ("club", "3")]
    assert why in err and "it has no answer" in err


def test_evaluate_repeats_the_result(call, place, films):
    for folder in (place, films):
        result = json.loads((folder / "run" / "result.json").read_text())
        for split in ("dev", "test"):
            status, out, _ = call(evaluate, f"--run={folder}/run", f"--config.data.split={split}")
            scored = numbers(out)
            assert status == 0 and {name: float(value) for name, value in scored.items()
                                    if name != "sentences"} == {
                name: value for name, value in result.items() if name.startswith(f"{split}_")}
    assert scored["sentences"] == "16"


def test_evaluate_scores_one_of_the_words(call, place):
    result = json.loads((place / "run" / "result.json").read_text())
    for split, count in (("dev", 4), ("test", 8)):
        status, out, _ = call(evaluate, f"--run={place}/run", "--config.data.word=bank",
                              f"--config.data.split={split}")
        scored = numbers(out)
        assert status == 0 and scored["sentences"] == str(count)
        assert float(scored[f"{split}_accuracy"]) == result[f"{split}_accuracy_bank"]
    status, out, err = call(evaluate, f"--run={place}/run", "--config.data.word=seal")
    assert (status, out) == (2, "")
    assert "does not know the word 'seal': it was trained on the words bank, club" in err


def test_evaluate_scores_all_of_another_file(call, place, tsv):
    path = tsv(b"0\tBanks in the hills\tmoney\n3\tin the music club\tmusic\n"
               b"2\tin the bank of money train 0\tmoney\n")
    other = ["--config.data.source=senses_tsv", f"--config.data.path={path}"]
    status, out, err = call(evaluate, f"--run={place}/run", *other)
    seen = int(numbers(out)["seen_in_training"])
    assert status == 0 and numbers(out)["sentences"] == str(3 - seen) and "test_accuracy_bank" in out
    assert seen <= 1 and " never seen in training" in err
    status, out, err = call(evaluate, f"--run={place}/run", *other, "--with_trained")
    assert status == 0 and numbers(out)["sentences"] == "3"
    for line, message in ((b"0\tbank\tmud\n", "does not know the class 'mud' of 'bank'"),
                          (b"0\tseal\tmoney\n", "does not know the word 'seal'")):
        tsv(line)
        status, out, err = call(evaluate, f"--run={place}/run", *other)
        assert (status, out) == (2, "") and message in err and err.count("\n") == 1


def test_evaluate_scores_another_folder(call, place, tmp_path):
    write_word(tmp_path / "others", "bank", ["money", "rivers"], count=7)
    status, out, err = call(evaluate, f"--run={place}/run", f"--config.data.directory={tmp_path}/others",
                            "--config.data.word=bank")
    assert status == 0 and numbers(out)["sentences"] == "8" and numbers(out)["seen_in_training"] == "0"
    write_word(tmp_path / "more", "bank", ["money", "rivers", "snow"])
    status, out, err = call(evaluate, f"--run={place}/run", f"--config.data.directory={tmp_path}/more",
                            "--config.data.word=bank")
    assert (status, out) == (2, "") and "the class 'snow' of 'bank'" in err


def test_evaluate_refuses_what_the_run_does_not_do(call, place, films):
    for folder, flag, message in (
            (place, f"--config.data.path={films}/films.csv", "does not classify whole sentences"),
            (films, f"--config.data.directory={place}/words", "it was trained on whole sentences")):
        source = "sentiment_csv" if folder is place else "coarsewsd"
        status, out, err = call(evaluate, f"--run={folder}/run", flag, f"--config.data.source={source}")
        assert (status, out) == (2, "") and message in err, err
    status, out, err = call(evaluate, f"--run={place}/run", "--config.data.source=grammar")
    assert (status, out) == (2, "") and "data.source=grammar" in err
    status, out, err = call(evaluate, f"--run={place}/run", "--lengths=1-9")
    assert (status, out) == (2, "") and "--lengths=1-9" in err and "classifies" in err


def test_text_that_was_changed_is_not_scored_as_held_out(call, tmp_path, place):
    path = write_word(tmp_path / "words", "bank", ["money", "rivers"])
    argv = [train, f"{SENSES}:coarsewsd,target_only,smoke", *TINY, f"--workdir={tmp_path}/run",
            f"--config.data.directory={path.parent}", "--config.data.word=bank"]
    assert call(*argv)[0] == 0
    (tmp_path / "words").rename(tmp_path / "moved")
    status, _, err = call(evaluate, f"--run={tmp_path}/run")
    assert status == 2 and "No such file or directory" in err
    status, out, _ = call(evaluate, f"--run={tmp_path}/run", f"--config.data.directory={tmp_path}/moved",
                          "--config.data.split=dev")
    assert status == 0 and "seen_in_training" not in out
    write_word(tmp_path / "words", "bank", ["money", "rivers"], count=13)
    status, out, err = call(evaluate, f"--run={tmp_path}/run", "--config.data.split=dev")
    assert (status, out) == (2, "") and "was changed after" in err
