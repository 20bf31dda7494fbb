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
# # 01 · Two forces: what does InfoNCE want?
#
# **Goal.** You write the loss of SimCLR yourself, see it as a force on every point, split it into the two forces *alignment* and *uniformity*, train a
# network with it, and break it by taking one force away.
#
# **You need** vectors, dot products, the softmax, and a first meeting with PyTorch tensors. Notebook 00 shows the images used here.
#
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about 90 minutes.
# After that cell you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures, methods

lab.banner("01_two_forces")

# %% [markdown]
# ## Predict first
#
# Write your answers down before you read on. You will meet each question again.
#
# 1. A batch has $N$ images with two views each. How many vectors push a given anchor away?
# 2. The temperature is lowered from 1 to 0.05. Does the anchor listen to more negatives or to fewer?
# 3. We throw the negatives away and train with the positives alone. The loss becomes tiny. Is the network good?
# 4. We throw the positives away and keep the negatives. Is *that* network good?
#
# ## 1 · Positives and negatives on a circle
#
# A network turns each view of an image into a vector, and we keep only its direction: a point on the unit sphere. In two dimensions the sphere is a
# circle, and we can look at it.
#
# Two views of one image are a **positive pair**: they should meet. Views of different images are **negatives** of each other: they should part.
# For one chosen point, the **anchor**, this gives one partner that attracts and many strangers that repel.
#
# In the picture below, the letter names the image; full points are first views, pale ones second views.

# %% tags=["explorable"]
explorables.show(explorables.Circle())

# %% [markdown]
# **Play with it** (points can be dragged; or give one the focus with Tab and press the arrow keys):
#
# 1. Pull the temperature down to its smallest value. Which negatives still have a line you can see?
# 2. Pull it up to 2. How many negatives share the push now? Compare with the largest possible number.
# 3. Press *A false negative next door*. Somebody put another picture of the same thing next to the anchor, and the loss can't know. Where does
#    the push come from?
# 4. Press *Break it*. All points coincide. What does the force say, and what does the loss say?
#
# <details><summary>What you should have seen</summary>
#
# A small temperature concentrates the push on the nearest negative, a large one shares it among nearly all. A false negative is the nearest
# negative, so a small temperature puts almost all repulsion exactly where it does harm. In the collapsed state the force along the circle is zero
# for every point, although the loss is bad: collapse is a place from which no force leads away.
#
# </details>
#
# The same picture at three temperatures, as a still. Lines are as wide as the softmax weights; the arrows outside the circle are pull (green),
# push (red) and their sum (black).

# %% poster="circle"
lab.poster(
    explorables.Circle().poster(),
    alt="Three circles with the same twelve points and one blue anchor at temperatures 0.05, "
    "0.2 and 1: at 0.05 one red line to the nearest negative is thick and the rest are "
    "hairlines, at 1 all ten red lines are visible.",
)

# %% [markdown]
# How many negatives count at each temperature? We use $e^{H}$, with $H$ the entropy of the negatives' weights: it is 1 if one negative has all the
# weight and 10 if all ten share it evenly.

# %%
from contrastive_lab.explorables.circle import START, effective_negatives

temperatures = torch.logspace(math.log10(0.02), math.log10(2), 30).tolist()
count = effective_negatives(START, temperatures, anchor=3)
figure = figures.new_figure(height=300)
figure.add_scatter(x=temperatures, y=count, mode="lines+markers", marker={"color": figures.look("simclr").colour})
figure.update_xaxes(figures.axis("temperature", type="log", tickvals=[0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]))
figure.update_yaxes(figures.axis("negatives that share the push", range=[0, 10.5]))
lab.show(
    figure,
    alt="A rising curve: the number of negatives that share the push grows from one at "
    "temperature 0.02 to nearly ten at temperature 2.",
)

# %% [markdown]
# The kernel can draw the circle too, for angles of your own. Change the list and run the cell again; the first half are first views, the second
# half the second views of the same images.

# %% tags=["live"]
angles = [0.2, 1.6, 2.9, -1.9, 0.5, 1.2, -2.9, -1.4]
explorables.Circle(angles, anchor=0).live()

