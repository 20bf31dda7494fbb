# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · The modality gap: why do pictures and words stay apart?
#
# **Goal.** You write the loss of CLIP, train a small one on pictures and sentences, find that the two kinds of vectors live in two separate regions of
# one sphere, learn where that gap comes from, what keeps it, and what closing it by hand does to retrieval.
#
# **You need** cosines, the softmax and the temperature (notebook 01). A little linear algebra: centroid, projection.
#
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about 90 minutes.
# After that cell you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures, methods
from contrastive_lab.lab import modalities
from contrastive_lab.training import prepare, train

lab.banner("10_modality_gap")
columns = {"test gap": "gap", "image cone": "cone, pictures", "text cone": "cone, sentences"}
columns |= {"test alignment": "alignment", "recall": "R@1"}  # of the tables below

# %% [markdown]
# ## Predict first
#
# Write your answers down before you read on. You will meet each question again.
#
# 1. Two networks with random weights, one for pictures, one for sentences, put their outputs on one sphere. Do the two clouds overlap?
# 2. The loss compares pictures with sentences only. It becomes small. Must picture and sentence of a pair then lie close together?
# 3. After training we push both clouds together by hand, without any learning. Does retrieval get better, worse, or stay as it is?
# 4. A colleague replaces every sentence by one of eight ("a red thing", ...). How low can the loss of a batch of $N$ pairs get?
#
# ## 1 · Pictures and sentences
#
# The lab's embedded world describes its scenes: each picture comes with a short caption and a long one.

# %%
here = lab.start("10-world")
lab.show_images(
    here.images.pixels[:6],
    columns=6,
    zoom=2,
    alt="Six scenes with one or two coloured shapes on plain, striped, checked or dotted grounds; their captions are printed below.",
)
for short, long in here.images.captions[:6]:
    print("-", short)

# %% [markdown]
# A network can't read letters. A **tokenizer** turns a sentence into whole numbers: here one number for each word, a checksum of its letters, between a
# start and an end sign. A table then holds one vector for each number, and two layers of causal attention mix them; the vector at the end sign, which
# has seen the whole sentence, stands for it.

# %%
from contrastive_lab.networks import tokenize

for sentence in ("a small red ring", "a small red disc"):
    print(sentence.ljust(18), tokenize([sentence], length=8).tolist()[0])

# %% [markdown]
# Pictures go through the same small convolutional network as in the other notebooks. One linear map behind each network brings both to 128 dimensions, and
# both are made unit vectors: $x_i$ for picture $i$, $y_i$ for its sentence.
#
# ## 2 · The loss
#
# Picture $i$ must find its sentence among the $N$ sentences of the batch, and sentence $i$ its picture among the $N$ pictures. Each is a classification with
# logits $s_{ij}=x_i^\top y_j/\tau$, and the loss is the mean of both.

# %% [markdown] card="clip_loss"
# (statement, hints and solution come from contrastive_lab.exercises)

# %% exercise="clip_loss"
# (the stub comes from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("clip_loss", clip_loss)

# %% [markdown]
# The notebook goes on with your function if it is right, and with the lab's otherwise. Does it agree with the package?

# %%
here = lab.start("10-loss")
clip_loss = exercises.get("clip_loss").or_solution(clip_loss)
ours = clip_loss(here.x, here.y, temperature=0.1)
theirs = methods.clip_loss(here.x, here.y, temperature=0.1)
print(f"yours {ours:.6f}, package {theirs:.6f}, equal: {torch.allclose(ours, theirs)}")

# %% [markdown]
# **Does this loss see a gap?** Take pairs, and lift all sentences into a dimension that no picture uses: each $y_i$ becomes $(y_i,h)$, normalised again.
# The clouds are now apart, and every cosine shrinks by the same factor $1/\sqrt{1+h^2}$.
#
# **Predict** what that does to the loss before you run the cell.

# %%
x, y = F.normalize(here.x, dim=1), F.normalize(here.y, dim=1)
flat = torch.zeros(64, 1)
for height in (0.0, 1.0, 3.0):
    lifted = torch.cat([y, torch.full((64, 1), height)], dim=1)
    loss = clip_loss(torch.cat([x, flat], dim=1), lifted, temperature=0.1)
    warm = clip_loss(x, y, temperature=0.1 * math.sqrt(1 + height**2))
    gap = measures.modality_gap(torch.cat([x, flat], dim=1), lifted)
    print(f"height {height:.0f}: gap {gap:.2f}, loss {loss:.5f}; no gap but a warmer softmax: {warm:.5f}")

