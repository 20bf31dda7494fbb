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
# # 11 · Object locality: when does a map know objects?
#
# **Goal.** You turn the last map of a network into heat maps, score them with masks that no training ever saw, put three humbling baselines beside
# every number, look for objects with LOST, and find out which training helps, which does nothing, and which does harm.
#
# **You need** notebook 01 (the contrastive loss); notebook 06 (PixPro) helps. Convolutions: what a feature map is, what a stride does.
#
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about 90 minutes. After that cell
# you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures
from contrastive_lab.experiments import locality
from contrastive_lab.explorables.cells import colour_map, dense_map
from contrastive_lab.training.locality import object_cells

lab.banner("11_object_locality")

# %% [markdown]
# ## Predict first
#
# Write your answers down before you read on. You will meet each question again.
#
# 1. A network was *never trained*. We ask one cell of an object which other cells are similar. Does it do better than chance?
# 2. Every cell is replaced by its mean colour, three numbers. Does that do better or worse than a trained network, on pictures of plainly
#    coloured shapes?
# 3. A network is trained to tell whole *images* apart and never hears of objects. Does its map learn about objects anyway?
# 4. We train the cells directly: each must differ from the *other cells of the same image*, also from those of its own object. What does that do
#    to the map?

# %% [markdown]
# ## 1 · A vector for every cell
#
# The networks of the lab end in a map $F\in\mathbb R^{D\times H\times W}$ and average it into one vector. Here we stop before the average: each
# of the $H\times W$ **cells** has a vector of its own, which looks at a patch of the image around it.
#
# Our images are scenes with one object, 40 pixels wide, with an exact mask for every object. The network is `dense`: its stride is halved, so
# that 40 pixels give 10 × 10 cells. A cell belongs to the object if the object covers at least half of it: the second row shows the masks. The
# scenes are sorted, largest objects first.

# %%
here = lab.start("11-cells")
maps = dense_map(here.network, here.test_images)
print(f"images {tuple(here.test_images.pixels.shape)} -> maps {tuple(maps.shape)}")
eight = here.test_images.take(slice(0, 8))
lab.show_images(
    eight.pixels,
    zoom=2,
    alt="Eight scenes of 40 pixels: one small or large coloured shape each on a plain, "
    "striped, checkered or dotted grey ground.",
)
masks = object_cells(here.test_images, (10, 10))
blocks = masks[:8, None].repeat_interleave(4, 2).repeat_interleave(4, 3)
lab.show_images(
    (255 * blocks).to(torch.uint8),
    zoom=2,
    alt="The masks of the eight scenes as black and white cells, a few white cells each.",
)

# %% [markdown] card="cell_similarity"
# (statement, hints and solution come from contrastive_lab.exercises)

# %% exercise="cell_similarity"
# (the stub comes from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("cell_similarity", cell_similarity)

# %%
cell_similarity = exercises.get("cell_similarity").or_solution(cell_similarity)
ours, theirs = cell_similarity(maps[0]), measures.self_similarity(maps[0])
same_map = torch.allclose(ours, theirs, atol=1e-5)
print(f"similarity {tuple(ours.shape)}, equal to the package's: {same_map}")

# %% [markdown]
# Each of the $P$ rows is a picture. Here are two of them for the first scene: a query in the object and one in the corner, seen by the
# *untrained* network.