# %% [markdown]
# ## 2 · The loss
#
# Stack the views of $N$ images into $2N$ unit vectors $z_a$. The anchor $a$ must pick its twin $p(a)$ among the $2N-1$ other vectors. "Picking" is a
# softmax classification whose logits are cosines divided by a temperature $\tau$:
#
# $$\ell_a=-\log\frac{e^{z_a^\top z_{p(a)}/\tau}}{\sum_{b\ne a}e^{z_a^\top z_b/\tau}}
# =-\frac{z_a^\top z_{p(a)}}{\tau}+\log\sum_{b\ne a}e^{z_a^\top z_b/\tau}.$$
#
# The first term is small if the twin is near; the second is small if *everybody* is far. This loss is called **NT-Xent** (SimCLR's name) or
# **InfoNCE**. Before writing it, check two values that you can compute in your head.
#
# **Predict.** All $2N$ vectors are equal. What is the loss, and how does it depend on $\tau$?
#
# <details><summary>Answer</summary>
#
# All logits are equal, so the softmax is uniform over $2N-1$ candidates and the loss is $\log(2N-1)$, for every temperature. A network at the start of
# training, which can't tell images apart, begins near this value.
#
# </details>

# %%
here = lab.start("01-loss")
same = torch.ones(64, 16)
for tau in (0.1, 1.0):
    loss = methods.nt_xent_loss(same, same, temperature=tau)
    print(f"temperature {tau}: loss {loss:.4f}, log(2N - 1) = {math.log(2 * 64 - 1):.4f}")

# %% [markdown] card="info_nce"
# (statement, hints and solution come from contrastive_lab.exercises)

# %% exercise="info_nce"
# (the stub comes from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("info_nce", info_nce)

# %% [markdown]
# The check compares your function with the definition and with more than a dozen mistakes that people make. If it recognises yours, it says which one.
#
# The rest of the notebook goes on with your function if it is right, and with the lab's otherwise. Does it agree with the package, which research
# code would import?

# %%
info_nce = exercises.get("info_nce").or_solution(info_nce)
ours = info_nce(here.z1, here.z2, temperature=0.2)
theirs = methods.nt_xent_loss(here.z1, here.z2, temperature=0.2)
print(f"yours {ours:.6f}, package {theirs:.6f}, equal: {torch.allclose(ours, theirs)}")

# %% [markdown]
# A worked example that fits on paper: two images, two dimensions, $\tau=0.5$. The first image has views $(1,0)$ and $(0.6,0.8)$, the second has
# $(0,1)$ twice. Compute the loss of the first anchor by hand (its cosines are 0.6 with its twin and 0 with both others), then compare.
#
# <details><summary>Why not write the logarithm of the fraction directly?</summary>
#
# At $\tau=0.01$ the largest term is $e^{100}$, more than float32 can hold. Cross-entropy subtracts the largest logit first (log-sum-exp), so nothing
# overflows. The last lines of the next cell show both.
#
# </details>

# %%
z1, z2 = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.6, 0.8], [0.0, 1.0]])
by_hand = -0.6 / 0.5 + math.log(math.exp(0.6 / 0.5) + 1 + 1)
print(f"first anchor by hand: {by_hand:.6f}")
print(f"mean over the four anchors: {info_nce(z1, z2, temperature=0.5):.6f}")

scores = torch.tensor([1.0, 0.9, 0.2]) / 0.01
naive = -(scores.exp()[0] / scores.exp().sum()).log()
stable = F.cross_entropy(scores[None], torch.tensor([0]))
print(f"naive: {naive:.4f}   log-sum-exp: {stable:.6f}")

# %% [markdown]
# ## 3 · The loss is a force
#
# Differentiate $\ell_a$ with respect to the anchor. With the softmax weights $w_{ab}$ of row $a$,
#
# $$-\tau\frac{\partial\ell_a}{\partial z_a}=\underbrace{(1-w_{a,p(a)})\,z_{p(a)}}_{\text{pull}}-\underbrace{\sum_{b\ne a,p(a)}w_{ab}\,z_b}_{\text{push}} .$$
#
# The anchor is pulled towards its twin by as much as the softmax is *not yet convinced*, and pushed away from each negative by that negative's weight.
# These are the arrows of the circle. Don't believe the formula: let autograd check it.

