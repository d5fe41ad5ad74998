"""Language models: scores by hand, no word sees the next one, and prompts are continued."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attention_lab
from attention_lab import config as configs
from attention_lab import models
from attention_lab.config.rules import check
from attention_lab.data import sources
from attention_lab.data.contexts import Contexts
from attention_lab.data.vocabulary import BOS, EOS, PAD, UNKNOWN
from attention_lab.tasks import build
from attention_lab.tasks.language.language_model import LanguageModel, continued
from attention_lab.tasks.language.task import numbers
from attention_lab.tasks.text import tokenizer_of
from attention_lab.training.losses import TokenLoss
from configs.language import get_config
from experiments.benchmark_sampling import read_again

KINDS = ("smoke", "gru,smoke", "lstm,smoke")
LINEAR = {"model.kind": "linear_attention", "attention.compatibility": "linear"}


def test_scores_by_hand():
    """Eight tokens of two bits each; of a text of four bytes, or of stories that had one bit each."""
    nats = 8 * 2 * math.log(2)
    ids = np.zeros((2, 4), np.int32)
    assert numbers(nats, 8, Contexts(ids, ids, 4)) == {"perplexity": 4.0, "bits_per_byte": 4.0}
    assert numbers(nats, 8, Contexts(ids, ids, surprisal=np.full((2, 4), math.log(2)))) == {
        "perplexity": 4.0, "entropy": pytest.approx(math.log(2), abs=1e-6),
        "excess": pytest.approx(math.log(2), abs=1e-6)}
    assert math.isfinite(numbers(1e6, 8, Contexts(ids, ids))["perplexity"])


def test_scores_are_those_of_the_logits(tmp_path):
    """The last context is not full, and its padding counts nowhere."""
    (tmp_path / "text.txt").write_text("".join(f"the dog {i % 7} sees\n" for i in range(60)))
    config = configs.replace(get_config("smoke"), {"data.path": str(tmp_path / "text.txt"),
                                                   "data.dev_size": 5})
    task = build(config)
    params, hyper = task.init(jax.random.key(0)), configs.split(config)[1]
    total = count = 0
    for batch in task.dev_batches():
        output = task.loss.model.apply(params, batch, hyper)
        log_p = jax.nn.log_softmax(output.hidden @ output.readout.T)
        real = batch["target"] != PAD
        total -= np.take_along_axis(np.asarray(log_p), batch["target"][..., None], -1)[..., 0][real].sum()
        count += real.sum()
    scores = task.score(params, hyper, "dev", True).numbers
    assert count == 5 * 5 and set(scores) == {"dev_perplexity", "dev_bits_per_byte"}
    assert scores["dev_perplexity"] == pytest.approx(math.exp(total / count), rel=1e-4)
    assert scores["dev_bits_per_byte"] == pytest.approx(total / math.log(2) / (5 * 15), rel=1e-4)
    assert task.facts["vocabulary"] == 4 + 3 + 7 and "sha256" in task.facts
    assert task.notices == ["dev: 5 lines also in train", "test: 16 lines also in train"]


def test_each_split_has_its_scores_and_steps_their_tokens(tmp_path):
    """Nine lines of five tokens to train on are six contexts of eight; dev has 10 tokens, test 3."""
    (tmp_path / "text.txt").write_text("a b c d\n" * 9 + "a b a b\n" * 2 + "e d\n")
    config = configs.replace(get_config("smoke"), {
        "data.path": str(tmp_path / "text.txt"), "data.dev_size": 2, "data.test_size": 1, "data.context": 8,
        "data.split": "test", "training.batch_tokens": 64})
    task = build(config)
    params, hyper = task.init(jax.random.key(0)), configs.split(config)[1]
    scores = {split: task.score(params, hyper, split, True).numbers for split in ("dev", "test")}
    for split, tokens, size in (("dev", 10, 16), ("test", 3, 4)):
        nats = math.log(scores[split][f"{split}_perplexity"])
        assert scores[split][f"{split}_bits_per_byte"] == pytest.approx(nats * tokens / math.log(2) / size,
                                                                        rel=1e-4)
    assert scores["dev"]["dev_perplexity"] != pytest.approx(scores["test"]["test_perplexity"], rel=1e-3)
    assert task.select == ("dev_perplexity", -1.0)  # the lowest
    rows = task.facts["rows"]
    assert task.steps_per_epoch == 6 / rows
    batch = next(task.batches(0, 0))
    assert task.tokens(batch | {"target": np.array([[5, 6, PAD], [7, PAD, PAD]])}) == 3
    assert task.notices == ["test: 1 token never seen in training"]


@pytest.mark.parametrize("variant", KINDS)
def test_no_prediction_sees_what_it_predicts(variant):
    config = get_config(variant)
    task = build(config)
    params, hyper = task.init(jax.random.key(1)), configs.split(config)[1]
    batch = next(task.batches(0, 0))
    changed = batch | {"source": batch["source"].copy()}
    changed["source"][:, 7] = np.where(batch["source"][:, 7] == 5, 6, 5)
    before, after = (task.loss.model.apply(params, one, hyper).hidden for one in (batch, changed))
    assert jnp.array_equal(before[:, :7], after[:, :7])
    assert jnp.abs(before[:, 7:] - after[:, 7:]).max(axis=(0, 2)).min() > 0


@pytest.mark.parametrize("variant, changes", [("smoke", {}), ("gru,smoke", {}), ("smoke", LINEAR)])
def test_a_cache_changes_no_token(variant, changes):
    """Up to a context of 16 what is drawn is the same as by reading all tokens again for each."""
    model, params, hyper = _untrained(configs.replace(get_config(variant), changes))
    read, first, key = np.zeros((5, 16), np.int32), np.arange(4, 9), jax.random.key(7)
    read[:, :3] = 9  # 12 more tokens fill the context
    read[1, 3:7] = 10
    again = np.array(read_again(model, params, hyper, read, first, key, 0.9, 12))
    written = np.array(continued(model, params, hyper, read, first, key, 0.9, None, 12, 0, 1))
    assert len(np.unique(written)) > 13 and np.array_equal(written[[0, 2, 3, 4]], again[[0, 2, 3, 4]])
    assert np.array_equal(written[1, :9], again[1, :9])


@pytest.mark.parametrize("variant, changes", [("smoke", {}), ("gru,smoke", {}), ("smoke", LINEAR)])
def test_beyond_the_context_each_token_follows_from_a_pass_over_the_window(variant, changes):
    """The likeliest token after the last 16 tokens, then after the last 9 to 16, again and again."""
    model, params, hyper = _untrained(configs.replace(get_config(variant), changes))
    text = np.random.default_rng(0).integers(4, 90, 16)
    written = continued(model, params, hyper, np.append(text[:15], 0)[None], text[15:], jax.random.key(0),
                        0.0, None, 13, 0, 1)[0]
    whole = jax.jit(lambda window: model.apply(params, {"source": window, "example": np.zeros(1)}, hyper))
    text, seen = [*text, *np.asarray(written)], [16, *range(9, 17), *range(9, 13)]
    for t, length in enumerate(seen):
        window = np.zeros((1, 16), np.int32)
        window[0, :length] = text[16 + t - length:16 + t]
        output = whole(window)
        logits = np.array(output.hidden[0, length - 1] @ output.readout.T)
        logits[[PAD, UNKNOWN, BOS]] = -np.inf
        assert logits.argmax() == written[t], t


def test_a_prompt_is_continued_greedily(tmp_path):
    """As by taking the likeliest token again and again; special ids are never written."""
    config = get_config("smoke")
    trained = attention_lab.train(config, tmp_path / "run")
    language = trained.model
    text = trained.sample("one king", tokens=5, temperature=0.0)
    ids = [EOS, *language.tokenizer.encode(["one king"])[0]]
    for _ in range(5):
        batch = {"source": np.array([ids]), "target": np.array([ids]), "example": np.zeros(1, np.int32)}
        output = language.model.apply(trained.params, batch, language.hyper)
        logits = np.array(output.hidden[0, -1] @ output.readout.T)
        logits[[PAD, UNKNOWN, BOS]] = -np.inf
        ids.append(int(logits.argmax()))
    words = ["|" if i == EOS else language.tokenizer.tokens([i])[0] for i in ids[1:]]
    assert text.replace("\n", " | ").split() == words
    assert trained.sample("", tokens=3, seed=1) == trained.sample("", tokens=3, seed=1)
    assert len({trained.sample("", tokens=6, seed=seed) for seed in range(4)}) > 1
    for wrong in (trained.translate, trained.classify):
        with pytest.raises(ValueError, match="its data.source is text$"):
            wrong(["one king"])
    with pytest.raises(ValueError, match="has no attention$"):
        trained.attention(["one king"])


def test_lines_are_kept_in_prompts_and_answers():
    config = get_config("smoke")
    task = build(config)
    params, language = task.init(jax.random.key(0)), LanguageModel(config, _tokenizer(config))
    text = language.samples(params, "one king .\nthe king", 1, 1, top_k=10 ** 6)[0]
    assert text.startswith("one king .\nthe king") and len(text.split()) in (5, 6)
    greedy = language.samples(params, "one", 1, 3, 0.0)
    assert language.samples(params, "one", 1, 3, top_k=1, seed=4) == greedy
    assert language.samples(params, "one", 1, 3, seed=4, top_p=1e-6) == greedy
    several = language.samples(params, "one", 3, 5, seed=4)
    assert len(set(several)) == 3 and all(text.split()[0] == "one" for text in several)
    with pytest.raises(ValueError, match="^top_p=0: a number above 0 and at most 1 is allowed$"):
        language.samples(params, "one", 1, 3, top_p=0)


def test_of_a_long_prompt_the_last_tokens_are_read_and_special_ids_are_never_written():
    """Beyond the context of 16; a model before training gives every id a chance of about 1 in 100."""
    config = get_config("smoke")
    task = build(config)
    params, language = task.init(jax.random.key(0)), LanguageModel(config, _tokenizer(config))
    prompts = ["one king sleeps . " * 6 + "two kings", "the king . " * 7 + "two kings"]
    for prompt in prompts:
        ids = language.tokenizer.encode([prompt])[0][-16:]
        batch = {"source": np.array([ids]), "target": np.array([ids]), "example": np.zeros(1, np.int32)}
        output = language.model.apply(params, batch, language.hyper)
        logits = np.array(output.hidden[0, -1] @ output.readout.T)
        logits[[PAD, UNKNOWN, BOS]] = -np.inf
        wanted = "" if logits.argmax() == EOS else language.tokenizer.tokens([int(logits.argmax())])[0]
        assert language.samples(params, prompt, 1, 1, 0.0)[0].removeprefix(prompt).strip() == wanted
    written = continued(language.model, params, language.hyper, np.full((1, 16), PAD, np.int32),
                        np.full(1, EOS, np.int32), jax.random.key(0), 1.0, None, 20, 0, 50)
    assert np.isin(written, EOS).any() and not np.isin(written, (PAD, BOS, UNKNOWN)).any()


def _untrained(config):
    """(model, params, hyper) of a vocabulary of 97."""
    structure, hyper = configs.split(config)
    model = models.build(structure, 97)
    return model, model.init(jax.random.key(2)), hyper


def _tokenizer(config):
    return tokenizer_of(config, None, sources.load(config.data, ("train",))["train"].sample())


def test_training_comes_nearer_to_the_entropy(tmp_path):
    """Loss falls, and stays above what the grammar itself says of the same words."""
    config = configs.replace(get_config("smoke"), {
        "training.steps": 60, "training.eval_every": 60, "training.checkpoint_every": 60,
        "optimizer.learning_rate": 0.01, "optimizer.warmup_steps": 5})
    result = attention_lab.train(config, tmp_path / "run").run.result
    task = build(config)
    start = task.score(task.init(jax.random.key(0)), configs.split(config)[1], "test", True).numbers
    assert 0 < result["test_excess"] < start["test_excess"] - 0.5
    assert result["test_entropy"] == start["test_entropy"]
    assert math.log(result["test_perplexity"]) == pytest.approx(
        result["test_excess"] + result["test_entropy"], abs=1e-4)


def test_the_loss_of_two_runs_is_one_program():
    assert build(get_config("smoke")).loss == build(get_config("smoke")).loss
    assert isinstance(build(get_config("gru,smoke")).loss, TokenLoss)


@pytest.mark.parametrize("changes, message", [
    ({"model.causal": False}, "^model.causal=false: with data.source=text a word would see the one that it"),
    ({"model.kind": "transformer"}, "^model.kind=transformer does not fit data.source=text: encoder, linear"),
    ({"model.positions": "learned", "data.context": 513}, "^data.context=513 is beyond the table of"),
    ({"model.positions": "learned", "data.context": 513, "data.source": "facts"}, "^data.context=513 is bey"),
])
def test_what_is_no_language_model(changes, message):
    with pytest.raises(ValueError, match=message):
        check(configs.replace(get_config(), changes))