# %%
query = locality.middle(masks[0])
figure = figures.new_figure(height=330, showlegend=False)
for column, cell in enumerate((query, 99)):
    look = {"colorscale": "Cividis", "showscale": column == 1}
    figure.add_heatmap(z=ours[cell].view(10, 10).flip(0), x0=11 * column, dx=1, **look)
    square = {"symbol": "square-open", "size": 16, "color": "white"}
    figure.add_scatter(x=[11 * column + cell % 10], y=[9 - cell // 10], mode="markers", marker=square)
title = "left: query in the object, right: query in the corner"
figure.update_xaxes(figures.axis(title, showticklabels=False, showgrid=False))
figure.update_yaxes(figures.axis("", showticklabels=False, showgrid=False, scaleanchor="x"))
lab.show(
    figure,
    alt="Two patchy heat maps of 10 by 10 cells with a white square at the query. Neither shows a clear object.",
)

# %% [markdown]
# ## 2 · Point at a cell
#
# Now the same for four encoders at once, under one click: the mean **colour** of each cell, the **untrained** network, **SimCLR**, which
# compares whole images, and **PixPro**, which makes the cells of two crops agree. All three networks started from the same weights. No mask was
# used in training.

# %% tags=["explorable"]
explorables.show(explorables.ObjectLocality.shipped())

# %% [markdown]
# **Play with it** (click a cell, or give the image the focus with Tab and use the arrow keys):
#
# 1. Image 1. Move the query from the object to the ground. Which maps jump from object to ground, and which only shine around the query?
# 2. Image 2 has two objects of one colour. Whose map tells them apart? (Colour can't, by construction.)
# 3. Image 3, the white disc on checks: *white* and *grey* are one direction in colour space. Move the threshold and compare the IoU of raw
#    colour with that of PixPro. (The slider is a *share of the way* from the map's lowest cosine to 1; from section 3 on a threshold is a cosine. Image 4 has an
#    object of a single cell: there is nothing to rank.)
# 4. Pull *epoch* to 0 and back. What did training add?
# 5. Images 5 and 6 are mosaics of four scenes. Do the seams appear in the maps?
# 6. *Negatives from the same image* exchanges PixPro for PixContrast. Better or worse?
# 7. *Break it* averages the cells to a map of 4 × 4. Where did the object go?
#
# <details><summary>What you should have seen</summary>
#
# Training makes the maps follow the object instead of the query's neighbourhood. Where the object has a colour of its own, raw colour is nearly
# perfect; in the plane under the maps the methods move far to the right in a few epochs, towards the dashed line of raw colour (section 10 counts
# who passes it). On the white disc colour still *ranks* well, but grey is so near to white that a threshold of one half marks most of the picture;
# the maps trained on cells leave a wider gap. With 4 × 4 cells an object is smaller than a cell: resolution comes first.
#
# </details>
#
# **Questions 2 and 3 once more.** Does any map rank the cells of the query's own object above those of the other object of its colour (1 perfect, 0.5
# blind)? Which map encloses the white disc best at half of its own range, and which at a cosine of one half?

# %%
from contrastive_lab.explorables.locality import auroc as one_auroc

shown = explorables.ObjectLocality.shipped()
region, query = shown.regions[1], shown.query(1)
objects = region > 0
rows = {}
for number, panel in enumerate(shown.panels):
    heat = shown.state(number, image=1)["similarity"][objects].astype(float)
    apart = one_auroc(heat, region[objects] == region[query], int(objects[:query].sum()))
    disc, inside = shown.state(number, image=2), shown.regions[2] == shown.regions[2][shown.query(2)]
    marked = disc["similarity"] / 127.5 - 1 >= 0.5
    fixed = (marked & inside).sum() / (marked | inside).sum()
    rows[panel.title] = [{"own object or the other": apart, "disc, IoU at half range": disc["iou"], "disc, IoU at cosine 0.5": fixed}]
lab.table(rows, ["own object or the other", "disc, IoU at half range", "disc, IoU at cosine 0.5"])

# %% poster="locality"
lab.poster(
    explorables.ObjectLocality.shipped().poster(),
    alt="Three rows: a red square on a dotted ground, a white disc on checks and a mosaic of "
    "four scenes, each with a marked "
    "query; beside it five maps, of raw colour, of the untrained network, SimCLR, PixPro and PixContrast, with their AUROC and IoU.",
)

# %% [markdown]
# No map tells the two objects of one colour apart here: a cell says what it looks like, not *which thing* it belongs to. (A handful of cells, one query: an
# anecdote.) The white disc is enclosed best by the maps trained on cells. SimCLR hardly differs from the untrained network at half of each map's *own* range; at a
# cosine of one half the untrained map marks nearly everything, and SimCLR's doesn't. What a threshold means decides the story: the next section.
#
# ## 3 · How good is a heat map?
#
# Looking is not measuring. Two ways to score a map against the mask: one needs a threshold, one does not.

# %% [markdown] card="query_auroc"
# (from contrastive_lab.exercises)

# %% exercise="query_auroc"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("query_auroc", query_auroc)

# %% [markdown]
# The measure `locality_auroc` lets *every* object cell ask, and averages. Yours should give the same.

# %%
here = lab.start("11-score")
query_auroc = exercises.get("query_auroc").or_solution(query_auroc)
maps = dense_map(here.network, here.test_images)
inside = object_cells(here.test_images, (10, 10))[0]
rows = maps[0].flatten(1).T.contiguous().double()
heat = measures.self_similarity(rows)
asked = [query_auroc(heat[q], inside.flatten(), q) for q in inside.flatten().nonzero()[:, 0].tolist()]
mine, package = torch.stack(asked).mean().item(), measures.locality_auroc(rows, inside)
print(f"mean over {len(asked)} queries: yours {mine:.6f}, package {package:.6f}")

# %% [markdown] card="threshold_iou"
# (from contrastive_lab.exercises)

# %% exercise="threshold_iou"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("threshold_iou", threshold_iou)

# %%
threshold_iou = exercises.get("threshold_iou").or_solution(threshold_iou)
query, thresholds = locality.middle(inside), (0.3, 0.5, 0.7, 0.9)
yours = [threshold_iou(heat[query], inside.flatten(), threshold=t).item() for t in thresholds]
theirs = [measures.mask_iou(rows, inside, query=query, threshold=t) for t in thresholds]
same_iou = all(abs(a - b) < 1e-6 for a, b in zip(yours, theirs, strict=True))
print(f"thresholds {thresholds}: {[round(v, 3) for v in yours]}, equal to the package's: {same_iou}")
best, at = measures.best_mask_iou(rows, inside, query=query)
print(f"best IoU {best:.3f} at threshold {at:.3f}; at the fixed threshold 0.5: {yours[1]:.3f}")

# %% [markdown]
# Which threshold? The best one can only be found by looking at the mask, so a "best IoU" is an upper bound and not something a user of the map
# could reach. Papers differ here; read the caption of their tables. We always print a fixed one beside it.
#
# ## 4 · Three baselines that come first
#
# **Predict** for questions 1 and 2: AUROC of the untrained network, and of the mean colours. Chance is 0.5. The third line, *nearness*, is a map that never
# saw a picture: similarity falls with the distance between two cells and depends on nothing else. What will it score?

# %%
here = lab.start("11-baselines")
grid = torch.cartesian_prod(torch.arange(10.0), torch.arange(10.0))
near = (-torch.cdist(grid, grid).square() / 4).exp().view(1, 100, 10, 10)
found = {
    "raw colour": locality.scores(colour_map(here.test_images, (10, 10)), here.test_images),
    "nearness": locality.scores(near.expand(len(here.test_images), -1, -1, -1), here.test_images),
    "untrained": locality.scores(dense_map(here.network, here.test_images), here.test_images),
}
columns = {"auroc": "AUROC", "iou": "best IoU", "iou_fixed": "IoU at 0.5"}
lab.table({name: [row] for name, row in found.items()}, columns, digits=3)

# %% [markdown]
# The untrained network is clearly above 0.5, without having learned anything: random filters pass colour and edges on. And the mean colours are
# nearly perfect: this world is made of plainly coloured things. Nearness needs no picture, because an object is in one piece: whatever makes neighbouring
# cells alike, a large receptive field or the smoothing of PixPro, scores for that alone. **A heat map without these numbers beside it shows nothing yet.**
#
# There is a second reason why an untrained map scores, and it has nothing to do with the picture: **position**. Feed an image that is grey
# everywhere. There is nothing to see; are all cells equal?

# %%
blank = torch.ones(1, 3, 40, 40)
with torch.no_grad():
    flat = here.network.eval().encoder.feature_map(blank)[0]
nothing = measures.self_similarity(flat)
print(f"similarity of cells of an empty image: {nothing.min():.3f} to {nothing.max():.3f}")
figure = figures.new_figure(height=300, showlegend=False)
figure.add_heatmap(z=nothing[55].view(10, 10).flip(0), colorscale="Cividis")
title = "similarity to the middle cell, an empty image"
figure.update_xaxes(figures.axis(title, showticklabels=False, showgrid=False))
figure.update_yaxes(figures.axis("", showticklabels=False, showgrid=False, scaleanchor="x"))
lab.show(
    figure,
    alt="A heat map of an empty image: the inner cells are all alike, a frame of cells along "
    "the border differs.",
)

# %% [markdown]
# Convolutions pad with zeros, so border cells see something that inner cells don't. "Find" an object in the empty image: call the inner
# $6\times6$ cells an object and score the map.

# %%
imaginary = torch.zeros(10, 10, dtype=torch.bool)
imaginary[2:8, 2:8] = True
leak = measures.locality_auroc(flat.flatten(1).T.contiguous(), imaginary)
print(f"AUROC for an object that is not there: {leak:.3f}")

# %% [markdown]
# <details><summary>What follows for your own experiments</summary>
#
# Objects of photographs tend to sit in the middle. A map that knows only *where* a cell is already beats chance on them. So: always report the
# untrained network of the same architecture, on the same images. (The objects of our scenes are spread over nine places, so position helps less
# here than it would with objects that are always in the middle.)
#
# </details>
#
# ## 5 · Train it, without a mask
#
# SimCLR on the dense network. It compares *whole images*: the average over the cells goes into the loss. Nobody mentions objects.
#
# **Predict** the curve of AUROC over the epochs, and whether it reaches raw colour. (The smoke profile trains two epochs, too few to learn much.)

# %%
from contrastive_lab.lab.sections.n11 import dense
from contrastive_lab.training import Evaluate, train

here = lab.start("11-training")
network = dense(here.settings, here.train_images)
watchers = [
    Evaluate(here.train_images, here.test_images, probe=len(here.test_images)),
    locality.watch(here.test_images),
    lab.Live(),
]
place = lab.folder("11-simclr", here.settings)
run = train(network, here.train_images, here.settings, watchers, folder=place)

# %%
curve = {"simclr": run.column("auroc")}
figure = figures.training_curve(curve, measure="mask AUROC", limit=here.colour, limit_name="raw colour")
lab.show(
    figure,
    alt="The mask AUROC of SimCLR's map over the epochs, starting at the untrained network, "
    "with the dashed line of raw colour above.",
)

# %% [markdown]
# What "objects emerge without supervision" means is the first part of this curve: the number rises, and no mask was used. What the sentence
# leaves out is the dashed line, and *nearness* of section 4, which knows no picture at all: does your curve end above it?
#
# Locality is not the same as recognition. The same run, judged by nearest neighbours on the *shape*, where guessing gives one in six. (So few test images vote
# that an accuracy moves by several hundredths on its own: the way to the right is certain, up and down hardly.)

# %%
figure = figures.new_figure(height=300, showlegend=False)
epochs, knn = run.column("knn")
_, auroc = run.column("auroc")
figure.add_scatter(
    x=auroc,
    y=knn,
    mode="lines+markers+text",
    text=[str(int(e)) for e in epochs],
    textposition="top center",
    cliponaxis=False,
    marker={"color": figures.look("simclr").colour},
)
figure.update_xaxes(figures.axis("mask AUROC"))
figure.update_yaxes(figures.axis("kNN, shape"))
lab.show(
    figure,
    alt="The path of your run in the plane of mask AUROC and nearest-neighbour accuracy, one "
    "point for each epoch.",
)

# %% [markdown]
# ## 6 · Point at your own network
#
# The explorable again, with your run's encoder on test scenes that it has not seen: raw colour, the same architecture untrained, and yours.

# %% tags=["explorable"]
here = lab.start("11-yours")
yours_shown = explorables.ObjectLocality.of(
    here.network, here.test_images, names=[f"test scene {n}" for n in range(6)]
)
explorables.show(yours_shown)

# %% [markdown]
# The kernel can do it too: for any picture and any encoder. The button takes a picture **of your own**; it is shrunk to 40 pixels, goes through
# the network, and never leaves this machine.

# %% tags=["live"]
display(yours_shown.live())
explorables.locality.upload(here.network, like=here.test_images)

# %% [markdown]
# <details><summary>What to expect of a photograph</summary>
#
# This network has seen nothing but plain shapes at 40 pixels. On a photograph it answers with edges and colours. Try a picture with one object
# on a calm ground, and compare with the raw colours before you praise the network.
#
# </details>
#
# ## 7 · No query, no mask: LOST
#
# So far somebody pointed at the object. LOST finds it alone, if a bet holds: *the object is smaller than the ground, and its cells have few
# friends*.

# %% [markdown] card="lost_degrees"
# (from contrastive_lab.exercises)

# %% exercise="lost_degrees"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("lost_degrees", lost_degrees)

# %% [markdown]
# From the seed to a box: the least connected cells that correlate with the seed vote, and the connected region that gets a positive sum around
# the seed is boxed. `lost_box` does that. CorLoc is the share of images whose box overlaps the true one with an IoU of at least one half.

# %%
here = lab.start("11-lost")
lost_degrees = exercises.get("lost_degrees").or_solution(lost_degrees)
colours = colour_map(here.test_images, (10, 10))
rows = F.normalize(colours[0].flatten(1).T, dim=1).double()
box = measures.lost_box(locality.centred(rows), grid=(10, 10), patch=4, k=locality.voters(100))
same_degrees = torch.equal(lost_degrees(rows), box.degrees)
print(f"degrees equal to the package's: {same_degrees}; seed {box.seed}, box {tuple(map(float, box[:4]))}")

# %% [markdown]
# **Predict.** For which does the bet hold: raw colour, the untrained network, SimCLR?

# %%
trained = lab.start("11-yours").network  # here it is opened, or trained if you came in by this door
sources = {
    "raw colour": colours,
    "untrained": dense_map(here.network, here.test_images),
    "SimCLR": dense_map(trained, here.test_images),
}
found = {name: locality.scores(maps, here.test_images) for name, maps in sources.items()}
lab.table(
    {name: [row] for name, row in found.items()},
    {"seed": "seed in the object", "corloc": "CorLoc, %", "auroc": "AUROC"},
)

# %% [markdown]
# <details><summary>Why LOST fails here</summary>
#
# LOST was made for the keys of a DINO transformer, where ground patches do correlate with one another. Press *Show LOST* in section 2: most of
# SimCLR's seeds lie at the border of the map, the position leak of section 4. PixPro's seed is in the object more often (the column *seed in object*
# of section 10), but the vote that follows spreads over the ground, and the box is wrong. Raw colour, which leaks no position, finds the most. A
# trained map can have a high AUROC all the same: the object's cells know one another, they are just not the loneliest. A method's assumption belongs
# to its features; check it before you use the method.
#
# </details>
#
# ## 8 · Mosaics: objects by construction
#
# Where no masks exist, one can make some: put four images into a square. The "object" of a cell is its own quarter.

# %%
from contrastive_lab.data import scenes
from contrastive_lab.explorables.cells import untrained

here = lab.start("11-mosaic")
count = 4 * lab.profile(smoke=6, laptop=20, full=60)
tiles = scenes.load("test", count=count, size=20, two=0.0, seed=7)
mosaics = locality.mosaics(tiles, len(tiles) // 4)
lab.show_images(
    mosaics.pixels[:6],
    zoom=2,
    alt="Six squares, each made of four small scenes with different grounds.",
)
views = {
    "raw colour": colour_map(mosaics, (10, 10)),
    "untrained": dense_map(untrained(here.network), mosaics),
    "SimCLR": dense_map(here.network, mosaics),
}
quarters = {name: [{"mosaic": locality.mosaic_auroc(maps)}] for name, maps in views.items()}
lab.table(quarters, {"mosaic": "AUROC of the quarters"}, digits=3)

# %% [markdown]
# <details><summary>A mosaic asks another question</summary>
#
# A mosaic asks "same picture?", and a quarter of ours is mostly *ground*. An encoder can be good at objects and bad at this, or the reverse: a
# cell of the object is *unlike* the ground of its own quarter, and two plain grounds of one tone are alike across the seam. In a mosaic of
# photographs, each filled by one thing, the question is nearly what image-level training optimises. Say which ground truth you used.
#
# </details>
#
# ## 9 · Break it
#
# **Negatives from the same image.** PixContrast makes each cell find its partner among *all cells of the other view of its image*. Then the
# other cells of the same object are negatives too: the loss pushes apart what a mask holds together. It should do harm. Should it?
#
# **Predict** (question 4): does AUROC end above or below SimCLR? Above or below the untrained network?

# %%
from contrastive_lab.lab.sections.n11 import dense, recipe
from contrastive_lab.training import prepare, train

here = lab.start("11-break")
settings = recipe("pixcontrast", lab.profile(smoke=1, laptop=6, full=40))
place = lab.folder("11-pixcontrast", settings)
watch = locality.watch(here.test_images)
broken = train(dense(settings, here.train_images), here.train_images, settings, [watch], folder=place)

_, curve = broken.column("auroc")
figure = figures.training_curve({"pixcontrast": broken.column("auroc")}, measure="mask AUROC", limit=here.colour, limit_name="raw colour")
lab.show(figure, alt="The mask AUROC of PixContrast over its epochs, with the dashed line of raw colour.")
simclr = locality.scores(dense_map(here.network, here.test_images), here.test_images)["auroc"]
print(f"untrained {curve[0]:.3f}, PixContrast {curve[-1]:.3f}, SimCLR of section 5 {simclr:.3f}, raw colour {here.colour:.3f}")

# %% [markdown]
# <details><summary>Did it break?</summary>
#
# The argument was good, and the experiment has the last word: in our runs the mask AUROC *rises* above the untrained network, and in the larger runs
# of section 10 it ends close to the other methods. An object of this world covers a few of a hundred cells, so nearly all negatives of an object's
# cell are *ground*, and pushing the ground away is just what a mask asks for. On the mosaics of section 10, where a quarter is mostly one ground, look
# who ends below the untrained network: if not PixContrast alone, the negatives are not the whole explanation there either.
#
# </details>
#
# **Too few cells.** The other way to break it needs no training: the usual stride. The same 40 pixels give 5 × 5 cells, and an image of 32
# pixels 4 × 4.

# %%
coarse = prepare(here.settings, here.train_images)
coarse.load_state_dict(here.network.state_dict())  # the same weights, only the stride differs
cells = object_cells(here.test_images, tuple(dense_map(coarse, here.test_images).shape[2:]))
usable = sum(1 < int(mask.sum()) < mask.numel() for mask in cells)
print(f"a map of {tuple(cells.shape[1:])} cells: {usable} of {len(cells)} images have two object cells at all")

# %% [markdown]
# ## 10 · Larger runs
#
# `scripts/states/locality.py` trained SimCLR, PixPro and PixContrast from the same first weights. The table is read from what it wrote: the end
# of every method (mean and standard deviation where several seeds were run); "untrained" is epoch 0. One seed alone says nothing about
# differences of a few hundredths.
#
# **Predict** the order of the five rows. Who is ahead of whom, the lines below the table count; photographs come with the claim below.

# %%
def last_rows(record):
    """The end of every method, the start of one as the untrained network, and raw colour."""
    seeds = record["seeds"]
    rows = {"raw colour": [seed["colour"] for seed in seeds], "untrained": [seed["simclr"][0] for seed in seeds]}
    return rows | {name: [seed[name][-1] for seed in seeds] for name in ("simclr", "pixpro", "pixcontrast")}


kept = explorables.table.read("locality")
try:
    measured = lab.results.read("locality")  # several seeds, where somebody ran them
except FileNotFoundError:
    measured = {"seeds": [kept.about["numbers"]]}
settings, seeds = kept.about["settings"], len(measured["seeds"])
print(f"{kept.about['command']}: {settings['epochs']} epochs, width {settings['width']}, seeds: {seeds}")
columns = {"auroc": "AUROC", "iou_fixed": "IoU at 0.5", "pointing": "pointing", "seed": "seed in object", "corloc": "CorLoc, %"}
lab.table(last_rows(measured), columns | {"mosaic": "mosaic"})

ends = last_rows(measured)
for name in ("simclr", "pixpro", "pixcontrast"):
    for rival in ("untrained", "raw colour"):
        wins = sum(a["auroc"] > b["auroc"] for a, b in zip(ends[name], ends[rival], strict=True))
        print(f"scenes: {name} ends above {rival} in {wins} of {seeds} seeds")

# %% [markdown]
# Two axes again, for these methods and over the epochs of the first seed: *where are the objects* against *which object is it* (as uncertain as in section 5:
# its test images are few). After it comes another table, of
# runs over several seeds on smaller images (enlarged for the measurement), each method with its own recipe. **Predict** for that one: does a method that
# compares *whole images* reach the mask AUROC of one that compares cells?

# %%
figure = figures.new_figure(height=340)
for name in ("simclr", "pixpro", "pixcontrast"):
    path, style = measured["seeds"][0][name], figures.look(name)
    line = {"color": style.colour, "dash": style.dash}
    where, what = [row["auroc"] for row in path], [row["knn"] for row in path]
    figure.add_scatter(x=where, y=what, name=name, mode="lines+markers", line=line)
figure.update_xaxes(figures.axis("mask AUROC"))
figure.update_yaxes(figures.axis("kNN, shape"))
lab.show(
    figure,
    alt="Paths of SimCLR, PixPro and PixContrast from the common untrained network through "
    "the plane of mask AUROC and kNN accuracy.",
)

exams = {"knn": "kNN colour", "linear_shape": "linear shape", "locality_auroc": "mask AUROC"}
lab.beside("moco", "cacr", "swav", "pixcontrast", "pixpro", results="methods-scenes", columns=exams)

# %% [markdown]
# In these runs it does: MoCo, which never hears of cells, ends in the mean between PixContrast and PixPro. Take no rank of MoCo from that column, though: with three
# seeds it can't be told from PixContrast, PixPro or SimCLR, only from CACR and SwAV, which lie below it. The recipes differ in more than the loss, too; but locality is no privilege of losses on cells. What sets those apart is the middle column:
# *shape* is read off best where cells were compared, although the neighbours, which ask for colour, are poorer there. *Where* and *what* are two exams, and
# *what* has several questions.
#
# ### The paper's claim
#
# PixPro (Xie and others, 2021) claims that pixel-level pretraining gains where *pixels* are evaluated: detection and segmentation. Our test in miniature
# has a linear classifier of single cells and the mask AUROC of this notebook, on scenes and on STL-10 photographs. Differences are taken seed by seed: a
# line is *confirmed* or *refuted* when their Student 95 % interval leaves out zero, else *undecided*.
#
# **Predict.** Every trained network here beat the untrained one on scenes. Will it on photographs?

# %%
lab.claim("pixpro")

# %% [markdown]
# **Reading it.** Segmentation confirms the claim in these runs. Mask AUROC on scenes is nearly full for everybody trained: PixPro and SimCLR can't be told
# apart, and PixContrast, whose negatives include cells of the same object, is a little below. Question 4 has its answer on this scale: some harm against
# SimCLR, none against no training. On photographs every trained network is *below the untrained* one, PixPro less so than SimCLR.
#
# Has training destroyed what an untrained network knows about objects? Longer runs of another program have the other measures of this notebook, too.
#
# **Predict.** In which of them do trained networks end *above* the untrained one on photographs: mask AUROC, pointing, LOST's seed, its box?

# %%
from contrastive_lab.experiments import compare

photographs = lab.results.read("locality_stl10")
size = photographs["sizes"]
print(f"STL-10: {size['count']:,} images to learn from, {size['epochs']} epochs, {size['seeds']} seeds, {size['scored']} test images")
ends = last_rows(photographs)
lab.table(ends, columns)

by_seed = {name: {key: dict(enumerate(row[key] for row in rows)) for key in columns} for name, rows in ends.items()}
for one, rival in (("simclr", "untrained"), ("pixpro", "untrained"), ("pixcontrast", "untrained"), ("pixpro", "simclr")):
    print(f"\n{one} minus {rival}, seed by seed, ± 95 %")
    for key in ("auroc", "pointing", "seed", "corloc"):
        verdict = compare(key, by_seed[one][key], by_seed[rival][key])
        print(f"  {columns[key]:15s}{verdict.difference:+7.3f} ± {verdict.margin:.3f}")

# %% [markdown]
# So training does win something. Before you tell a story about it: what do the same measures give to things that can't know any object? (Section 4 had a cold
# reading of maps whose near cells are alike.)
#
# **Predict** for photographs: mask AUROC of raw colour and of nearness; how often nearness *points* into the object; how often a cell drawn by luck lies in
# it (LOST's seed is one cell); and CorLoc of a box that is always the whole picture.

# %%
from contrastive_lab import data
from contrastive_lab.experiments.claims import dense as exam

if exam.stl_has_masks():
    photos = data.load("stl10", "test", size=exam.STL_SIDE)
    photos = photos.take(photos.factors["has_mask"].nonzero()[: exam.LOOKED_AT, 0])
    grid = torch.cartesian_prod(torch.arange(12.0), torch.arange(12.0))
    near = (-torch.cdist(grid, grid).square() / 4).exp().view(1, 144, 12, 12).expand(len(photos), -1, -1, -1)
    for name, maps in {"raw colour": colour_map(photos, (12, 12)), "nearness": near}.items():
        print(f"{name}: mask AUROC {exam.cell_locality(maps, photos):.3f} on the {len(photos)} photographs of the claim")
    scored = photos.take(slice(0, size["scored"]))
    print(f"on the {len(scored)} photographs of the last table:")
    lab.table({"nearness": [locality.scores(near[: len(scored)], scored)]}, columns)
    masks = object_cells(scored, (12, 12))
    corners = torch.tensor([locality.bounding_box(mask, photos.size / 12) for mask in masks])
    boxes = (corners[:, 2:] - corners[:, :2]).prod(dim=1) / photos.size**2  # shares of the picture
    print(f"a cell drawn by luck lies in the object: {masks.float().mean():.2f}")
    print(f"the whole picture as the box, CorLoc: {100 * (boxes >= 0.5).float().mean():.0f} %")
else:
    print("STL-10 with its masks is not on this machine, so the baselines of photographs can't be computed here")

# %% [markdown]
# <details><summary>What they say</summary>
#
# *Mask AUROC.* Where we ran the baselines, nearness, which sees no picture, scored as high as the untrained network, and raw colour lay below all networks.
# Objects of STL-10 are large and in one piece: here the measure pays for smoothness, and an untrained network may have little else. Training makes cells
# depend on what they show, and loses points for it, in both programs and with every method. PixPro's small lead over SimCLR is clear in the claim's runs and
# not in the second table, which has fewer seeds.
#
# *Pointing.* Here the trained networks are ahead, a little: only PixContrast's gain is clear, and almost everybody hits almost always. But nearness points as
# well as they do. Next to the middle of a large object there is more of the object.
#
# *LOST.* The patch that it starts from lies in the object far more often for raw colour than for any network, PixContrast coming nearest. Training raises it,
# and yet every network does worse than a cell drawn by luck: the objects cover about half of these pictures, and LOST bets that the object is the smaller
# part. Its boxes even get worse with training, and the whole picture as a box beats them all by far.
#
# *IoU at a fixed cosine* asks how large cosines are, which training makes smaller: no contest.
#
# So none of these measures shows that training taught the maps about objects, and on pictures like these most of them hardly could. The refuted line speaks
# about *this* measure at this scale; the paper's is another: detectors and segmenters, fine-tuned after long training on ImageNet. Without the baselines we
# would have told a story about objects.
#
# </details>
#
# **Which untrained network?** Finished runs on larger photographs travel with the package: several methods after their training, and the very weights that
# SimCLR began with. More networks were never trained: one with other first weights of the same kind, one with first weights drawn the way PyTorch does it if
# nobody asks for anything else, and one with the finer map of the dense methods.
#
# **Predict.** Do those that were never trained differ by less than training changes?

# %%
from contrastive_lab.explorables.cells import untrained
from contrastive_lab.runs import open_run

if exam.stl_has_masks():
    large = data.load("stl10", "test", count=lab.profile(smoke=50, laptop=250, full=600))
    large = large.take(large.factors["has_mask"].nonzero()[:, 0])
    trained = {name: open_run(f"stl10-{name}-w16-s0").method() for name in ("simclr", "dcl", "swav", "pixpro", "pixcontrast")}
    simclr = trained["simclr"]
    plain = untrained(simclr)
    for layer in plain.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.reset_parameters()  # PyTorch's own first weights
    networks = trained | {"SimCLR's start": open_run("stl10-untrained-w16-s0").method()}
    networks |= {"another draw": untrained(simclr), "another kind": plain, "finer map": untrained(trained["pixpro"])}
    found = {name: exam.cell_maps(network, large) for name, network in networks.items()}
    found["raw colour"] = colour_map(large, tuple(found["simclr"].shape[2:]))
    for name, maps in found.items():
        print(f"{name:14s} mask AUROC {exam.cell_locality(maps, large):.3f} on {len(large)} photographs, cells {tuple(maps.shape[2:])}")
else:
    print("STL-10 with its masks is not on this machine, so these networks can't be asked here")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Two draws of the same kind lay close together, and so did the untrained network with the finer map. Every trained network ended below the start: SimCLR
# least, by hardly more than two draws differ, the two dense methods most. The other *kind* of first weights lay far below all of them, about where raw colour is.
# (PyTorch's first weights are small. We suspect that a residual network then hands its early maps on nearly as they are.) So "untrained" is a recipe as well,
# and with the wrong one at hand training looks like a triumph, or like damage. The fair baseline is the network that the training began with. It is one run
# of each, on some thousand photographs, at another size of map: whether training gains or loses in general, it can't say.
#
# </details>
#
# ## 11 · Two questions
#
# **A.** A poster shows the heat map of a self-supervised network, sharp around a red car on a grey street. What three things do you ask for?
#
# <details><summary>Answer</summary>
#
# The map of raw colour for the same query; the map of the same architecture untrained; and how the picture was chosen, or better the mean AUROC
# over many images with masks, at a threshold that was fixed before looking.
#
# </details>
#
# **B.** Your dense loss falls nicely, and the mask AUROC falls too. Which negatives do you suspect, and what would you change first?
#
# <details><summary>Answer</summary>
#
# Negatives from the same image: other cells of the same object are pushed away although they should agree. Take negatives from other images
# only, or none at all (PixPro), or count near cells as positives. Whether it helps is an experiment: in ours, look at the table before you
# promise anything.
#
# </details>
#
# ## To read
#
# * Xie and others: *Propagate Yourself: Exploring Pixel-Level Consistency for Unsupervised Visual Representation Learning* (2021),
#   arXiv:2011.10043.
# * Caron and others: *Emerging Properties in Self-Supervised Vision Transformers* (2021), arXiv:2104.14294: the attention maps that made the
#   topic famous.
# * Siméoni and others: *Localizing Objects with Self-Supervised Transformers and no Labels* (2021), arXiv:2109.14279: LOST.
# * The code you compared yours with: `??measures.locality_auroc`, `??measures.lost_box`.
#
# **Next:** notebook 12 puts all methods on the same axes, and asks you to write your own.

# %% expect=["similarity equals the package's: True", "AUROC equals the package's: True", "IoU equals the package's: True", "degrees equal the package's: True", "the empty image leaks position: True"]
# NBVAL_CHECK_OUTPUT
print("similarity equals the package's:", same_map)
print("AUROC equals the package's:", abs(mine - package) < 1e-9)
print("IoU equals the package's:", same_iou)
print("degrees equal the package's:", same_degrees)
print("the empty image leaks position:", leak > 0.5)