# %%
here = lab.start("01-forces")
tau = 0.2
stack = F.normalize(torch.cat([here.z1, here.z2]), dim=1)
anchor = stack[0].clone().requires_grad_()
scores = stack[1:] @ anchor / tau
loss = -scores[63] + scores.logsumexp(dim=0)  # row 63 of the others is row 64 of the stack: the twin
(gradient,) = torch.autograd.grad(loss, anchor)

weights = methods.similarity_weights(here.z1, here.z2, temperature=tau)[0]
twin = 64
pull = (1 - weights[twin]) * stack[twin]
push = (weights[:, None] * stack).sum(dim=0) - weights[twin] * stack[twin]
print("formula equals autograd:", torch.allclose(pull - push, -tau * gradient, atol=1e-6))
print(f"1 - weight of the twin: {1 - weights[twin]:.6f}")
print(f"weights of all negatives: {weights.sum() - weights[twin]:.6f}")

# %% [markdown]
# **A balance in the weights.** The pull has size $1-w_{a,p(a)}$, and the weights of all negatives add up to exactly the same number. (As a vector the push
# is shorter: negatives on different sides cancel.) An anchor whose softmax is convinced of its twin is left alone by everybody.
#
# **Temperature as hardness.** Which negatives do the pushing? Sort the negatives of one anchor by their cosine and add up the weights, nearest first.
# At a small temperature a handful has everything. These are called *hard negatives*; notebook 04 makes more of them.

# %%
figure = figures.new_figure(height=320)
for tau, dash in ((0.05, "solid"), (0.2, "dash"), (1.0, "dot")):
    row = methods.similarity_weights(here.z1, here.z2, temperature=tau)[0]
    negatives = torch.cat([row[1:64], row[65:]]).sort(descending=True).values
    share = (negatives.cumsum(0) / negatives.sum()).tolist()
    figure.add_scatter(x=list(range(1, len(share) + 1)), y=share, name=f"τ = {tau}", line={"dash": dash})
figure.update_xaxes(figures.axis("negatives, nearest first"))
figure.update_yaxes(figures.axis("share of the push", range=[0, 1.02]))
lab.show(
    figure,
    alt="Three rising curves of the share of the push against the number of negatives: "
    "temperature 0.05 rises almost at once, 0.2 later, and temperature 1 is close to the "
    "straight line of equal shares.",
)

# %% [markdown]
# ## 4 · Pull and push as two numbers
#
# Wang and Isola (2020) measure the two forces separately, on any cloud of unit vectors and without a temperature in the first:
#
# * **alignment**: how far apart are the two views of one image?
# * **uniformity**: how much do the images crowd together?
#
# You write both; they are short.

# %% [markdown] card="alignment"
# (from contrastive_lab.exercises)

# %% exercise="alignment"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("alignment", alignment)

# %% [markdown] card="uniformity"
# (from contrastive_lab.exercises)

# %% exercise="uniformity"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("uniformity", uniformity)

# %% [markdown]
# **How low can uniformity get?** Not to $-4t$: that would need every pair to be opposite. The best that many points can do is spread evenly, and the
# value of the even spread depends on the dimension. The package computes it exactly; a large random sample should come close.

# %%
for dim in (2, 3, 16, 128):
    cloud = torch.randn(2000, dim, generator=torch.Generator().manual_seed(dim))
    floor, value = measures.uniformity_floor(dim), measures.uniformity(cloud)
    print(f"dimension {dim:3d}: floor {floor:.4f}, 2000 random points {value:.4f}")

# %% [markdown]
# So a value of $-3.5$ is excellent in 16 dimensions and mediocre in 512. Always read uniformity as a share of its floor. (This floor is that of infinitely
# many points. A finite cloud may get a little lower, since no point counts as its own neighbour; the circles below have the floor for as many points as
# they show.)
#
# Now let both forces act on points that are free to move: no network, only gradient descent on the angles. The red arc shows how far one point's
# bump reaches.

# %% tags=["explorable"]
explorables.show(explorables.Particles())