# %% [markdown]
# **A gap across all other directions is a higher temperature, and nothing else.** The loss has no term that asks pictures and sentences to be near each
# other: only that the own partner is *nearer than the others*. (In SimCLR both views are of one
# kind and go through one network, so there is no offset to begin with.)
#
# ## 3 · Two cones before any training
#
# Now two networks with random weights. First one number for how narrow a cloud is: the mean cosine of its distinct pairs, 0 for a cloud spread over the
# whole sphere and 1 for a single ray. It is called the **cone**.
#
# **Predict.** Feed pure noise, vectors with mean cosine 0, through random linear layers with a ReLU after each. What happens to the cone?

# %%
def random_layers(nonlinearity, depth=6, dim=256):
    """Mean cosine of 512 noise vectors after 0, 1, ... random layers."""
    draw = torch.Generator().manual_seed(0)
    x, cones = torch.randn(512, dim, generator=draw), []
    for _ in range(depth + 1):
        cones.append(measures.mean_cosine(x))
        weight, bias = torch.randn(dim, dim, generator=draw), torch.randn(dim, generator=draw)
        x = nonlinearity((x @ weight + bias) / math.sqrt(dim))
    return cones


# %%
figure = figures.new_figure(height=300)
for name, function in {"ReLU": torch.relu, "tanh": torch.tanh, "linear only": lambda x: x}.items():
    figure.add_scatter(y=random_layers(function), name=name, mode="lines+markers")
figure.update_xaxes(figures.axis("random layers"))
figure.update_yaxes(figures.axis("mean cosine", range=[-0.05, 1]))
lab.show(
    lab.distinct(figure),
    alt="Mean cosine against the number of random layers: with ReLU it rises at once and steadily towards one, "
    "with tanh and without a nonlinearity it stays small.",
)

# %% [markdown]
# A ReLU makes all coordinates positive: after one layer all vectors lie in the positive corner of the space, and every further layer narrows the cone. Nothing
# was learnt; this is what such a network *is*.
#
# Now measure the gap. You write it.

# %% [markdown] card="modality_gap"
# (from contrastive_lab.exercises)

# %% exercise="modality_gap"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("modality_gap", modality_gap)

# %% [markdown]
# Now our own two encoders, untrained, on test pairs they have never seen. **Predict** the gap (0 to 2) from question 1 before you run this.

# %%
here = lab.start("10-cones")
modality_gap = exercises.get("modality_gap").or_solution(modality_gap)
x, y = modalities.embed_pairs(prepare(here.settings, here.train_images), here.test_images)
cones = measures.mean_cosine(x), measures.mean_cosine(y)
floor = measures.gap_noise_floor(len(x), len(y))
print(f"cone of the pictures {cones[0]:.3f}, of the sentences {cones[1]:.3f}")
print(f"gap {modality_gap(x, y):.3f}; two samples of one and the same cloud would show {floor:.3f}")
print(f"square root of the sum of the cones: {math.sqrt(sum(cones)):.3f}")

# %% [markdown]
# **Why the square root of the sum?** Let $\mu_x,\mu_y$ be the centroids. For many points the cone is $\lVert\mu_x\rVert^2$, and
# $\text{gap}^2=\lVert\mu_x\rVert^2+\lVert\mu_y\rVert^2-2\mu_x^\top\mu_y$. Two networks with unrelated weights have unrelated axes, which in 128 dimensions are
# nearly orthogonal: the last term is small. So **the gap at the start is made of the two cones**, and its size is no mystery.
#
# Is it the modality that separates? Draw several networks for the *same* pictures and compare their centroids.

# %%
from dataclasses import replace

centres = []
for seed in range(5):
    method = prepare(replace(here.settings, seed=seed), here.train_images)
    centres.append(modalities.embed_pairs(method, here.test_images)[0].mean(dim=0))
between = measures.mean_cosine(torch.stack(centres))
print(f"mean cosine between the centroids of five picture networks: {between:.3f}; inside one network: {cones[0]:.3f}")

