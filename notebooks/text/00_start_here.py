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
# # 00 · Start here: what will I be able to see?
#
# **Goal.** You know what the notebooks show, what your machine can do, the world of images they use, and what a *view* of an image is.
#
# **You need** Python and a first idea of what a neural network is. Nothing is downloaded: everything here works without a network.
#
# **Time.** About 45 minutes; the cell with the imports says what running everything costs.

# %%
import torch
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab
from contrastive_lab.data import scenes

lab.banner("00_start_here")

# %% [markdown]
# ## The idea in one minute
#
# Show a network two random crops of one picture and ask it to recognise them as the same, among crops of many other pictures. No label is needed: the
# picture itself says which two belong together. To do this well, the network must notice what the crops share: shapes, colours, things.
#
# That is contrastive learning. Its training signal consists of two forces on the points of a sphere: *views of one picture attract, views of different
# pictures repel*. You can hold both in your hand:

# %% tags=["explorable"]
explorables.show(explorables.Circle())

# %% [markdown]
# Choose an answer to unlock the controls, then pull the temperature and drag points. What the lines and arrows mean is the subject of notebook 01; for now,
# notice that one slider decides whether the blue point listens to its nearest stranger or to all of them.
#
# If the circle above doesn't move on this page (GitHub shows no scripts), this is what it looks like:

# %% poster="circle"
lab.poster(
    explorables.Circle().poster(),
    alt="Three circles with the same twelve points and one blue anchor at temperatures 0.05, "
    "0.2 and 1: at 0.05 one red line to the nearest negative is thick and the rest are "
    "hairlines, at 1 all ten red lines are visible.",
)

# %% [markdown]
# ## Where you are
#
# | where | what to know |
# |---|---|
# | your computer | `make lab` starts JupyterLab in the environment that was tested. Everything works offline |
# | Binder | a small rented machine for an hour or two; what you write is lost when it stops: download the notebook to keep it |
# | Colab | choose a GPU under *Runtime > Change runtime type*; interactive pictures work, each in its own frame |
# | GitHub | shows text and still pictures only |
#
# Three sizes of every lesson exist. `smoke` only tests that the notebook runs, `laptop` takes minutes on two cores, `full` wants a GPU. The banner
# above says which one is in use; `lab.profile` picks numbers for it:

# %%
epochs = lab.profile(smoke=1, laptop=12, full=40)
print(f"this profile is {lab.current()}: it would train for {epochs} epochs")

# %% [markdown]
# What your machine spends on the two operations that matter, a convolution and a matrix product. (The first call of each only warms up and isn't counted.)

# %%
import time

device = "cuda" if torch.cuda.is_available() else "cpu"
images, kernel = torch.randn(64, 32, 32, 32, device=device), torch.randn(64, 32, 3, 3, device=device)
matrix = torch.randn(1024, 1024, device=device)
operations = {
    "a convolution of 64 images": lambda: torch.nn.functional.conv2d(images, kernel, padding=1),
    "a product of two matrices of side 1,024": lambda: matrix @ matrix,
}
for what, operation in operations.items():
    operation().sum().item()
    began = time.perf_counter()
    for _ in range(5):
        operation().sum().item()
    print(f"{what} on {device}: {(time.perf_counter() - began) / 5 * 1000:.1f} ms")

# %% [markdown]
# ## The embedded world
#
# Real photographs are large, and nobody knows what is *really* in them. The lab draws its own pictures: scenes with one or two objects on a background,
# each chosen at random by a counter. The same number gives the same picture on every computer.

# %%
here = lab.start("00-world")
lab.show_images(
    here.images.pixels[:24], columns=8, zoom=1,
    alt="A sheet of 24 small scenes: one or two coloured shapes such as circles, rings, "
    "crosses and bars on dark plain, striped, checkered or dotted backgrounds.",
)

# %% [markdown]
# Everything about a scene is known. These are its **factors**; later notebooks ask which of them a network has learnt without ever being told.

# %%
for name, values in scenes.CLASSES.items():
    words = ", ".join(values) if len(values) < 10 else f"{values[0]}, {values[1]}, ... ({len(values)} in all)"
    print(f"{name:14} {words}")

# %% [markdown]
# One scene in full. Change `number` and run the cell again.