# %% [markdown]
# **Try.**
#
# 1. Uniformity 100 %, *Run*: where do the pairs end up in the plane on the right?
# 2. Uniformity 0 %, *Start again*, *Run*: do the points collapse into one?
# 3. 50 %, kernel $t=50$, *Start again*, *Run*. Compare with $t=2$. Why is the narrow kernel slower to fill the circle?
# 4. *Break it*, then *Run* with any setting. What happens, and which term would have to act?
#
# <details><summary>What you should have seen</summary>
#
# Uniformity alone fills the circle and tears the pairs apart. Alignment alone joins the pairs, and then nothing moves: for free points it does not even
# cause collapse, it only fails to prevent it. A bump of width $1/\sqrt t$ feels only its neighbours, so an arc stays an arc for long when $t$ is large (that
# is, when the temperature is small). From the collapsed state no gradient leads out: all forces are exactly zero.
#
# </details>

# %% poster="particles"
lab.poster(
    explorables.Particles().poster(),
    alt="Four circles: the start, an arc of joined pairs; alignment alone, pairs joined but "
    "still on the arc; uniformity alone, points all round with long chords between twins;"
    " both, pairs joined and spread all round.",
)

# %% [markdown]
# ## 5 · One loss, two forces
#
# InfoNCE contains both. How exactly? Derive it: one line of algebra for each half.

# %% [markdown] card="recombine"
# (from contrastive_lab.exercises)

# %% exercise="recombine"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("recombine", recombine)

# %% [markdown]
# The result is the sentence to remember:
#
# $$\mathcal L_\text{InfoNCE}\;\approx\;\frac{1}{2\tau}\,\mathcal L_\text{align}\;+\;\mathcal L_\text{unif}\!\Big(t=\frac1{2\tau}\Big)\;+\;\log M .$$
#
# The temperature does two things at once: it is the **weight** of alignment and the **width** of the uniformity kernel.
#
# It is an approximation, because the log of a sum over *this anchor's* negatives is replaced by the log of the mean over *all* pairs, and because
# the twin sits in the sum as well. How good is it? Try it on many points.
#
# **Predict.** For which temperatures will the two agree best: small or large?

# %%
here = lab.start("01-identity")
recombine = exercises.get("recombine").or_solution(recombine)


def compare(z1, z2, tau):
    """The loss and its recombination from two forces, for one pair of views."""
    align = methods.alignment_loss(z1, z2)
    uniform = (methods.uniformity_loss(z1, t=1 / (2 * tau)) + methods.uniformity_loss(z2, t=1 / (2 * tau))) / 2
    exact = methods.nt_xent_loss(z1, z2, temperature=tau)
    return exact.item(), recombine(align, uniform, torch.tensor(2.0 * len(z1) - 1), temperature=tau).item()


draw = torch.Generator().manual_seed(1)
cloud = F.normalize(torch.randn(1024, 64, generator=draw), dim=1)
twins = cloud + 0.1 * torch.randn(1024, 64, generator=draw)
table = {tau: compare(cloud, twins, tau) for tau in (0.05, 0.1, 0.2, 0.5, 1.0)}
for tau, (a, b) in table.items():
    print(f"temperature {tau:4}: InfoNCE {a:7.4f}, two forces {b:7.4f}, difference {b - a:+.4f}")

# %% [markdown]
# <details><summary>Why it fails at small temperatures</summary>
#
# At a small temperature the twin's own term $e^{z_a^\top z_{p(a)}/\tau}$ is no longer one among thousands: it dominates the sum, which the uniformity (different
# images only) doesn't contain. And a narrow kernel sees few neighbours, so the log of each anchor's own sum differs much from the log of the average.
# More negatives help against the first cause. The second stays wherever the anchors' neighbourhoods differ, however many negatives there are (Jensen's
# inequality); this cloud is even, so here both fade.
#
# </details>

# %% [markdown]
# ## 6 · Train it
#
# Now a network. The images are scenes with one object of known shape, colour, size and place; notebook 00 introduced them. Views are random crops
# with a mild change of colour. The network never sees a label.
#
# Before training we fix a **probe**: the same test images, the same two views at every epoch. Otherwise the curves move because the sample does.

# %%
from contrastive_lab.training import Evaluate, prepare, train

here = lab.start("01-training")
method = prepare(here.settings, here.train_images)
evaluate = Evaluate(here.train_images, here.test_images, probe=len(here.test_images))
print(f"{method.title}, {sum(p.numel() for p in method.parameters()):,} parameters")

# %% [markdown]
# **Predict.** Where does the loss start? Where does the *untrained* network sit in the plane of alignment and uniformity: top left, top right, bottom
# left or bottom right?