# %% [markdown]
# Each initialisation has a cone of its own. Two networks for *one* modality are as far apart as networks for two: at the start, the "modality" gap has nothing
# to do with modalities.
#
# ## 4 · Alignment contains the gap
#
# The alignment of the pairs (notebook 01) splits exactly:
#
# $$\frac1N\sum_i\lVert x_i-y_i\rVert^2=\underbrace{\lVert\mu_x-\mu_y\rVert^2}_{\text{gap}^2}+\underbrace{\frac1N\sum_i\lVert(x_i-y_i)-(\mu_x-\mu_y)\rVert^2}_{\text{rest}} .$$
#
# It is the mean square of the difference vectors, written as squared mean plus variance. So alignment is never below gap². Check it, and see how much of the
# untrained alignment is gap.

# %%
here = lab.start("10-split")
x, y = modalities.embed_pairs(prepare(here.settings, here.train_images), here.test_images)
difference = x - y
rest = (difference - difference.mean(dim=0)).square().sum(dim=1).mean()
squared = measures.modality_gap(x, y) ** 2
print(f"alignment {measures.alignment(x, y):.4f} = gap squared {squared:.4f} + rest {rest:.4f} = {squared + rest:.4f}")
print(f"share of the gap: {squared / (squared + rest):.0%}")

# %% [markdown]
# ## 5 · See it, close it
#
# Finished runs at four temperatures, each kind from one initialisation: CLIP on scenes and captions, a variant without words (a picture and a sketch of
# its edges, two picture networks), and CLIP on photographs with sentences written by people; the buttons choose. Left, the plane spanned by the direction of the gap (to scale) and the widest direction across it.

# %% tags=["explorable"]
explorables.show(explorables.ModalityGap())

# %% [markdown]
# **Play with it.**
#
# 1. Pull the epoch to 0. How much of the alignment bar is gap?
# 2. *Play training* at the smallest temperature, then at the largest. Which one gives the gap up?
# 3. Close the gap by hand at the end of training. The points bend: why do they not simply slide along a line? Does retrieval rise or fall?
# 4. Press *Break it*, close the gap there, and look at retrieval. What does that say about the gap as a measure of quality?
# 5. Below, in the toy, set the scale to 5, then to 50, and go to the best tilt each time. Section 9 explains what you see.
#
# <details><summary>What you should have seen</summary>
#
# At epoch 0 most of the bar is gap. The smallest temperature keeps the gap longest. Moved points go back to the sphere, so they bend. What closing does to
# retrieval differs from run to run; the cell below prints it. With random weights closing the gap changes nothing that matters: no gap is not the same as
# knowing who belongs to whom.
#
# </details>

# %% poster="modality_gap"
lab.poster(
    explorables.ModalityGap().poster(),
    alt="Four unit circles with blue points for pictures and orange triangles for captions: random weights, "
    "two cones far apart; trained at temperature 0.02, the clouds still apart; the same closed by hand, one "
    "cloud; trained at a higher temperature, the clouds wide and mixed.",
)

# %% [markdown]
# Read two things off the explorable at the last epoch: is the gap smaller at a higher temperature? And what does closing it by hand do to the share of
# partners found first? The next cell asks the table behind the picture.

# %%
from contrastive_lab.explorables.gap_states import shipped
from contrastive_lab.explorables.modality_gap import state_at

for table in shipped().values():
    rows = {}
    for tau in table.temperatures:
        still, closed = (state_at(table, temperature=tau, epoch=table.epochs[-1], share=share) for share in (0.0, 1.0))
        rows[f"temperature {tau}"] = [{"gap": still["gap"], "R@1": still["recall"], "R@1 closed": closed["recall"]}]
    gaps = [row["gap"] for (row,) in rows.values()]
    print(f"\n{table.title}, epoch {table.epochs[-1]}; a higher temperature leaves a smaller gap: {gaps == sorted(gaps)[::-1]}")
    lab.table(rows, ["gap", "R@1", "R@1 closed"], digits=3)

# %% [markdown]
# ## 6 · Train your own
#
# The temperature is 0.07 and stays there, so that we can compare temperatures afterwards. (CLIP itself *learns* it: it starts at 0.07, and $1/\tau$ is clipped
# at 100.) At every epoch we keep the embeddings of the same test pairs. (The smoke profile trains two epochs: enough to see that everything runs, too few to
# see a gap close.)

