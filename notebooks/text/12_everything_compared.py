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
# # 12 · Everything compared: which would I choose, and why?
#
# **Goal.** All methods of this workbook on the same axes: what they cost, what their spaces look like, what they find out about an image. You learn when a
# difference between two of them means something, and you write a method of your own and put it beside the others.
#
# **You need** notebook 01. Each other notebook that you have done adds a name you know to the pictures.
#
# **Time.** The first cell says what running everything costs on which machine. Working through it takes about 90 minutes.
# After the next cell you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures, methods, runs

lab.banner("12_everything_compared")

# %% [markdown]
# ## Predict first
#
# 1. Many networks were trained for equally many epochs on the same scenes, none of them with labels except Hydra. Will they agree on which scenes are alike?
# 2. Method A reaches 71 % with one seed and method B 69 %. Would you bet on A?
# 3. Is the method with the best uniformity also the one with the best accuracy?
# 4. Which costs more: a second network (a momentum twin), or twice as many views of each image?

# %% [markdown]
# ## 1 · One table
#
# A program of this repository (`benchmarks/methods.py`) trained every method with three seeds where time allowed it, each with its own recipe, on scenes
# with one object. The class is the object's **colour**. The network is small (a convolutional network for two cores), the number of epochs equal, the last
# epoch counts.
#
# **Predict.** The untrained network is one of the rows. How far above it do you expect the best one in kNN accuracy, and can a method be *below* it?

# %%
kept = lab.results.read("methods-scenes")
rows = {}
for key, row in kept.items():
    rows.setdefault(key.split("/")[0], []).append(row)
order = ["untrained", *(name for name in methods.METHODS if name in rows)]
some = kept["simclr/0"]
print(f"{some['settings']['network']} of width {some['settings']['width']}, {some['settings']['epochs']} epochs of {some['data']['train']:,} scenes")
print("seeds:", {name: len(rows[name]) for name in order})

# %%
titles = {"knn": "kNN colour", "linear": "linear colour", "linear_shape": "linear shape", "rankme": "RankMe", "train_seconds": "seconds"}
lab.table({name: rows[name] for name in order}, titles)

# %% [markdown]
# Read it twice.
#
# * **Down a column**: every method ought to beat the untrained network. Does each do so in kNN? In the linear probe?
# * **Across a row**: kNN asks whether the *nearest* images share the colour. The linear probe asks whether colour *can be read off* at all. A network may know
#   the colour very well and still order the scenes by something else, such as the background, which covers far more pixels.
#
# Hydra was given labels to form its pairs. Its row shows what labels are worth, and it is no fair rival of the others.
#
# <details><summary>Why is shape near chance for all of them?</summary>
#
# An object covers one to seven per cent of a 32-pixel image, and two crops of a scene agree on its colour and background long before anything forces the
# network
# to look at outlines. A loss asks for whatever tells images apart *cheaply*.
#
# </details>

# %% [markdown]
# ## 2 · When is a difference a difference?
#
# Two methods, the same seeds. The seed decides the first weights and the order of images, so it pushes both methods in similar ways: compare **seed by seed**.

# %% [markdown] card="paired_difference"
# (from contrastive_lab.exercises)

# %% exercise="paired_difference"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("paired_difference", paired_difference)

# %% [markdown]
# Now ask it about the table. A difference that is smaller than two standard errors is no news. With three seeds even that is a weak statement: the standard
# error itself is known only roughly.

# %%
paired_difference = exercises.get("paired_difference").or_solution(paired_difference)
for name in order:
    pairs = [(kept[f"{name}/{s}"]["knn"], kept[f"simclr/{s}"]["knn"]) for s in range(3) if f"{name}/{s}" in kept]
    if name == "simclr" or len(pairs) < 2:
        continue
    ours, theirs = torch.tensor(pairs).T
    mean, error = paired_difference(ours, theirs).tolist()
    clear = "clear" if abs(mean) > 2 * error else "not clear"
    print(f"{name:12s} - simclr: {mean:+.3f} ± {error:.3f} over {len(pairs)} seeds, {clear}")

# %% [markdown]
# The package has this with a verdict attached: *confirmed*, *refuted*, or *undecided at this scale*. The claims of all seven papers were put to it; each
# notebook shows its own. Most papers' claims are about long runs on large images: here a confirmed claim is encouraging and a refuted one is a question.

# %%
from contrastive_lab.experiments import compare