# %%
place = lab.folder("01-simclr", here.settings)
run = train(method, here.train_images, here.settings, [evaluate, lab.Live()], folder=place)

# %% [markdown]
# The picture above was repainted while the network trained: the batch on its two strongest directions, the spectrum of the embeddings, and the
# path in the plane. A run that you repeat with the same settings is opened, not trained again.
#
# The curve of the loss begins with the *mean* over the first epoch. The very first step lies nearer to the line of guessing, and a little below it: even an
# untrained network puts twins nearer together than strangers.
#
# Does the network know anything useful? Ask its nearest neighbours: the class of a test image is voted by the most similar training images. We
# never told it about colours.

# %%
guess = math.log(2 * here.settings.batch_size - 1)
curve = {"simclr": run.column("loss")}
figure = figures.training_curve(curve, measure="loss", limit=guess, limit_name="guessing: log(2N - 1)")
lab.show(
    figure,
    alt="The mean training loss of each epoch: the first lies below the dashed line of guessing "
    "already, and the next ones fall fast at first and slowly afterwards.",
)

common = here.test_images.labels.bincount().max().item() / len(here.test_images)
curve = {"simclr": run.column("knn")}
figure = figures.training_curve(curve, measure="kNN, colour", limit=common, limit_name="most frequent class")
lab.show(
    figure,
    alt="The share of test images whose colour the nearest neighbours guess right, over the "
    "epochs, above the dashed line of the most frequent class.",
)

# %% [markdown]
# ## 7 · The plane of the two forces
#
# Put alignment on one axis and uniformity on the other, and every encoder is a point. The path of your run begins at the untrained network.

# %%
here = lab.start("01-plane")
floor = measures.uniformity_floor(128)  # the projector ends in 128 dimensions
lab.show(
    figures.align_uniform_plane({"simclr": lab.track(here.run)}, floor=floor, height=380),
    alt="The plane of alignment and uniformity with the path of your run: it starts top left,"
    " where everything coincides, and moves down towards the dashed floor and to the "
    "right.",
)

# %% [markdown]
# Surprised? The untrained network has a *better alignment than your run after any epoch*. It maps every image to nearly the same direction, so twins agree, and so do
# strangers. Alignment alone says nothing; it means something only beside uniformity.
#
# What is not fooled in this way is the **share of twins found**: for how many images is the twin nearer than every stranger? That is where the **retrieval
# margin** is positive, the cosine with the own twin minus the cosine with the nearest stranger. (Don't average the margins themselves: in a collapse they all go to
# 0, and in a healthy run many are below.)

# %%
from contrastive_lab.training import prepare

untrained = prepare(here.settings, here.train_images)
for name, method in {"untrained": untrained, "trained": here.run.method}.items():
    share = lab.twins_found(method, here.evaluate)
    print(f"{name:10} finds the twin of {share:.0%} of {len(here.test_images)} images among all others")

# %% [markdown]
# ### What temperature does: finished runs
#
# The same network was trained with nine losses (six temperatures and three combinations of the two forces) and several seeds by `benchmarks/two_forces.py`. The
# table is read from the file that the program wrote: mean and standard deviation over seeds.
#
# **Predict.** Which temperature has the best alignment? The best uniformity? The best kNN?
#
# Your run and some of the finished ones in one plane, each with its path over the epochs (first seed).

# %%
measured = lab.results.read("two_forces")
seeds = len(measured["arms"]["temperature 0.2"])
print(f"{measured['images']} images, {measured['epochs']} epochs, {seeds} seeds, {measured['device']}")
titles = {"mean_cosine": "mean cosine", "participation_ratio": "directions", "knn": "kNN"}
lab.table(measured["arms"], {"alignment": "alignment", "uniformity": "uniformity", **titles})

arms = ["temperature 0.05", "temperature 0.2", "temperature 1", "alignment only", "uniformity only"]
tracks = {"your run": lab.track(here.run)} | {arm: lab.track(measured["arms"][arm][0]["path"]) for arm in arms}
figure = lab.distinct(figures.align_uniform_plane(tracks, floor=floor))
lab.show(
    figure,
    alt="The plane with your run and five finished ones: temperature 0.2 ends lowest of the "
    "three temperatures, alignment only runs into the top left corner, uniformity only "
    "ends at the bottom right on the floor.",
)