# %%
number = 3
short, long = here.images.captions[number]
lab.show_images(here.images.pixels[number : number + 1], zoom=3, alt=f"The scene number {number}, enlarged: {short}.")
print(f"short caption: {short}")
print(f"long caption:  {long}")

# %% [markdown]
# **Predict.** The short caption leaves something out. What will a network that learns from pictures and *short* captions not need to know? (Notebook 10
# tests it.)
#
# <details><summary>Answer</summary>
#
# Position, tone and (in three of four templates) the background: the long caption names them, the short one doesn't.
#
# </details>
#
# The world also knows which pixels belong to which object. With these **masks** we can ask whether a network finds objects (notebook 11).

# %%
masks = here.images.masks[:8]
names = ["#282828", *(figures.class_look(shape).colour for shape in range(6))]
palette = torch.tensor([list(bytes.fromhex(name[1:])) for name in names], dtype=torch.uint8)
coloured = palette[masks.long()].permute(0, 3, 1, 2)
lab.show_images(
    torch.cat([here.images.pixels[:8], coloured]), columns=8, zoom=1,
    alt="Two rows of eight: scenes above, their masks below, the pixels of each object in one"
    " colour for its shape on a dark ground.",
)

# %% [markdown]
# **How often does each shape occur?** Count before you trust an accuracy: a classifier that always says the most frequent class is the baseline.

# %%
shapes = here.images.factors["shape"].bincount(minlength=6)
figure = figures.new_figure(height=260)
figure.add_bar(x=list(scenes.CLASSES["shape"]), y=shapes.tolist(), marker_color=figures.look("simclr").colour)
figure.update_yaxes(figures.axis("scenes"))
lab.show(
    figure,
    alt="Six bars of similar height: how many scenes have a circle, square, triangle, cross, "
    "ring or bar as their first object.",
)

# %% [markdown]
# Real images work as well: CIFAR-10, CIFAR-100, STL-10 and Flickr8k, if you have them. `contrastive-lab data` in a terminal says what it finds, and
# `contrastive_lab.data.load("cifar10")` opens them. The world above is always there.

# %% [markdown]
# ## What is a view?
#
# A **view** is a picture after a random crop, perhaps mirrored, with changed colours. Two views of one picture are a positive pair. Which changes we allow
# decides what the network learns to *ignore*: if colours change wildly, colour can't help to recognise a twin.

# %%
here = lab.start("00-views")
print(here.augmentation)

# %% [markdown]
# Eight views of one scene. `generator` makes the choice reproducible: the same seed gives the same views.