# %%
here = lab.start("10-training")
method = prepare(here.settings, here.train_images)
place = lab.folder("10-clip", here.settings)
run = train(method, here.train_images, here.settings, [modalities.Pairs(here.test_images), lab.Live("clip")], folder=place)

# %% [markdown]
# In the live picture each pair is a full and an open point joined by a line: long parallel lines are the gap. What was learnt:

# %%
curve = {"clip": run.column("recall")}
chance = 1 / len(here.test_images)
lab.show(
    figures.training_curve(curve, measure="partners found first", limit=chance, limit_name="chance", height=240),
    alt="The share of test pairs whose partner is the nearest of all rises over the epochs from chance.",
)

# %%
print(f"loss {run.last('loss'):.3f} in the last epoch; guessing costs log N = {math.log(here.settings.batch_size):.3f}")
first, last = ([row] for row in (run.history[0], run.history[-1]))
lab.table({"untrained": first, "trained": last}, columns, digits=3)

# %% [markdown]
# ## 7 · The gap and the temperature
#
# The same initialisation, trained at other temperatures. The next cell trains what is not there yet.
#
# **Predict.** At which temperature is the gap largest after training? At which is retrieval best?

# %%
here = lab.start("10-temperature")
floor = measures.gap_noise_floor(len(here.test_images), len(here.test_images))
figure = figures.new_figure(height=320)
for tau, one in here.runs.items():
    epochs, gaps = one.column("test gap")
    figure.add_scatter(x=epochs, y=gaps, name=f"τ = {tau}", mode="lines+markers")
figure.add_hrect(y0=0, y1=floor, fillcolor="rgba(127,127,127,0.3)", line_width=0)
figure.update_xaxes(figures.axis("epoch"))
figure.update_yaxes(figures.axis("gap on test pairs", rangemode="tozero"))
lab.show(
    lab.distinct(figure),
    alt="The gap over the epochs, one line for each temperature, all from one point; the smallest temperature stays "
    "highest, the larger ones fall towards the grey band of sampling noise.",
)
lab.table({f"temperature {tau}": [one.history[-1]] for tau, one in here.runs.items()}, columns, digits=3)

# %% [markdown]
# The grey band is what two *unrelated* samples of one cloud would show, $\sqrt{2/N}$. A line may dip below it: pairs are not unrelated. If pair differences vary with
# the rest of section 4 and have no common offset, their mean has length about $\sqrt{\text{rest}/N}$, which training makes smaller.
#
# **Why does a small temperature keep the gap?** Two mechanisms that you have met point that way. The softmax at a small temperature attends to the nearest strangers only: an image
# pushes a few sentences sideways, *inside* their region, and hardly feels a force along the gap (the narrow kernel of notebook 01 that doesn't feel the other side
# of the circle). And a gap shrinks all cosines, which acts like a higher temperature (section 2): where $\tau$ is too small for the data, the loss has no
# objection to a gap.
#
# ### The same, measured by a program
#
# `benchmarks/clip_temperatures.py` makes the same comparison with further arms: a temperature that is learnt, and captions of which a part is wrong. Its first line
# says how many pairs it had and on which machine. It does the same for photographs with sentences written by people (Flickr8k), where those are present.

# %%
for data in ("scenes", "flickr8k"):
    modalities.larger_runs(data)

# %% [markdown]
# Compare three things, in your table and in this one, before you open the answer: is the gap ordered by temperature? Is retrieval? And does the temperature with the
# smallest gap have the best retrieval?
#
# <details><summary>Reading the tables</summary>
#
# On scenes the gap falls as the temperature grows. Retrieval does not follow it: it is best at a temperature in between, and the smallest gap does not mark
# the best encoder. So the gap is no measure of quality.
#
# Photographs tell the same story in these runs: the gap is ordered by temperature, and at the smallest gap retrieval is not at its best. The temperature that
# may learn hardly moves from where it began, in so few steps. Look at the level, too: the own sentence is found many times as often as by guessing (one in
# the number of test pairs), and still seldom. Some thousand pairs, a narrow network and a text encoder that starts from nothing do not make a search engine;
# CLIP had hundreds of millions of pairs.
#
# </details>
#
# ## 8 · Close it by hand
#
# Push the pictures by half of the gap towards the sentences and the sentences by half towards the pictures, and put everything back on the sphere. No network is
# touched.