scores = {name: {s: kept[f"{name}/{s}"]["knn"] for s in range(3) if f"{name}/{s}" in kept} for name in order}
print(compare("DCL's neighbours share the colour more often than SimCLR's", scores["dcl"], scores["simclr"]))

# %% [markdown]
# ### Break it: how to fool yourself
#
# Nobody cheats on purpose. The usual way is to look at the test accuracy after each epoch and to report the best. Take a method that learns *nothing*: its
# accuracy is a constant plus luck. How much does the best of many epochs promise?

# %%
luck = torch.Generator().manual_seed(0)
test_images, truth = 500, 0.30
for looks in (1, 10, 50, 200):
    seen = (torch.rand(200, looks, test_images, generator=luck) < truth).float().mean(dim=2).amax(dim=1)
    print(f"best of {looks:3d} looks at {test_images} test images: {seen.mean():.3f} on average, the truth is {truth:.3f}")

# %% [markdown]
# (Real epochs depend on each other, so the effect is smaller there, but never zero.) This is why every number of this workbook is that of the **last** epoch.

# %% [markdown]
# ## 3 · The runs themselves
#
# One run of each method travels with the package: weights, numbers at every second epoch or so, and the way of 500 test scenes through the plane. A run has a
# card that says how it was made and how to make it again.

# %%
here = lab.start("12-runs")
print(here.runs["simclr"], "\n")
measured = {name: [run.card["measured"]] for name, run in here.runs.items()}
lab.table(measured, {"knn": "kNN colour", "linear": "linear colour", "alignment": "alignment", "uniformity": "uniformity", "rankme": "RankMe"})

# %% [markdown]
# **The plane of the two forces.** All runs start in the upper left corner: twins together, and everybody else too. Where do they go? Which one takes the
# longest way,
# which one stays in a cone?

# %%
here = lab.start("12-plane")
paths = {name: figures.Track(*run.column("alignment"), run.column("uniformity")[1]) for name, run in here.runs.items()}
figure = figures.align_uniform_plane(paths, floor=measures.uniformity_floor(128))
lab.show(
    figure,
    alt="The plane of alignment and uniformity with one path for each method, from the upper "
    "left corner, where all scenes coincide, to the right and down.",
)

# %% [markdown]
# <details><summary>What the plane can't say</summary>
#
# Methods that never compare whole images in this space (SwAV compares with prototypes, PixPro cells with cells) are measured here on something they did not
# optimise. A point further down is a more even cloud, not a better network: look at the accuracies again before you draw a line from one to the other.
#
# </details>

# %% [markdown]
# **Vital signs.** The same runs as strips with identical axes: alignment, uniformity, ranks, spread, kNN, each with a lamp. Move the epoch.

# %% tags=["explorable"]
strips = {name: run for name, run in here.runs.items() if name in ("simclr", "dcl", "moco", "swav", "cacr", "pixpro")}
explorables.show(explorables.VitalSigns(strips))

# %% [markdown]
# **Try.**
#
# 1. Move the epoch to 0. Which lamps are red before any training, for all methods?
# 2. Which run takes longest until its spread lamp turns green? It is a good guess that its loss gives small gradients at the start.
# 3. Is there a run whose kNN is good while its directions lamp warns?

# %% [markdown]
# As a still that GitHub shows too (these strips come from the runs that the explorable ships with):

# %% poster="vitals"
lab.poster(
    explorables.VitalSigns.shipped().poster(),
    alt="Vital signs of several runs as rows of small curves with identical axes: spread, "
    "uniformity, ranks, directions, alignment, locality and kNN accuracy over the epochs.",
)

# %% tags=["live"]
explorables.VitalSigns(strips).live()

# %% [markdown]
# ## 4 · Spectra: how many directions are alive?
#
# The weights are here, so we can ask anything, also what nobody thought of when the runs were made. Embed the test scenes with every network and look at the
# variance along each direction.
#
# **Predict.** Which method's curve falls fastest?

# %%
here = lab.start("12-spectra")
pixels = here.test_images.as_float()
embeddings = {}
with torch.no_grad():
    for name, run in here.runs.items():
        embeddings[name] = run.method().embed(pixels)
spectra = {name: measures.spectrum(z).tolist() for name, z in embeddings.items()}
lab.show(
    figures.spectra(spectra),
    alt="One falling curve for each method on a logarithmic scale: variance of the embedding "
    "along its directions, strongest first.",
)

# %%
measured = {name: [run.card["measured"]] for name, run in here.runs.items()}
lab.table(measured, {"participation_ratio": "participation ratio", "rankme": "RankMe", "std": "deviation of a coordinate"})

