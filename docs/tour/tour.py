# %% [markdown]
# # A tour of attention
#
# Six steps, from one head computed by hand to a verdict over seeds. Each has a picture. The models are
# small, and they are trained as you go: allow ten minutes on two cores. Open `docs/tour/tour.py` as a
# notebook (VS Code, or Jupyter with jupytext), or run it: `python docs/tour/tour.py`. Pictures and models
# go to `runs/tour`, where a second call finds its models again; with `--smoke` everything is tiny, takes
# seconds, and goes to a temporary folder.

# %%
import itertools
import sys
import tempfile
from pathlib import Path

import jax
import numpy as np

import attention_lab
from attention_lab import attention
from attention_lab.analysis import counterfactual_translation, saturation
from attention_lab.data import sources
from attention_lab.figures import contrasts, heatmap, style
from attention_lab.tasks.classification import pictures as pictures_of_senses
from attention_lab.tasks.translation import pictures as pictures_of_translation

ROOT = Path(attention_lab.__file__).parents[1]
SMOKE = "--smoke" in sys.argv
FOLDER = Path(tempfile.mkdtemp(prefix="tour-")) if SMOKE else ROOT / "runs" / "tour"
FOLDER.mkdir(parents=True, exist_ok=True)


def train(name, folder, **overrides):
    """The model of configs/NAME.py with these fields; a finished run is only loaded."""
    variant, fields = (":smoke", {}) if SMOKE else ("", overrides)
    seed = {key: overrides[key] for key in ("seed", "attention__scale") if key in overrides}
    return attention_lab.train(f"{ROOT}/configs/{name}.py{variant}", FOLDER / folder, **fields | seed)


def show(name):
    """Shows a picture of FOLDER where this runs as a notebook."""
    if "ipykernel" in sys.modules:
        from IPython import display
        display.display(display.Image(str(FOLDER / name)))


# %% [markdown]
# ## 1. One head by hand
#
# A dictionary returns the value whose key equals the query. In attention every key answers: products of
# query and keys become weights that sum to 1, and the answer is the mean of the values under these weights.
# That is five lines, and `attention_lab.attention` computes the same.


# %%
def by_hand(q, k, v):
    logits = q @ k.T / np.sqrt(q.shape[-1])
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights = powers / powers.sum(axis=-1, keepdims=True)
    return weights @ v, weights


random = np.random.default_rng(0)
q, k, v = (random.normal(size=size) for size in ((5, 11), (7, 11), (7, 13)))
ours = attention.attend(q, k, v)
same = [bool(np.allclose(a, b, atol=1e-5)) for a, b in zip(by_hand(q, k, v), ours)]
print("answer and weights are the same:", same)

# %% [markdown]
# Now a look-up: the query points in the direction of key 6, further and further. At length 0 all keys
# answer alike, and the answer is the mean of all values; at length 30 key 6 answers alone. In between the
# answer moves smoothly, so that it can be learned by gradients.

# %%
lengths = (0, 3, 10, 30)
k = k / np.linalg.norm(k, axis=-1, keepdims=True)
v = np.arange(7.0)[:, None] ** 2
answer, weights = attention.attend(np.outer(lengths, k[6]), k, v)
for length, row in zip(lengths, answer):
    print(f"query of length {length:2}: answer {float(row[0]):.1f}")
rows = [f"length {length}" for length in lengths]
drawn = heatmap.Panel(np.asarray(weights), [f"key {s}" for s in range(7)], rows)
style.save(heatmap.heat_maps([drawn], title="a look-up becomes sharp"), FOLDER / "lookup.png")
show("lookup.png")

# %% [markdown]
# ## 2. The scale
#
# The product of a query and a key of d_k random numbers has a variance of d_k. Without the factor
# 1/sqrt(d_k) one key of many takes nearly all the weight when d_k is large, and a softmax that is that sure
# passes hardly any gradient to the query. (At a small d_k the gradient without the factor is the larger
# one: the factor makes gradients smaller, too.)

# %%
sizes, rows = (4, 16, 64, 256, 1024), 40 if SMOKE else 400
curves = {"scaled": [], "unscaled": []}
for size in sizes:
    for arm, scale in (("scaled", size ** -0.5), ("unscaled", 1.0)):
        summary = saturation.summary(saturation.random_rows(jax.random.key(0), rows, 64, size, scale))
        curves[arm].append(summary)
with style.look():
    figure = style.figure(6.4, 2.6, layout="constrained")
    for axes, column, label in zip(figure.subplots(1, 2), ("largest", "gradient_median"), (
            "largest of 64 weights, mean", "gradient in the query, median")):
        for arm, line in curves.items():
            axes.plot(sizes, [point[column] for point in line], "o-", label=arm)
        axes.set(xscale="log", xlabel="d_k", ylabel=label, xticks=sizes, xticklabels=sizes)
        axes.minorticks_off()
    axes.set_yscale("log")
    axes.legend()
style.save(figure, FOLDER / "scale.png")
show("scale.png")
for arm, line in curves.items():
    print(f"{arm}: at d_k = 1,024 the largest weight is {line[-1]['largest']:.2f} in the mean")

# %% [markdown]
# ## 3. Two banks
#
# A bank is robbed, or it is muddy. A small encoder is trained on sentences of the built-in grammar, in
# which exactly one word decides what an ambiguous noun means. A row is where "bank" looks in a layer, in
# the mean over heads; the orange square marks the word that decides.