# %% [markdown]
# <details><summary>Reading the table and the plane</summary>
#
# Uniformity is best in the *middle*, and both ends miss the floor for opposite reasons. At the smallest temperature the mean cosine is clearly above zero: the
# points still sit in a **cone**, because a narrow kernel doesn't feel the other side (you saw it on the circle). At temperatures of 1 and 2 the cone is
# gone, but fewer *directions* are in use (the participation ratio; notebook 09 is about such numbers): **lost dimensions**. Uniformity alone can't tell the two apart.
# (Don't be misled by the directions of *alignment only*: they are counted around the mean, however tiny the cloud is. Read them where uniformity shows that there
# is a cloud at all.)
#
# Alignment does not rise or fall steadily with the temperature either. kNN on colour is best at small temperatures and falls as the temperature
# grows; look at the deviations before you call one of the best three the winner. And the explicit sum of both forces, without any softmax, does as well
# as the best of them: the two forces are really what the loss is made of.
#
# </details>

# %% [markdown]
# ### Fill the circle
#
# An embedding with two numbers needs no projection: its points lie on a circle. `scripts/states/uniformity.py` trained the same network at seven
# temperatures, once with 2 and once with 64 dimensions. The hatched region is forbidden: by Jensen's inequality uniformity is at least
# $-2t\,(1-\text{mean cosine})$, so points in a cone can't be uniform, whatever else they do. The bars put the loss together from its two forces.

# %% tags=["explorable"]
here = lab.start("01-plane")
explorables.show(explorables.Uniformity(yours=lab.track(here.run), dim=128))

# %% [markdown]
# **Try.**
#
# 1. Put the temperature at its smallest value and move the epoch from the first to the last. Does the circle fill? Compare with a temperature in the
#    middle.
# 2. Press *Tie t to τ* and look at the red arc while you move the temperature. Which neighbours does one point feel at $\tau=0.05$?
# 3. Show 64 dimensions (your own run is drawn there too). Which temperatures miss the floor because of a cone, which because they lost directions?
# 4. Watch the bars: at which temperatures do the two forces and $\log M$ add up to the loss, and where not?
# 5. *Break it*: which of the numbers on the right would you have been proud of?
#
# <details><summary>What you should have seen</summary>
#
# At 0.05 the points end as an **arc**: the repulsion has the width of the red arc, and a narrow bump doesn't feel the other side. The wider the bump,
# the fuller the circle, until nothing is left to gain; the answer above the picture says where. "Lower temperature, more uniform" needs the words "after
# long training". In 64 dimensions both ends miss the floor, for opposite reasons: the smallest temperature sits in a cone, the largest has lost
# directions. The two forces add up to the loss almost exactly, best at large temperatures; the last bar names the difference. (In section 5 they failed
# at small ones: there each twin outweighed all strangers together. Here no twin does, as the large loss says.) Alignment alone has a perfect alignment,
# and all images in one place.
#
# </details>
#
# The 64 dimensions as a table, and the circle as a still: after the last epoch, at the smallest temperature, at the best or a middle one, at the
# largest, and for alignment alone.

# %%
from contrastive_lab.explorables.table import read

kept = read("uniformity")
names = {"uniformity": "uniformity", "mean_cosine": "mean cosine", "participation_ratio": "directions", "knn": "kNN"}
print(f"{kept.about['sizes']['data']}, {kept.about['sizes']['count']} images, {kept.about['sizes']['epochs']} epochs, one seed; 64 dimensions")
rows = {arm: [dict(zip(kept.about["columns"], kept["wide"][k, -1].tolist()))] for k, arm in enumerate(kept.about["wide"])}
lab.table(rows, names)

# %% poster="uniformity"
lab.poster(
    explorables.Uniformity().poster(),
    alt="Four circles with the embeddings of 150 images after training: at the smallest "
    "temperature, at one in the middle, at the largest, and for alignment alone, where all "
    "points lie in one place. Titles give uniformity, its floor and the mean cosine.",
)

# %% [markdown]
# ## 8 · Break it
#
# **Alignment only.** Take the push away. One line changes: the loss.
#
# **Predict** alignment, uniformity and kNN after a few epochs.
#
# **Uniformity only.** Take the pull away instead. (Both runs are shorter than yours: the directions that they take show soon.)