# %% [markdown] card="close_gap"
# (from contrastive_lab.exercises)

# %% exercise="close_gap"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("close_gap", close_gap)

# %% [markdown]
# **Predict** (question 3): what happens to the share of partners found first? Think before: if all sentences are moved by the *same* vector and nothing is
# normalised, can the order in which a picture ranks them change at all?

# %%
here = lab.start("10-closing")
close_gap = exercises.get("close_gap").or_solution(close_gap)
shares = [round(-0.5 + 0.1 * k, 1) for k in range(21)]
sweep = {}
for tau, one in here.runs.items():
    x, y = modalities.pairs_at(one)
    sweep[tau] = [modalities.recall(*close_gap(x, y, share=share)) for share in shares]
    best = max(range(len(shares)), key=sweep[tau].__getitem__)
    still, closed = (sweep[tau][shares.index(share)] for share in (0.0, 1.0))
    top = f"best {sweep[tau][best]:.1%} at share {shares[best]}"
    print(f"temperature {tau}: as trained {still:.1%}, closed {closed:.1%}, {top}")

# %%
figure = figures.new_figure(height=320)
for tau, found in sweep.items():
    figure.add_scatter(x=shares, y=found, name=f"τ = {tau}", mode="lines")
for share in (0, 1):
    figure.add_vline(x=share, line={"dash": "dot", "width": 1, "color": "rgba(127,127,127,0.8)"})
figure.update_xaxes(figures.axis("share of the gap closed by hand (0 as trained, 1 closed)"))
figure.update_yaxes(figures.axis("partners found first", rangemode="tozero"))
lab.show(
    lab.distinct(figure),
    alt="Retrieval against the share of the gap closed by hand, one line for each temperature, with dotted marks where "
    "the gap is as trained and where it is closed.",
)

# %% [markdown]
# <details><summary>Why is the effect so small?</summary>
#
# Move every sentence by $c$: picture $x$ then scores $x^\top(y_j+c)=x^\top y_j+x^\top c$, the same addition for all sentences, so the order stays. Moving $x$ to
# $x-c$ adds $-c^\top y_j$, which differs between sentences only as far as they differ *along the gap*; and normalising rescales each sentence by its own new length.
# If all sentences lie equally far along the gap, nothing changes at all, however wide the gap is. What does change: sentences that stick out along the gap were
# everybody's neighbours (hubs) or nobody's, and closing the gap changes that. So retrieval may rise or fall; there is no law, and the best share is rarely
# exactly 1. Compare with the tables of sections 5 and 7: does closing cost more where the gap is wide? Liang et al. found tasks of both kinds for a large CLIP.
#
# </details>
#
# With a test set this small, a few tenths of a percent are one pair or two: look at all three tables before you believe a trend.
#
# Your own runs as a layer of the explorable (the kernel repaints; choose the temperature, the epoch, and the share):

# %% tags=["live"]
here = lab.start("10-own")
mine = modalities.own_gap(here.runs)
explorables.ModalityGap(own=mine).live()

# %% [markdown]
# **Pick modality 2 yourself.** Nothing in the loss needs words: any second view of the same thing with an encoder of its own makes a pair. Choose captions,
# sketches, a grey blur or shuffled patches and a temperature, predict, and press the button: the training is small. Your mark
# appears among the curves of the explorable, and below them your clouds, to close by hand.
#
# **Predict** for each partner: is its gap wider or narrower than that of captions? Is the partner found more often or less often?

# %% tags=["live"]
from contrastive_lab.lab.second_modality import SecondModality

choice = SecondModality()
choice.live()

# %% [markdown]
# Captions and sketches are kinds that the explorable has, trained here from the same seed: with as many scenes and epochs as its runs had, your mark lies on its
# curve, and with fewer (a smoke run) the gap has had less time to close. For the other two there is no curve: you measured something that the lab does not ship.
#
# ## 9 · False negatives and false pairs
#
# ### Eight sentences for everything
#
# Now each caption names the colour of the only object and nothing else: "a red thing". Every sentence occurs some $N/8$ times in a batch of $N$, and the loss calls
# all but one of its pictures *negatives*.
#
# **Predict** (question 4) the lowest possible loss.
#
# <details><summary>Answer</summary>
#
# Copies of a sentence have one and the same vector, so a picture gives them equal scores: its softmax can give its own copy at most $1/n$ if there are $n$ copies.
# A sentence with $n$ copies spreads one distribution over $n$ pictures that all should get everything: the mean of $-\log p$ is again at least
# $\log n$. So the loss is at least the mean of $\log n_i$, about $\log(N/8)$ for even classes, for every temperature.
#
# </details>