# %%
def pictures(views):
    """Normalised views back to bytes for showing."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (here.augmentation.mean, here.augmentation.std))
    return ((views * std + mean).clamp(0, 1) * 255).round().to(torch.uint8)


one = here.images.pixels[3:4].expand(8, -1, -1, -1)
views, boxes = here.augmentation(one, generator=torch.Generator().manual_seed(3))
lab.show_images(
    pictures(views), zoom=1,
    alt="Eight random views of one scene: cropped at different places and sizes, some "
    "mirrored, with slightly different brightness and colour.",
)

# %% [markdown]
# Where were these crops? Every view comes with its **box** in the source image, corners between 0 and 1; a mirrored view has its corners exchanged. Drawn
# over the scene, with the number of each view:

# %%
figure = figures.new_figure(height=420)
scene = figures.data_uri(here.images.pixels[3].permute(1, 2, 0).numpy())
place = {"x": 0, "y": 0, "sizex": 1, "sizey": 1, "xref": "x", "yref": "y", "layer": "below"}
figure.add_layout_image(source=scene, **place)
for number, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
    name, dash = (f"{number}, mirrored", "dash") if x1 > x2 else (f"{number}", "solid")
    line = {"color": figures.CLASSES[number].colour, "width": 3, "dash": dash}
    figure.add_scatter(x=[x1, x2, x2, x1, x1], y=[y1, y1, y2, y2, y1], mode="lines", line=line, name=name)
figure.update_xaxes(range=[0, 1], visible=False)
figure.update_yaxes(range=[1, 0], visible=False, scaleanchor="x")
lab.show(
    figure,
    alt="The scene with eight rectangles over it, one for each view; the rectangles of "
    "mirrored views are dashed.",
)

# %% [markdown]
# **Predict.** We crop much smaller: between 5 % and 20 % of the area. What goes wrong with a pair of such views?
#
# Then run the cell. `dataclasses.replace` changes one setting of the augmentation.

# %%
from dataclasses import replace

tiny = replace(here.augmentation, scale=(0.05, 0.2))
pairs = [tiny(here.images.pixels[:8], generator=torch.Generator().manual_seed(seed))[0] for seed in (0, 1)]
lab.show_images(
    pictures(torch.cat(pairs)), columns=8, zoom=1,
    alt="Two rows of eight strongly enlarged crops; those above each other come from the same"
    " scene and often show nothing in common.",
)

# %% [markdown]
# <details><summary>What goes wrong</summary>
#
# Many pairs share nothing: one view shows the object, the other an empty corner. Calling them "the same" then teaches the network to ignore the object.
# Crops that are too large go wrong in the other way: twins are so similar that there is nothing to learn. Good views share what you care about and differ in
# everything else.
#
# </details>

# %% [markdown]
# Do small crops really share less? Measure it: for the boxes of two views, the area that both show as a share of the area that at least one shows. This is
# the first exercise of the course, and it works like all others: a card with hints and a solution behind folds, a cell for your code, a check.

# %% [markdown] card="view_overlap"
# (from contrastive_lab.exercises)

# %% exercise="view_overlap"
# (from contrastive_lab.exercises)

# %% [markdown]
# The check compares your function with the definition and with mistakes that people make. If it recognises yours, it says which one. Try it before you have
# written anything: a check never breaks a notebook.

# %% tags=["raises-exception", "check"]
exercises.check("view_overlap", view_overlap)

# %% [markdown]
# From here on the notebook uses your function if it is right, and the lab's otherwise.

# %%
view_overlap = exercises.get("view_overlap").or_solution(view_overlap)
scales = ((0.05, 0.2), (0.2, 1.0), (0.3, 1.0), (0.8, 1.0))
shares, apart = {}, {}
source = here.images.pixels[:1].expand(1000, -1, -1, -1)
for scale in scales:
    augmentation = replace(here.augmentation, scale=scale)
    one, two = (augmentation(source, generator=torch.Generator().manual_seed(seed))[1] for seed in (0, 1))
    found = view_overlap(one, two)
    shares[scale], apart[scale] = found.mean().item(), (found == 0).float().mean().item()
    print(f"crops of {scale[0]:.0%} to {scale[1]:.0%} of the area: two views share {shares[scale]:.0%}, {apart[scale]:.0%} of the pairs share nothing")

# %% [markdown]
# ## The tour: five things to see
#
# Training a network on pairs of views moves a cloud of points. Five questions about that cloud return in every notebook, and each has a picture of its own:
#
# | question | name | where |
# |---|---|---|
# | Are two views of one image close? | **alignment** | 01 |
# | Do the images spread over the sphere? | **uniformity** | 01 |
# | How many directions does the cloud use? | **dimensional collapse** | 09 |
# | Do pictures and words share the space? | **modality gap** | 10 |
# | Does the map of a network know where objects are? | **object locality** | 11 |
#
# The strips below follow all five while different methods train: one block for each method, one line for each measure (some questions have several), and a
# lamp where a value can be called healthy or ill. **Predict** first, then move the epoch.

# %% tags=["explorable"]
explorables.show(explorables.VitalSigns.shipped())

# %% [markdown]
# <details><summary>What to look for</summary>
#
# At epoch 0 nearly all lamps warn: an untrained network puts all images in almost the same place. Then the spread grows, and in most runs the number of
# directions. *Break it* adds one
# block, which has the best alignment of all and yet is ill: it was trained without anything that pushes strangers apart. You will build that one yourself in
# notebook 01.
#
# </details>

# %% poster="vitals"
lab.poster(
    explorables.VitalSigns.shipped().poster(),
    alt="Vital signs of several methods as rows of small curves with identical axes: spread, uniformity, ranks, alignment, modality gap, locality and kNN.",
)

# %% [markdown]
# **The first of the five, by hand.** Six pairs of views, how far apart a network puts them, and whether it still finds the twin among strangers. Pull the
# strength of the
# augmentation up, and change the network.

# %% tags=["explorable"]
explorables.show(explorables.Alignment.shipped())

# %% poster="alignment"
lab.poster(
    explorables.Alignment.shipped().poster(),
    alt="Pairs of views with their distances; for the untrained network, alignment only and SimCLR a histogram of twin distances, and below it twin against nearest "
    "stranger: only SimCLR's points lie mostly below the diagonal.",
)

# %% [markdown]
# **Read it off.** At strength 2, does the encoder with the smallest alignment find the most twins? Answer from the picture; the next cell asks the table behind it.

# %%
shown = explorables.Alignment.shipped()
states = {name: shown.state(strength=2, encoder=number) for number, name in enumerate(shown.encoders)}
lab.table({name: [state] for name, state in states.items()}, {"alignment": "alignment", "found": "twins found"}, digits=3)
nearest, finder = min(states, key=lambda name: states[name]["alignment"]), max(states, key=lambda name: states[name]["found"])
print(f"smallest alignment: {nearest}; most twins found: {finder}; one encoder: {nearest == finder}")

# %% [markdown]
# ## How the notebooks work
#
# * **Predict first.** A prediction that turns out wrong teaches more than a figure that you scrolled past.
# * **Exercises** have a stub, three hints and a solution behind folded lines, and a check that recognises common mistakes and names them.
# * **Doors.** Each section starts with `lab.start("01-loss")` or the like, which prepares what the section needs. After the cell with the imports you
#   may begin anywhere.
# * **Runs are kept.** A training you repeat with the same settings is opened from where it lies. Stop one with the square button (interrupt): it goes on
#   later from its last finished epoch.
# * **Numbers** of larger runs come from files in `results/` that programs in `benchmarks/` wrote.
#
# | notebook | question |
# |---|---|
# | 01_two_forces | What does InfoNCE want? |
# | 02_decoupling | Why do small batches learn slowly? |
# | 03_attraction_and_repulsion | Which positives, which negatives matter? |
# | 04_hard_negatives | Can we invent better negatives? |
# | 05_clusters_instead_of_pairs | Do we need pairs at all? |
# | 06_pixels | What if each pixel is an instance? |
# | 07_common_and_salient | What do two data sets share? |
# | 08_arbitrary_pairs | May any two images be positive? |
# | 09_dimensional_collapse | How many dimensions are alive? |
# | 10_modality_gap | Why do pictures and words stay apart? |
# | 11_object_locality | When does a map know objects? |
# | 12_everything_compared | Which would I choose, and why? |

# %% [markdown]
# **Question A.** We never change colours, and always crop. What will a network learn to tell images apart by?
#
# <details><summary>Answer</summary>
#
# By colours: two crops of one picture have nearly the same colour histogram, and other pictures have another one. That is the cheapest way to recognise a
# twin, so it will be
# taken. This is why strong colour changes are part of nearly every recipe.
#
# </details>
#
# **Question B.** The class we care about is the *direction* in which an arrow points. Which of the usual changes must go?
#
# <details><summary>Answer</summary>
#
# Mirroring: it makes an arrow to the left and one to the right "the same". A view may change only what you want to ignore.
#
# </details>

# %% [markdown]
# ## What to read
#
# * Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of Visual Representations (ICML 2020), arXiv:2002.05709. Its section 3
#   varies the views.
# * Tian, Sun, Poole, Krishnan, Schmid, Isola: What Makes for Good Views for Contrastive Learning? (NeurIPS 2020), arXiv:2005.10243.

# %% [markdown]
# ## Something doesn't work?
#
# `contrastive-lab doctor` in a terminal prints versions, device, memory and the data that was found, in a form that fits a bug report. If an interactive
# picture
# stays empty: trust the notebook, run its cell again, and start JupyterLab from the same environment as the kernel (`make lab` does).

# %% expect=["scenes drawn: 256", "every scene has two captions: True", "small crops share less: True", "views keep the size of the image: True"]
# NBVAL_CHECK_OUTPUT
print("scenes drawn:", len(here.images))
print("every scene has two captions:", all(len(pair) == 2 for pair in here.images.captions))
print("small crops share less:", shares[0.05, 0.2] < shares[0.3, 1.0] < shares[0.8, 1.0])
print("views keep the size of the image:", views.shape[-1] == here.images.size)
