"""translate, evaluate, dry runs and help, on one finished smoke run."""

import json
import re
import shutil

import pytest

from experiments import evaluate, export, flags, train, translate


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs") / "run"
    with pytest.raises(SystemExit) as ended:
        flags.run(train.main, train.PROGRAM,
                  ["--config=configs/translation.py:smoke", f"--workdir={folder}"])
    assert ended.value.code == 0
    return folder


def numbers(out):
    return dict(line.split("\t") for line in out.splitlines())


def test_translate_answers_line_by_line(call, finished, monkeypatch):
    text = "the dog sees a cat .\r\n\nThe cats sleep.\n".encode()
    status, out, err = call(translate, f"--run={finished}", stdin=text)
    lines = out.split("\n")
    assert status == 0 and len(lines) == 4 and lines[1] == "" and lines[0] and lines[2]
    monkeypatch.setattr("experiments.stdin.AT_ONCE", 1)
    assert call(translate, f"--run={finished}", stdin=text)[1] == out


def test_a_profile_prints_the_ten_largest_operations(call, finished, tmp_path):
    config = ["--config=configs/translation.py:smoke", f"--workdir={finished}"]
    status, out, err = call(train, *config, f"--profile={tmp_path / 'here'}")
    head, *rows = [line.split("\t") for line in out.splitlines()[:11]]
    assert status == 0 and head == ["share", "milliseconds_a_step", "calls", "kind", "place"]
    shares = [float(row[0]) for row in rows]
    assert len(shares) == 10 and shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1.01
    assert "of the rate of a large product" in err and (tmp_path / "here" / "operations.tsv").exists()


def test_translate_greedily_and_what_it_never_saw(call, finished):
    status, out, err = call(translate, f"--run={finished}", "--beam=1", stdin="the dög sees .\n".encode())
    assert status == 0 and out.count("\n") == 1
    assert "1 word never seen in training: dög" in err
    assert call(translate, f"--run={finished}", stdin=b"") == (0, "", "")


def test_translate_names_the_words_that_tell_a_sense(call, finished):
    lines = b"the bank sleeps .\n\nthe dog sees .\n"
    plain = call(translate, f"--run={finished}", stdin=lines)[1].splitlines()
    status, out, _ = call(translate, f"--run={finished}", "--senses", stdin=lines)
    first, told, *rest = out.splitlines()
    assert status == 0 and [first, *rest] == plain
    senses = "(banque|rive)"
    assert re.fullmatch(f"    bank: (neither banque nor rive|{senses}, not {senses}, told by [a-z.]+)", told)


def test_translate_draws_where_it_looked(call, finished, tmp_path):
    figure = tmp_path / "figure.png"
    status, _, _ = call(translate, f"--run={finished}", f"--attention={figure}", stdin=b"the dog sees .\n")
    assert status == 0 and figure.read_bytes().startswith(b"\x89PNG")
    status, _, err = call(translate, f"--run={finished}", f"--attention={figure}", stdin=b"\n")
    assert status == 2 and "no translation to draw" in err


def test_translate_answers_the_lines_around_a_bad_one(call, finished, monkeypatch):
    good = call(translate, f"--run={finished}", stdin=b"the dog sees .\nthe cat .\n")[1].splitlines()
    for bad, said in ((b"the dog " * 10000, "line 2 has 20001 tokens, at most "),
                      (b"caf\xe9", "line 2 is not UTF-8 (byte 0xe9)")):
        status, out, err = call(translate, f"--run={finished}",
                                stdin=b"the dog sees .\n" + bad + b"\nthe cat .\n")
        assert status == 0 and out.split("\n") == [good[0], "", good[1], ""]
        assert said in err and "it has no answer" in err
    monkeypatch.setattr("experiments.stdin.AT_ONCE", 1)
    assert call(translate, f"--run={finished}", stdin=b"\n\n" + b"cat " * 9999)[1] == "\n\n\n"


def test_translate_refuses_a_beam_that_can_not_be(call, finished):
    for beam in (-1, 65):
        status, _, err = call(translate, f"--run={finished}", f"--beam={beam}")
        assert status == 2 and f"--beam={beam} is not an integer from 0 to 64" in err