# %%
here = lab.start("10-false")
method = prepare(here.settings, here.train_images)
place = lab.folder("10-classes", here.settings)
classes = train(method, here.train_images, here.settings, [modalities.Pairs(here.test_images)], folder=place)
counts = here.train_images.labels.bincount() * here.settings.batch_size / len(here.train_images)
bound = float((counts * counts.log()).sum() / counts.sum())
guess = math.log(here.settings.batch_size)
print(f"batch {here.settings.batch_size}: loss {classes.last('loss'):.3f}; about {bound:.3f} is the lowest possible, guessing costs {guess:.3f}")

# %% [markdown]
# Would it help to tell the loss which captions are equal, and count those pairs as positives? Try it on a batch: value and gradient.

# %%
kinds = here.test_images.labels[:60]
pictures = torch.randn(60, 16, generator=torch.Generator().manual_seed(0), requires_grad=True)
texts = torch.randn(8, 16, generator=torch.Generator().manual_seed(1))[kinds]
plain = methods.clip_loss(pictures, texts, temperature=0.1)
merged = methods.clip_loss(pictures, texts, temperature=0.1, positives=kinds[:, None] == kinds)
one, other = (torch.autograd.grad(loss, pictures)[0] for loss in (plain, merged))
print(f"negatives {plain:.5f}, positives {merged:.5f}; equal gradients: {torch.allclose(one, other, atol=1e-6)}")

# %% [markdown]
# **The same.** Surprising, and provable in a line: the copies' terms $-s_{ij}$ sum to the same whether each picture names its own copy or the mean of all copies, because
# the copies are one vector. Exactly repeated captions raise the floor of the loss, but they push nothing in a wrong direction. (Two *different* sentences
# for the same content are another matter: those the loss does push apart.)
#
# And what it learns is useful: with one sentence for each class, retrieval *is* classification. This is CLIP's **zero-shot** classifier.

# %%
x, _ = modalities.embed_pairs(classes.method, here.test_images)
with torch.no_grad():
    prompts = classes.method.embed_texts(here.sentences).cpu()
guess = (x.cpu() @ prompts.T).argmax(dim=1)
truth = here.test_images.labels
common = truth.bincount().max() / len(truth)
print(f"colour by the nearest sentence: {(guess == truth).float().mean():.1%}; most frequent colour {common:.1%}")
print(f"gap {classes.last('test gap'):.3f}, cones {classes.last('image cone'):.3f} and {classes.last('text cone'):.3f}")

# %% [markdown]
# ### Ten words that learnt from photographs
#
# The package carries one CLIP that was trained for long on real pictures: CIFAR-10's photographs, each with a sentence that names its class. To the
# text network a word is a random vector at first: nobody tells it that a cat is an animal.
#
# **Predict.** Which two of the ten classes end with their sentences nearest to each other? Where could a network that only ever reads "a photo of a cat" have that from?

# %%
from contrastive_lab.data.suited import TEMPLATES
from contrastive_lab.explorables.cells import untrained
from contrastive_lab.runs import open_run

finished = open_run("cifar10-clip-w16-s0")
print(f"{finished.card['data']['train']:,} photographs, {finished.card['settings']['epochs']} epochs")
names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
sentences = [TEMPLATES[0].format(name) for name in names]
reader = finished.method()
with torch.no_grad():
    prompts, before = reader.embed_texts(sentences), untrained(reader).embed_texts(sentences)
cosines, pairs = prompts @ prompts.T, torch.combinations(torch.arange(10)).T
for title, table in {"before training": before @ before.T, "after": cosines}.items():
    values = table[pairs[0], pairs[1]]
    nearest = ", ".join("-".join(names[i] for i in pairs[:, place]) for place in values.topk(3).indices)
    print(f"{title}: cosines from {values.min():.3f} to {values.max():.3f}, nearest: {nearest}")