# %%
from dataclasses import replace

from contrastive_lab.training import prepare, train

here = lab.start("01-break")
short = replace(here.settings, epochs=lab.profile(smoke=1, laptop=4, full=10))
broken = prepare(short, here.train_images)
broken.loss = lambda z1, z2: methods.alignment_loss(z1, z2)
place = lab.folder("01-pull-only", short)
pull_only = train(broken, here.train_images, short, [here.evaluate], folder=place)

broken = prepare(short, here.train_images)
broken.loss = lambda z1, z2: (methods.uniformity_loss(z1) + methods.uniformity_loss(z2)) / 2
place = lab.folder("01-push-only", short)
push_only = train(broken, here.train_images, short, [here.evaluate], folder=place)

# %%
columns = ["alignment", "uniformity", "std", "knn"]
runs = {"simclr": here.run, "alignment only": pull_only, "uniformity only": push_only}
rows = {name: [{column: one.last(column) for column in columns}] for name, one in runs.items()}
lab.table({"untrained": here.run.history[:1], **rows}, columns, digits=3)

tracks = {name: lab.track(one) for name, one in runs.items()}
figure = lab.distinct(figures.align_uniform_plane(tracks, floor=measures.uniformity_floor(128), height=420))
lab.show(
    figure,
    alt="Three paths from the untrained network: alignment only goes into the top left corner"
    " where everything coincides, uniformity only goes down and far to the right, SimCLR "
    "goes down with moderate alignment.",
)

# %% [markdown]
# Alignment only runs into the corner where all embeddings coincide: a constant output makes every twin meet, and it is the easiest function to learn.
# This is **complete collapse**. Uniformity only goes the other way: images spread, but so do the two views of one image, since nothing tells the
# network that they belong together. Go back to your predictions 3 and 4.

# %% [markdown]
# ## 9 · Two questions
#
# **A.** A colleague reports an alignment of 0.002 and calls it the best ever. Which two numbers do you ask for?
#
# <details><summary>Answer</summary>
#
# Uniformity as a share of its floor (or simply the spread of the embeddings), and the share of twins that are nearer than every stranger. A collapsed
# network reaches such an alignment, too (see *alignment only*), and an untrained one has a far better one than the trained ones of this notebook. Also ask for the augmentation: alignment is only comparable under one fixed augmentation.
#
# </details>
#
# **B.** You double the batch from 256 to 512 images. By how much does the loss of a *collapsed* network change? And that of a perfect one, with
# orthogonal images and identical views, at $\tau=0.5$?
#
# <details><summary>Answer</summary>
#
# Collapsed: $\log(2N-1)$ grows by almost $\log 2\approx0.69$. Perfect: $\log\big(1+(2N-2)e^{-1/\tau}\big)$ also grows by almost $\log 2$ as long as
# $(2N-2)e^{-2}\gg1$. The loss has the batch size inside: never compare losses between batch sizes. The measures of section 4 have not.
#
# </details>

# %% [markdown]
# ## To read
#
# * Chen, Kornblith, Norouzi, Hinton: *A Simple Framework for Contrastive Learning of Visual Representations* (2020), arXiv:2002.05709. Section 2 and appendix B.
# * Wang, Isola: *Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere* (2020), arXiv:2005.10242.
# * Wang, Liu: *Understanding the Behaviour of Contrastive Loss* (2021), arXiv:2012.09740: the temperature as hardness.
# * The code you compared yours with: `??methods.nt_xent_loss`, and below it `??contrastive_lab.contrast.contrast`, which all methods of the lab share.
#
# **Next:** notebook 02 asks why small batches learn slowly, and removes one term from below the line.

# %% expect=["the loss equals the package's: True", "formula and autograd agree: True", "identity within 2 % at temperatures of 0.5 and more: True", "runs compared: 3"]
# NBVAL_CHECK_OUTPUT
close = [abs(b / a - 1) < 0.02 for tau, (a, b) in table.items() if tau >= 0.5]
print("the loss equals the package's:", torch.allclose(ours, theirs))
print("formula and autograd agree:", torch.allclose(pull - push, -0.2 * gradient, atol=1e-6))
print("identity within 2 % at temperatures of 0.5 and more:", all(close))
print("runs compared:", len(runs))