def test_evaluate_leaves_out_a_pair_that_is_too_long(call, finished, tsv):
    pairs = b"the dog sees a cat .\tle chien voit un chat .\nyes .\toui .\n"
    other = [f"--run={finished}", "--config.data.source=tsv", "--config.decoding.beam=1"]
    path = tsv(pairs)
    status, out, _ = call(evaluate, *other, f"--config.data.path={path}")
    tsv(b"no " * 20000 + b"\tnon\n" + pairs)
    again, same, err = call(evaluate, *other, f"--config.data.path={path}")
    assert (status, again) == (0, 0) and numbers(same)["pairs"] == "2" and same == out
    assert "1 of 3 pairs with more than" in err and "(number 1, " in err and "): left out" in err
    tsv(b"no " * 20000 + b"\tnon\n")
    status, out, err = call(evaluate, *other, f"--config.data.path={path}")
    assert (status, out) == (2, "") and "none is left to score" in err


def test_evaluate_repeats_the_result(call, finished):
    result = json.loads((finished / "result.json").read_text())
    before = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    for split in ("dev", "test"):
        status, out, _ = call(evaluate, f"--run={finished}", f"--config.data.split={split}")
        scored = numbers(out)
        assert status == 0 and scored["pairs"] == "16"
        assert float(scored[f"{split}_bleu"]) == result[f"{split}_bleu"]
        for name in ("chrf", "sense_accuracy", "alignment_error_rate"):
            assert float(scored[f"{split}_{name}"]) == result[f"{split}_{name}"]
    assert {path.name: path.stat().st_mtime_ns for path in finished.iterdir()} == before


def test_evaluate_scores_bins_of_lengths_apart(call, finished):
    rows = (finished / "predictions.tsv").read_text().splitlines()[1:]
    longest = max(len(row.split("\t")[0].split()) for row in rows)
    command = [evaluate, f"--run={finished}", "--config.decoding.beam=1"]
    status, out, _ = call(*command, f"--lengths=1-6,7-{longest}, 1-{longest}")
    scored = numbers(out)
    assert status == 0 and int(scored["pairs_1-6"]) + int(scored[f"pairs_7-{longest}"]) == 16
    assert scored[f"test_bleu_1-{longest}"] == f"{float(scored['test_bleu']):.4f}"
    assert 0 <= float(scored["test_first_words_1-6"]) <= 1
    for given, said in ((f"{longest + 1}-99", f"no sentence has {longest + 1} to 99 words"),
                        ("6-1", "'6-1' is no bin of lengths"), ("", "'' is no bin of lengths")):
        status, out, err = call(*command, f"--lengths={given}")
        assert status == 2 and said in err and err.count("\n") == 1 and not out


def test_evaluate_scores_all_of_another_file(call, finished, tsv):
    path = tsv("the dog sees a cat .\tle chien voit un chat .\nyes .\toui .\n".encode())
    status, out, err = call(evaluate, f"--run={finished}", "--config.data.source=tsv",
                            f"--config.data.path={path}", "--config.decoding.beam=1")
    assert status == 0 and numbers(out)["pairs"] == "2" and "test_bleu" in out
    assert numbers(out)["seen_in_training"] == "0" and " never seen in training" in err


def test_evaluate_does_not_change_the_model(call, finished):
    status, _, err = call(evaluate, f"--run={finished}", "--config.model.width=32")
    assert status == 2 and "--config.model.width is fixed by the run" in err


def test_a_dry_run_tells_and_writes_nothing(call, tmp_path):
    status, out, _ = call(train, "--config=:smoke", "--dry_run", f"--workdir={tmp_path}/run")
    facts = numbers(out[out.index("\nfolder") + 1:])
    assert status == 0 and facts["parameters"] == "15872" and facts["steps"] == "6"
    assert json.loads(out[:out.index("\nfolder")])["model"]["width"] == 16
    assert not (tmp_path / "run").exists()


def test_help_lists_every_field(call):
    status, out, _ = call(train, "--help")
    assert status == 0 and "--config.attention.scale" in out and "--workdir" in out