figure = figures.new_figure(height=430)
cells = [[None if i == j else float(cosines[i, j]) for j in range(10)] for i in range(10)]
look = {"colorscale": "Viridis", "texttemplate": "%{z:.2f}", "colorbar": {"title": "cosine"}}
figure.add_heatmap(z=cells, x=names, y=names, **look)
figure.update_xaxes(figures.axis("", showgrid=False))
figure.update_yaxes(figures.axis("", showgrid=False, autorange="reversed"))
lab.show(
    figure,
    alt="Cosines between the sentences of ten classes after training: cat and dog are nearest; animals lie near animals, "
    "automobile near truck, airplane near bird.",
)

# %% [markdown]
# <details><summary>Where the order comes from</summary>
#
# From the pictures. A sentence is pulled to the photographs that carry it; where two classes look alike, their photographs share a region, and their sentences end up there.
# Before training all ten lie together, in an order that another seed changes. (The next cell asks whether sentences are near where photographs are confused.)
#
# </details>
#
# **Predict**, then ask: what does this classifier answer to "not a cat", to "cat dog" and to "a photo of a zebra", and how sure is it?

# %%
from scipy.stats import spearmanr

from contrastive_lab.data import available, load
from contrastive_lab.training.observe import at_rest, embed

if any(found.images for found in available() if found.name == "cifar10"):
    photographs = load("cifar10", "test", count=lab.profile(smoke=200, laptop=1000, full=5000))
    with at_rest(reader):
        guess, truth = (embed(reader, photographs) @ prompts.T).argmax(dim=1), photographs.labels
    mistakes = (10 * truth + guess).bincount(minlength=100).view(10, 10)
    agreement, _ = spearmanr(*(table[pairs[0], pairs[1]] for table in (cosines, mistakes + mistakes.T)))
    print(f"nearest sentence right for {(guess == truth).float().mean():.1%} of {len(truth)} photographs")
    print(f"linear probe of the same network: {finished.card['measured']['linear']:.1%} of 10,000")
    print(f"rank correlation of a pair's cosine with how often it is confused: {agreement:.2f}")
else:
    print("CIFAR-10 is not on this machine, so only the text network can be asked here")
for asked in ("a painting of a ship", "not a cat", "cat dog", "dog cat", "a photo of a zebra"):
    with torch.no_grad():
        share = (reader.embed_texts([asked]) @ prompts.T / reader.temperature).softmax(dim=1)[0]
    print(f"{asked!r}: nearest to {names[share.argmax()]}, by {share.max():.0%} of the softmax")
with torch.no_grad():
    answers = (reader.embed_texts([f"{a} {b}" for a in names for b in names if a != b]) @ prompts.T).argmax(dim=1)
last = torch.tensor([j for i in range(10) for j in range(10) if i != j])
print(f"of {len(last)} prompts of two classes, the answer is the second one in {(answers == last).sum()}")

# %% [markdown]
# <details><summary>What it can read</summary>
#
# Single words. It never met "not", and of two classes it takes one and drops the other: which one hangs on their *order*, as the last line counts. That is no grammar: the captions of
# its training had one class each, at one place. A word it has never read still has a vector, a random one, and the softmax must give its
# hundred percent to somebody: being sure says nothing about knowing. Large models have met "not" and "zebra"; of them the opposite weakness is known, that the order of words often
# counts for too little (Yuksekgonul et al. 2023, arXiv:2210.01936). And ours is no zero-shot classifier in the sense of CLIP's authors, who ask for classes that training did not name: all
# ten sentences were in its captions. It is a classifier that was given its labels as words.
#
# </details>
#
# ### Wrong pairs: the toy on the sphere
#
# Liang et al. explain why a gap can *pay*: six pictures on the equator, six sentences at the same longitudes, the first two exchanged by mistake. Lift all sentences
# by a tilt. Where is the loss lowest?

# %%
from contrastive_lab.explorables.modality_gap import best_tilt

for scale in (1, 5, 14, 25, 50, 100):
    best = best_tilt(scale)
    effective = scale * math.cos(math.radians(best))
    right = best_tilt(scale, exchanged=False)
    print(f"scale {scale:3d}: best tilt {best:2d}°, the softmax sees scale {effective:5.1f}; all pairs right: {right}°")