# %% [markdown]
# With few images the tail of a spectrum is too low, whatever the network does (notebook 09): compare the curves with each other, not with a paper's.

# %% [markdown]
# **Do they agree?** Two networks agree on a scene if they choose the same neighbours for it. Take the ten nearest of each scene in both spaces and count how
# many
# they share.

# %%
def neighbours(z: Tensor, k: int = 10) -> Tensor:
    similarity = z @ z.T
    return similarity.fill_diagonal_(-2).topk(k, dim=1).indices


names = list(embeddings)
near = {name: neighbours(F.normalize(z, dim=1)) for name, z in embeddings.items()}
shared = [[(near[a][:, :, None] == near[b][:, None]).any(2).float().mean().item() for b in names] for a in names]

# %%
figure = figures.new_figure(height=420)
look = {"colorscale": "Viridis", "texttemplate": "%{z:.2f}", "colorbar": {"title": "share"}}
figure.add_heatmap(z=shared, x=names, y=names, zmin=0, zmax=1, **look)
lab.show(
    figure,
    alt="A square table of colours: for each pair of methods the share of a scene's ten nearest "
    "neighbours on which both agree.",
)

# %% [markdown]
# The diagonal is one by definition. Off the diagonal you see families: losses that differ in a weight agree more than losses that differ in what they compare.
# Is it so here? Which pair agrees most?

# %% [markdown]
# ## 5 · Where is the object?
#
# The last question is about places. How well does a network's map separate the object's cells from the rest (mask AUROC, 0.5 is blind)? Masks were never shown
# to any of them. Raw colour and the untrained network are the baselines that every claim about locality has to beat (notebook 11).

# %%
from contrastive_lab.training.locality import map_locality

here = lab.start("12-locality")
few = here.test_images.take(slice(0, lab.profile(smoke=24, laptop=100, full=200)))
locality = {name: map_locality(run.method(), few) for name, run in here.runs.items()}
accuracy = {name: run.card["measured"]["knn"] for name, run in here.runs.items()}

# %%
figure = figures.new_figure(height=400)
for name in here.runs:
    style = figures.look(name)
    marker = {"color": style.colour, "symbol": style.symbol, "size": 13}
    figure.add_scatter(x=[accuracy[name]], y=[locality[name]], name=name, mode="markers", marker=marker)
figure.update_xaxes(figures.axis("kNN accuracy (colour)"))
figure.update_yaxes(figures.axis("mask AUROC of the map"))
lab.show(
    figure,
    alt="One mark for each method: kNN accuracy to the right, mask AUROC of its feature map "
    "upwards. The marks do not lie on one line.",
)

# %% [markdown]
# Knowing *what* and knowing *where* are different axes. A method is chosen for the axis that your task needs.

# %% [markdown]
# ## 6 · What does it cost?
#
# The same pass through the images costs differently: more views, a second network, dense maps. Seconds depend on the machine, ratios much less.

# %%
base = min(row["train_seconds"] for row in rows["simclr"])
for name in order[1:]:
    ratio = min(row["train_seconds"] for row in rows[name]) / base
    memory = min(row["peak_memory_mib"] for row in rows[name])
    print(f"{name:12s} {ratio:4.1f} times SimCLR's time per run, peak memory {memory:,.0f} MiB")

# %% [markdown]
# <details><summary>Where the time goes</summary>
#
# A momentum twin adds one forward pass without a backward pass, about a third of a training step. Twice the views are twice the work. MoCo's recipe here takes
# smaller batches, so more steps for the same images, each with its fixed costs. A dense method projects every cell of its map instead of one vector per image.
#
# </details>

# %% [markdown]
# ## 7 · A method of your own
#
# Every method of the package is a small class: it says which views it needs, what a step computes, and what happens after an update. The training loop knows
# nothing else. So a new idea is a new loss, and often no more than that. Start with the loss.

# %% [markdown] card="two_forces"
# (from contrastive_lab.exercises)

# %% exercise="two_forces"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("two_forces", two_forces)

# %% [markdown]
# The package has the two halves under the names of their paper. Yours, put together, should agree.

# %%
two_forces = exercises.get("two_forces").or_solution(two_forces)
one, two = torch.randn(2, 16, 8, generator=torch.Generator().manual_seed(1))
halves = (methods.uniformity_loss(one) + methods.uniformity_loss(two)) / 2
print("equal:", torch.allclose(two_forces(one, two), methods.alignment_loss(one, two) + halves, atol=1e-5))