def test_rerun_keeps_the_old_run(call, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    status, _, _ = call(train, "--config=:smoke", f"--workdir={tmp_path}/run", "--rerun")
    assert status == 0
    for name in ("run", "run.1"):
        assert (tmp_path / name / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()


def test_evaluate_leaves_out_what_was_trained_on(call, finished, tsv):
    from attention_lab.data import sources
    from configs.translation import get_config
    train_pairs = sources.load(get_config("smoke").data, ("train",))["train"]
    trained_on = "".join(f"{s}\t{t}\n" for s, t in zip(train_pairs.source[:3], train_pairs.target))
    new = "the dog sees a yes .\tle chien voit un oui .\nyes .\toui .\n"
    other = [f"--run={finished}", "--config.data.source=tsv", f"--config.data.path={tsv(new.encode())}"]
    alone = numbers(call(evaluate, *other)[1])
    assert (alone["pairs"], alone["seen_in_training"]) == ("2", "0")
    tsv((trained_on + new).encode())
    status, out, err = call(evaluate, *other)
    assert status == 0 and numbers(out) == alone | {"seen_in_training": "3"}
    assert "3 of 5 pairs are among those that the run was trained on: left out" in err
    status, out, err = call(evaluate, *other, "--with_trained")
    assert status == 0 and (numbers(out)["pairs"], numbers(out)["seen_in_training"]) == ("5", "3")
    tsv(trained_on.encode())
    status, out, err = call(evaluate, *other)
    assert (status, out) == (2, "") and "none is left to score; --with_trained scores them" in err
    status, _, err = call(evaluate, f"--run={finished}", "--config.data.test_size=99")
    assert status == 2 and "--config.data.test_size is fixed by the run" in err


def test_xla_attention_finishes_and_draws(call, tmp_path):
    status, out, _ = call(train, "--config=:smoke", "--config.attention.implementation=xla",
                          f"--workdir={tmp_path}/run")
    assert status == 0 and "dev_alignment_error_rate" in out and (tmp_path / "run/attention.png").exists()


def test_a_finished_run_is_exported_and_no_other(call, finished, tmp_path):
    status, out, _ = call(export, f"--run={finished}", "--to=npz", f"--out={tmp_path}/out")
    assert status == 0 and out.split() == [f"{tmp_path}/out/{name}" for name in (
        "attention_lab.json", "model.npz", "tokenizer.json")]
    assert all((tmp_path / "out" / name).stat().st_size for name in ("model.npz", "tokenizer.json"))
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    for run, to, out, said in ((tmp_path / "run", "npz", "new", "unfinished"),
                               (finished, "npz", "out", "out is there already"),
                               (finished, "onnx", "new", "--to=onnx is not")):
        status, out, err = call(export, f"--run={run}", f"--to={to}", f"--out={tmp_path}/{out}")
        assert (status, out) == (2, "") and said in err and err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_samples_are_shown_as_people_write(call, finished):
    from experiments import runs
    status, out, _ = call(runs, "samples", str(finished), "--count=2")
    assert status == 0 and out.count("reference") == 2 and " ." not in out.split("translation")[0]


def test_a_damaged_best_checkpoint_is_told_and_another_is_taken(call, finished, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    best = json.loads((copy / "result.json").read_text())["best_step"]
    others = [path for path in (copy / "checkpoints").iterdir() if path.name != str(best)]
    with open(copy / "checkpoints" / str(best) / "host.json", "a") as file:
        file.write(" ")
    status, out, err = call(translate, f"--run={copy}", stdin=b"the dog sees .\n")
    assert f"the checkpoint of the best step, {best}, can't be read" in err or not others
    assert status == (0 if others else 2)


def test_a_run_that_does_not_translate_is_refused(call, tmp_path):
    folder = tmp_path / "recall"
    assert call(train, "--config=configs/recall.py:smoke", f"--workdir={folder}")[0] == 0
    for program, what in ((translate, "does not translate"), (evaluate, "has no evaluation on other data")):
        status, _, err = call(program, f"--run={folder}", stdin=b"hi\n")
        assert status == 2 and f"{what}: its data.source is recall" in err


@pytest.mark.parametrize("name", ["none/figure.png", "figure.pdf"])
def test_a_figure_that_can_not_be_is_refused_before_the_work(call, finished, tmp_path, name):
    status, out, err = call(translate, f"--run={finished}", f"--attention={tmp_path}/{name}",
                            stdin=b"the dog sees .\n")
    assert (status, out) == (2, "") and name in err


def test_a_byte_order_mark_changes_nothing(call, finished):
    plain = call(translate, f"--run={finished}", stdin=b"the dog sees .\n")
    assert call(translate, f"--run={finished}", stdin=b"\xef\xbb\xbfthe dog sees .\n") == plain
    assert "'\\u200b'" in call(translate, f"--run={finished}", stdin="the \u200b dog\n".encode())[2]


def test_a_dry_run_tells_of_lines_that_cannot_be_scored(call, tsv):
    path = tsv(b"".join(b"word " * (20000 * (i % 3 == 0) + 1) + b"%d\tmot %d\n" % (i, i) for i in range(40)))
    status, out, err = call(train, "--config=:tsv,smoke", f"--config.data.path={path}", "--dry_run",
                            "--config.data.dev_size=8", "--config.data.test_size=8")
    assert status == 0 and "parameters" in out
    assert re.search(r"dev: \d of 8 pairs with more than \d+ tokens, .*: left out", err)
    assert re.search(r"test: \d of 8 pairs with more than \d+ tokens, .*: left out", err)