# %%
senses = train("disambiguation", "banks", data__max_words=20, data__most_distance=12,
               data__max_length=24, data__buckets=(24,), data__train_size=12000, data__dev_size=500,
               data__test_size=1000, model__width=64, model__hidden=128, training__steps=600,
               training__eval_every=300, training__checkpoint_every=600, optimizer__warmup_steps=100,
               optimizer__learning_rate=0.003)
print(f"test accuracy: {senses.run.result['test_accuracy']:.2f}")
for sentence in ("the bank that the lawyer robs is old .", "the bank that the lawyer sees is muddy ."):
    bank, = [answer for answer in senses.classify([sentence])[0] if answer.word == "bank"]
    print(f"{sentence:42} {bank.label} ({bank.probabilities[bank.label]:.2f})")

# %%
test = sources.load(senses.config.data, ("test",))["test"]
meanings = list(zip(test.word, test.label))
chosen = test.select([meanings.index(bank) for bank in (("bank", "banque"), ("bank", "rive"))
                      if bank in meanings] or [0])
predicted = senses.classifier.predict(senses.params, chosen, with_weights=True)
pictures_of_senses.draw(senses.classifier, chosen, predicted.labels, predicted.weights, FOLDER / "banks.png")
show("banks.png")

# %% [markdown]
# ## 4. Translation, and a page to look at it in
#
# A Transformer of two layers learns English to French on the grammar, which knows which words translate
# which. Rows are the French words in the order in which they are written, columns the English words; the
# orange squares are the true word alignment.

# %%
translator = train("translation", "translation", training__steps=600, training__eval_every=300,
                   training__checkpoint_every=600, training__keep_views=4, data__dev_size=200,
                   data__test_size=200)
print(f"test BLEU: {translator.run.result['test_bleu']:.1f}")
print("The dog sees a cat.", "->", *translator.translate(["The dog sees a cat."]))

# %%
pairs = sources.load(translator.config.data, ("dev",))["dev"]
short = pairs.select(sorted(range(len(pairs)), key=lambda i: abs(len(pairs.source[i].split()) - 8))[:2])
weights = translator.attention(short.source, short.target)
pictures_of_translation.draw(weights, [sentence.alignment for sentence in short.truth],
                             FOLDER / "translation.png", translator.translator.tokenizer.segmentation)
show("translation.png")
translator.view(FOLDER / "view.html")

# %% [markdown]
# That is the mean over the heads of the last layer, at the end of training. `runs/tour/view.html` has every
# layer and head, and how they came about: open it in a browser, or make one of another run by `python -m
# experiments.view` ([what it shows](../view.md)).

# %% [markdown]
# ## 5. What if it looked elsewhere?
#
# A picture of weights does not say that the model needs them. So the weights are changed, one step of the
# translation at a time: without the largest, all equal, or dealt out anew among the words. How often does
# the model still write the same word?

# %%
count = 8 if SMOKE else 100
kept = counterfactual_translation.survival(translator.translator, translator.params, pairs.source[:count],
                                           jax.random.key(0))
kinds = {"zero_max": "without the largest", "uniform": "all equal", "permuted": "dealt out anew"}
with style.look():
    figure = style.figure(5.2, 2.8, layout="constrained")
    axes = figure.subplots()
    for shift, name in ((-0.2, "function"), (0.2, "content")):
        shares = [kept.share(kind, name) for kind in kinds]
        axes.bar(np.arange(3) + shift, shares, 0.38, label=f"{name} words")
        print(f"{name} words that stay:", ", ".join(f"{kinds[k]} {s:.2f}" for k, s in zip(kinds, shares)))
    axes.set(xticks=range(3), xticklabels=kinds.values(), ylim=(0, 1), ylabel="share of words that stay")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
style.save(figure, FOLDER / "elsewhere.png")
show("elsewhere.png")

# %% [markdown]
# Most words become others: this translator needs its weights. Function words (articles, prepositions) stay
# more often than content words (nouns, verbs, adjectives), for some of them follow from the French words
# before them.

# %% [markdown]
# ## 6. A verdict
#
# Step 2 says that large logits stop gradients. Does a model without the scale learn less? One run says
# little, for another seed may say the opposite. So both arms are trained on a recall task (give back the
# value that followed a key) with the same six seeds, and an exact test compares them.

# %%
for scale, seed in itertools.product(("inverse_sqrt", 1.0), range(6)):
    train("recall", f"recall/{scale}-{seed}", attention__scale=scale, seed=seed, data__pairs=4,
          data__vocabulary_size=32, data__test_size=512, model__key_size=256, training__steps=300,
          training__checkpoint_every=300, training__eval_every=100)
comparison = attention_lab.compare(FOLDER / "recall", arms="attention.scale", metric="test_accuracy",
                                   reference="inverse_sqrt")
print(*comparison.sentences(), sep="\n")

# %%
differences = [{"arm": each.arm, "differences": each.differences, "mean": each.mean,
                "interval": each.interval[:2]} for each in comparison.contrasts]
style.save(contrasts.contrasts("test accuracy", comparison.arms.scores, comparison.contrasts[0].reference,
                               differences), FOLDER / "verdict.png")
show("verdict.png")

# %% [markdown]
# Each grey line is a seed. The verdict is on this task, this learning rate and this many steps, and no more
# than that: where each arm has its best learning rate and logits start alike, a model without the scale
# [learns the same task](../../experiments/studies/score_scale_start/README.md). That is what the
# [studies](../../experiments/studies/README.md) are for: claims written down before the runs, enough seeds,
# and the limits beside the verdict.