# %% [markdown]
# At small scales the best place is the equator: no gap. At large scales a gap pays, but only because of the two wrong pairs. Look at the scale that the softmax sees: it
# ends up *the same* wherever a gap pays. The tilt multiplies all cosines by $\cos(\text{tilt})$, exactly the lifted dimension of section 2. So the gap does not
# know about wrong pairs; it is one way of raising a temperature that is too low for data with wrong pairs. A network that learns its temperature
# could raise that instead.
#
# **And real encoders?** Go back to the table of section 7 and compare "temperature 0.02" and "learnt" with the same under wrong pairs.
#
# <details><summary>What the comparison can say, and what it can't</summary>
#
# With wrong pairs among the captions the smallest temperature ends with a much wider gap, as the toy has it. But it also learns much less in the same number of epochs, and
# the gap is there from the start: an encoder that has learnt less has also closed less. One run of one seed can't tell "the gap protects" from "the gap has
# not been closed yet"; longer training of both arms would. The learnt temperature hardly moved in so few steps, and its gap stayed wider with wrong pairs too: at this
# size it does not take the way out that the toy offers.
#
# </details>
#
# ## 10 · Break it: pull alone
#
# If the gap were a fault, the cure would be easy: minimise the distance of the pairs, and nothing else.
#
# **Predict** gap, cones and retrieval.

# %%
here = lab.start("10-break")
method = prepare(here.settings, here.train_images)


def pull_alone(batch):
    """CLIP's two encoders with alignment instead of the loss."""
    pair = method.pair(batch)
    return methods.Step(methods.alignment_loss(*pair), torch.stack([F.normalize(z, dim=1) for z in pair]).detach())


method.step = pull_alone
broken = train(method, here.train_images, here.settings, [modalities.Pairs(here.test_images)])
lab.table({"untrained": [broken.history[0]], "pull alone": [broken.history[-1]]}, columns, digits=3)

# %% [markdown]
# The gap closes, the cones become rays, and retrieval is at chance: both encoders give one constant vector (given enough epochs; a smoke run is on its way).
# **No gap can mean no information.** Read a gap only beside the cones and retrieval, just as alignment is read only beside uniformity.
#
# ## 11 · Two questions
#
# **A.** A colleague finds that no picture has a cosine above 0.35 with any sentence, "so the model understands nothing". What do you say?
#
# <details><summary>Answer</summary>
#
# A gap lowers all cosines between the modalities alike, and the softmax compares them with one another only. What counts is the order: whether the own
# sentence is nearer than the others. Ask for retrieval or for the margin to the nearest stranger. For the same reason cosines between modalities must never be compared with
# cosines within one.
#
# </details>
#
# **B.** Someone draws both modalities with UMAP, sees two islands, and reports a large gap. Is that evidence?
#
# <details><summary>Answer</summary>
#
# No. UMAP keeps neighbourhoods, not distances: as soon as most nearest neighbours of a picture are pictures, which a tiny gap suffices for, it draws two islands. Use the
# direction of the gap itself as an axis, to scale, as the explorable does, and give the number with its noise floor $\sqrt{1/N_x+1/N_y}$.
#
# </details>
#
# ## To read
#
# * Radford et al.: *Learning Transferable Visual Models From Natural Language Supervision* (2021), arXiv:2103.00020. Figure 3 is your loss.
# * Liang, Zhang, Kwon, Yeung, Zou: *Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning* (2022), arXiv:2203.02053.
#   Cones at initialisation, the toy on the sphere, shifting along the gap.
# * Wang, Isola: *Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere* (2020), arXiv:2005.10242.
# * The code: `??methods.clip_loss`, `??methods.CLIP`, `??measures.shift_along_gap`.
#
# **Next:** notebook 11 asks when the *map* of a network, not its average, knows where an object is.

# %% expect=["the loss equals the package's: True", "alignment is gap squared plus rest: True", "the toy wants a gap at scale 50 and none at 5: True", "repeated captions change no gradient: True"]
# NBVAL_CHECK_OUTPUT
print("the loss equals the package's:", torch.allclose(ours, theirs))
print("alignment is gap squared plus rest:", math.isclose(squared + rest, (difference**2).sum(dim=1).mean(), rel_tol=1e-4))
print("the toy wants a gap at scale 50 and none at 5:", best_tilt(50) > 30 and best_tilt(5) == 0)
print("repeated captions change no gradient:", torch.allclose(one, other, atol=1e-6))