# %% [markdown]
# Now the method: SimCLR with another loss. Five lines.

# %%
class Mine(methods.SimCLR):
    """SimCLR's network and views; the two forces, mixed by hand."""

    weight = 1.0

    def loss(self, z1: Tensor, z2: Tensor, *, temperature: float | None = None) -> Tensor:
        return two_forces(z1, z2, weight=self.weight)


# %%
from contrastive_lab.networks import make_backbone
from contrastive_lab.training import Evaluate, train

here = lab.start("12-own")
watch = Evaluate(here.train_images, here.test_images)
torch.manual_seed(0)
mine = Mine.build(partial(make_backbone, here.settings.network, width=here.settings.width))
own_run = train(mine, here.train_images, here.settings, [watch, lab.Live()])

# %% [markdown]
# And SimCLR itself with the same settings, so that the comparison is fair. (One seed each: you know by now what that is worth.)

# %%
from contrastive_lab.training import prepare

their_run = train(prepare(here.settings, here.train_images), here.train_images, here.settings, [watch])
for name, run in {"yours": own_run, "SimCLR": their_run}.items():
    print(f"{name:7s} kNN {run.last('knn'):.3f}, alignment {run.last('alignment'):.3f}, uniformity {run.last('uniformity'):.2f}")

# %%
both = {"yours": lab.track(own_run), "simclr": lab.track(their_run)}
lab.show(
    lab.distinct(figures.align_uniform_plane(both)),
    alt="The plane of alignment and uniformity with two paths from the upper left corner: "
    "your method and SimCLR.",
)

# %% [markdown]
# **Go on.** Set `Mine.weight` to 0.1 and to 10 and train again. Where do the end points lie, and what happens to kNN? Write a *different* loss: `loss` gets the
# raw projections of both views and may return anything that has a gradient. `CONTRIBUTING.md` says how a method of yours becomes part of the package: one file.

# %% [markdown]
# ## 8 · So which one?
#
# There is no winner in these tables, but there are questions that choose:
#
# | If … | then look at | because |
# |---|---|---|
# | your batches must be small | DCL, MoCo | the loss or a queue takes over what the batch can't give (02, 04) |
# | some positives are worse than others | CACR | it weighs positives, not only negatives (03) |
# | comparing all pairs costs too much | SwAV | images meet prototypes, not each other (05) |
# | you need maps, not vectors | PixPro, PixContrast | cells are compared (06) |
# | two data sets differ in one thing | SepCLR | it has a place for the difference (07) |
# | you have labels of classes, and relations matter | Hydra | gates say in what two classes agree (08) |
# | you have pictures and words | CLIP | two encoders, one space, and a gap to watch (10) |
#
# The middle column says where to look first, not what will win: measure it on *your* images, with several seeds, against an untrained network.

# %% [markdown]
# **Question A.** A colleague shows you a new loss with better uniformity than SimCLR and asks whether to use it. What do you ask back?
#
# <details><summary>Answer</summary>
#
# What its alignment is (uniformity alone can be had by pushing everything apart), whether the task's accuracy rose too, over how many seeds, and at which
# epoch it was
# read off. Then whether both had equally many epochs, views and tuning.
#
# </details>

# %% [markdown]
# **Question B.** Two networks have the same kNN accuracy but share only a third of their neighbours. How is that possible, and what would you do with it?
#
# <details><summary>Answer</summary>
#
# Accuracy counts only whether neighbours share the class; within a class, and for the scenes both get wrong, they may order everything differently: one by
# background, one by
# position. Such networks make different mistakes, so voting between them, or training on one's neighbours with the other, can gain something.
#
# </details>

# %% [markdown]
# ## What to read
#
# * Wang, Isola: Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere (ICML 2020), arXiv:2005.10242.
# * Garrido, Balestriero, Najman, LeCun: RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their Rank (ICML 2023),
#   arXiv:2210.02885.
# * Musgrave, Belongie, Lim: A Metric Learning Reality Check (ECCV 2020), arXiv:2003.08505: what is left of published differences when all methods are tuned
#   alike.
# * Balestriero and others: A Cookbook of Self-Supervised Learning (2023), arXiv:2304.12210.

# %% expect=["own loss equals the package: True", "every run is finite: True", "paths in the plane: True"]
print("own loss equals the package:", torch.allclose(two_forces(one, two), methods.alignment_loss(one, two) + halves, atol=1e-5))
print("every run is finite:", all(z.isfinite().all().item() for z in embeddings.values()))
print("paths in the plane:", len(paths) == len(embeddings) >= 2)
