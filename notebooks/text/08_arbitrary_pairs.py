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
# # 08 · Arbitrary pairs: may any two images be positive?
#
# **Goal.** You call a red circle and a blue cross a positive pair, see why that must fail with ordinary cosines, give each pair of classes a *gate*
# that chooses where to compare, write the loss of Hydra, and read from the trained gates which classes are related.
#
# **You need** InfoNCE (notebook 01). Labels are used this time: they choose the pairs.
#
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about two hours.
# After that cell you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures, methods

lab.banner("08_arbitrary_pairs")

# %% [markdown]
# ## Predict first
#
# Write your answers down before you read on. You will meet each question again.
#
# 1. Snakes and lamps are declared a positive pair, snakes and trucks too, lamps and trucks too. What will ordinary InfoNCE make of that?
# 2. A gate multiplies each coordinate with a number between 0 and 1 before the cosine is taken. What changes if the whole gate is multiplied by ½?
# 3. When a snake looks for lamps, what should happen to *other snakes*: attract, repel, or neither?
# 4. A network learned nine classes, three colours by three shapes, with a gate for each pair. Nobody told it about colours or shapes. Will the
#    gates of *red circle* and *red cross* resemble each other?

# %% [markdown]
# ## 1 · Alike in something
#
# Two things that have nothing to do with each other still agree in *something*. A red circle and a red square agree in colour; a red circle and a
# blue circle in shape. Whether two classes are similar is a question of where you look.
#
# The picture has four classes and four coordinates. The gate opens and closes coordinates for the chosen pair; the matrix shows the cosines of all
# classes as seen through that gate. The loss of a pair is small when each of its two classes prefers the other to both third classes.

# %% tags=["explorable"]
explorables.show(explorables.Gates())

# %% [markdown]
# **Play with it.**
#
# 1. Pair *A and B*: find the gate with the smallest loss by hand. Then pair *A and C*. Can one gate serve both?
# 2. Close everything but the light. Who is similar now? What is the loss?
# 3. Press *Train with a gate for each pair* and walk through the six pairs with the slider. How many coordinates does each gate keep open?
# 4. Press *Break it*. Where does the loss stop, and what do the cosines look like?
#
# <details><summary>What you should have seen</summary>
#
# For A and B colour alone is right, for A and C shape alone: no gate serves both, because in A's colour C is as far as can be. In the light
# everybody agrees with everybody: alike, but not *more alike than the others*, so the loss is $\log 3$, as for guessing. Trained gates find one
# coordinate for each way of splitting four classes into two and two; three coordinates are enough for six pairs. The fourth is near 0 for all classes, so
# that it does not matter how far a gate opens it. With an open gate all third classes become equally similar and the loss stays at $\log3$.
#
# </details>

# %% poster="gates"
lab.poster(
    explorables.Gates().poster(),
    alt="Three four by four matrices of cosines: open gate, all third classes equally far; gate open for colour alone, "
    "A and B alike and opposite to C and D; gate open for the light alone, everything alike. Right, two training curves: "
    "with a gate for each pair the loss falls to nearly zero, with an open gate it stays at log 3.",
)

# %% [markdown]
# The kernel draws it too, for class vectors of your own: change the numbers and run the cell again. Rows are classes, columns coordinates.

# %% tags=["live"]
mine = [[1.0, 1.0, 0.2], [1.0, -1.0, 0.1], [-1.0, 0.2, 1.0], [-0.5, -1.0, -1.0]]
explorables.Gates(mine).live()

# %% [markdown]
# ## 2 · Similarity behind a gate

# %% [markdown] card="gated_similarity"
# (from contrastive_lab.exercises)

# %% exercise="gated_similarity"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("gated_similarity", gated_similarity)

# %% [markdown]
# Two consequences, before the machine tells you: what does a gate of ½ everywhere do? And what if only the *query's* side were filtered?

# %%
gated_similarity = exercises.get("gated_similarity").or_solution(gated_similarity)
here = lab.start("08-gates")
full = gated_similarity(here.z, here.keys, here.gate)
halved = gated_similarity(here.z, here.keys, here.gate / 2)
one_sided = F.normalize(here.gate * here.z, dim=1) @ F.normalize(here.keys, dim=1).T
package = methods.gated_similarity(here.z, here.keys, here.gate)
print("halving a gate changes nothing:", torch.allclose(full, halved, atol=1e-6))
print(f"filtering the query alone changes cosines by up to {(full - one_sided).abs().max():.2f}")
print("equal to the package:", torch.allclose(full, package, atol=1e-6))

# %% [markdown]
# Only *ratios* within a gate matter (prediction 2). Keep that in mind for section 6, where gates are read. And a key that is not filtered still counts in
# full length what the gate has closed: the cosine would never reach one, however well both agree where the gate is open.
#
# **Without the big tensor.** Your version probably makes a $B\times M\times D$ tensor. Multiply out the cosine:
#
# $$\cos(g_b\odot z_b,\,g_b\odot k_n)=\frac{\sum_d g_{bd}^2\,z_{bd}\,k_{nd}}{\lVert g_b\odot z_b\rVert\;\sqrt{\sum_d g_{bd}^2\,k_{nd}^2}} .$$
#
# Numerator and the second root are matrix products: $(z\odot g^2)\,k^\top$ and $g^2\,(k^2)^\top$.

# %%
square = here.gate.square()
lengths = (here.gate * here.z).norm(dim=1, keepdim=True) * (square @ here.keys.square().T).sqrt()
quick = (here.z * square) @ here.keys.T / lengths
print("two matrix products give the same:", torch.allclose(quick, full, atol=1e-6))
for batch in (256, 1024, 4096):
    matrix = batch * batch * 4 / 1e6
    print(f"batch {batch}, D = 128: the big tensor would take {128 * matrix:,.0f} MB, the matrix {matrix:.1f} MB")

# %% [markdown]
# ## 3 · The loss
#
# Each image of the batch draws a **partner class**: the class of a random place in the batch (a permutation, so that some draw themselves). Then the columns fall into three kinds: partner
# class (positive), third classes (negative), and its own class, which is left alone. Why? The own class *is* similar, and that is fine; it just
# isn't what was asked (prediction 3).

# %%
from contrastive_lab.figures.relations import SCALE

here = lab.start("08-loss")
positive = here.labels == here.partners[:, None]
ignored = (here.labels == here.labels[:, None]) & ~positive
kind = torch.where(positive, 1.0, torch.where(ignored, 0.0, -1.0))
kind = kind[:12, :15].int().tolist()
signs = [["−·+"[value + 1] for value in row] for row in kind]
figure = figures.new_figure(height=330)
look = {"zmin": -2, "zmax": 2, "colorscale": SCALE, "xgap": 1, "ygap": 1, "showscale": False}
figure.add_heatmap(z=kind, text=signs, texttemplate="%{text}", **look)
keys = [f"class {c}" for c in here.labels[:15].tolist()]
figure.update_xaxes(figures.axis("key", tickvals=list(range(15)), ticktext=keys, tickangle=-60))
wishes = [f"{a} seeks {b}" for a, b in zip(here.labels[:12].tolist(), here.partners[:12].tolist(), strict=True)]
figure.update_yaxes(figures.axis("query", tickvals=list(range(12)), ticktext=wishes, autorange="reversed"))
lab.show(
    figure,
    alt="A table of twelve queries by fifteen keys: plus where the key has the partner class, minus for third classes, "
    "and a dot where the key has the query's own class and is ignored.",
)

# %% [markdown] card="pair_loss"
# (from contrastive_lab.exercises)

# %% exercise="pair_loss"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("pair_loss", pair_loss)

# %% [markdown]
# A worked example, for paper: $\tau=\tfrac12$, query $z=(1,1)$ of class 0 that seeks class 1. Keys: $(1,0.8)$ of class 0 (ignored), $(1,-0.9)$ of class 1
# (positive), $(-1,1)$ of class 2 (negative). **Compute** the loss with the open gate $(1,1)$ and with the gate $(1,0)$.

# %%
pair_loss = exercises.get("pair_loss").or_solution(pair_loss)
z, keys = torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 0.8], [1.0, -0.9], [-1.0, 1.0]])
classes, seeks = torch.tensor([0]), torch.tensor([1])
worked = {}
for name, gate in (("open", [[1.0, 1.0]]), ("first only", [[1.0, 0.0]])):
    s = methods.gated_similarity(z, keys, torch.tensor(gate))[0] / 0.5
    worked[name] = torch.logaddexp(s[1], s[2]) - s[1]
    known = {"key_labels": torch.arange(3), "temperature": 0.5}
    package = methods.hydra_pair_loss(z, keys, torch.tensor(gate), classes, seeks, **known)
    print(f"gate {name:10}: cosines {s[1] / 2:+.4f} and {s[2] / 2:+.4f}, loss {worked[name]:.6f}, package {package:.6f}")

# %%
scores = methods.gated_similarity(here.z, here.keys, here.gate) / 0.1
ours = pair_loss(scores, here.labels, here.partners)
theirs = methods.hydra_pair_loss(here.z, here.keys, here.gate, here.labels, here.partners, temperature=0.1)
print(f"yours {ours:.6f}, package {theirs:.6f}")

# %% [markdown]
# ## 4 · Why it needs a gate
#
# Leave the gate open, so that the score $s_{ac}$ of classes $a$ and $c$ is the same number whichever partner was drawn. Average the loss over the
# partners $b\ne a$:
#
# $$\frac1{C-1}\sum_{b\ne a}\log\Big(1+\sum_{c\ne a,b}e^{s_{ac}-s_{ab}}\Big)
# =\log\sum_{c\ne a}e^{s_{ac}}-\frac1{C-1}\sum_{b\ne a}s_{ab}\;\ge\;\log(C-1).$$
#
# The equality is one line (put $e^{s_{ab}}$ into the sum). The inequality is Jensen's: the log of a mean is at least the mean of the logs, and
# equal only if all $s_{ac}$ are. **Whatever the network does, the wishes cancel**: the best answer is "all others are equally similar" (prediction 1). With a
# gate, $s_{ac}$ depends on the partner that was asked for, and the argument breaks down.
#
# **Predict.** How often will random scores beat the bound?

# %%
C, draw = 9, torch.Generator().manual_seed(0)
averages = []
for spread in torch.linspace(0, 3, 31):
    s = spread * torch.randn(C - 1, generator=draw)  # scores of the C - 1 other classes
    averages.append((s.logsumexp(dim=0) - s.mean()).item())
bound = math.log(C - 1)
print(f"lowest of {len(averages)}: {min(averages):.6f}, bound log(C - 1) = {bound:.6f}")

# %%
figure = figures.new_figure(height=270)
spreads, mark = torch.linspace(0, 3, 31).tolist(), {"color": figures.look("hydra").colour}
figure.add_scatter(x=spreads, y=averages, mode="markers", marker=mark)
dash = {"color": "#7a7d82", "dash": "dash", "width": 1}
figure.add_hline(y=bound, line=dash, annotation={"text": "log(C − 1): all equal"})
figure.update_xaxes(figures.axis("spread of the scores"))
figure.update_yaxes(figures.axis("mean loss over partners"))
lab.show(
    figure,
    alt="Points of the mean loss against the spread of the scores: at spread 0 on the dashed bound, above it everywhere else.",
)

# %% [markdown]
# Only *identical* pairs (a class that drew itself) are left to learn from, one in $C$. How much that still teaches, section 7 measures.
#
# ## 5 · Train it
#
# Nine classes, three colours by three shapes. The network knows only the number of the class, 0 to 8, not that 0, 1 and 2 are red.

# %%
from contrastive_lab.training import prepare, train

here = lab.start("08-training")
first = [int((here.train_images.labels == c).nonzero()[0]) for c in range(9)]
lab.show_images(
    here.train_images.pixels[first],
    columns=9,
    alt="One scene of each class: circle, square, cross in red, green and blue.",
)
method = prepare(here.settings, here.train_images)
size = sum(p.numel() for p in method.gate.parameters())
print(f"gate network: {size:,} parameters for {method.gate.num_classes} classes")

# %% [markdown]
# The gate of a pair is computed: a small network maps the mean of the two classes' vectors to 128 numbers in $(0,1)$. It is symmetric in the pair,
# and trained with the rest.
#
# **Predict.** The projector ends in layer norm instead of the usual batch norm. Why would batch norm, which gives every coordinate variance one,
# work against gates?
#
# <details><summary>Answer</summary>
#
# A coordinate that matters to few pairs wants to be quiet for all other images. Batch norm stretches every coordinate to the same variance over the batch,
# so that none can be quiet: the noise that a gate has to close is made as loud as the signal. Layer norm scales each *image* as a whole and leaves the
# proportions of its coordinates alone. (The authors give the conflict with gates as their reason in a comment of their code; the wording here is ours.)
#
# </details>

# %%
place = lab.folder("08-hydra", here.settings)
run = train(method, here.train_images, here.settings, [here.evaluate, lab.Live("hydra")], folder=place)

# %%
negatives = here.settings.batch_size * 7 / 9  # all but the own and the partner class
guess = math.log(1 + negatives)
curve = {"hydra": run.column("loss")}
figure = figures.training_curve(curve, measure="loss", limit=guess, limit_name="all equal: log(1 + |N|)")
lab.show(
    figure,
    alt="The loss of Hydra over the epochs, with the dashed line of log(1 + |N|), the loss where all similarities are equal.",
)

# %%
curve = {"hydra": run.column("knn")}
figure = figures.training_curve(curve, measure="kNN, nine classes", limit=1 / 9, limit_name="chance")
lab.show(
    figure,
    alt="The share of test images whose class the nearest neighbours guess right, over the epochs, with the dashed line of chance.",
)

# %% [markdown]
# kNN looks at the representation *without* any gate: a test image has no class yet that could choose one.
#
# The gates while training: how far open, how undecided (1 where all entries are ½), and how much they differ between the images of a batch.

# %%
ends = [row for row in run.history if "knn" in row and "gate opening" in row]
some = ends[:: max(1, len(ends) // 6)]
rows = {f"epoch {row['epoch']:.0f}": [row] for row in some}
lab.table(rows, ["gate opening", "gate entropy", "gate spread"])

# %% [markdown]
# Your own gates in the live picture: choose a pair, then open its gate and watch what happens to the matrix.

# %% tags=["live"]
here = lab.start("08-relations")
hydra = here.run.method.eval()
with torch.no_grad():
    z = hydra.projector(hydra.encoder(here.test_images.as_float()))
means = torch.stack([z[here.test_images.labels == c].mean(dim=0) for c in range(9)])
every = explorables.gates.pairs_of(9)
gates = torch.stack([hydra.gate.pair_gates()[a, b] for a, b in every])
explorables.Gates(means, gates, here.test_images.classes).live()

# %% [markdown]
# ## 6 · What the gates know
#
# $g(c,c)$ is the gate of a class with itself: the coordinates in which it is recognised. Which classes have similar gates?

# %% [markdown] card="class_relations"
# (from contrastive_lab.exercises)

# %% exercise="class_relations"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("class_relations", class_relations)

# %%
class_relations = exercises.get("class_relations").or_solution(class_relations)
here = lab.start("08-relations")
class_gates = here.run.method.gate.class_gates()
relations = class_relations(class_gates)
print("equal to the package:", torch.allclose(relations, methods.class_relations(class_gates), atol=1e-5))
raw = F.normalize(class_gates, dim=1) @ F.normalize(class_gates, dim=1).T
print(f"without centring all cosines lie between {raw.min():.2f} and {raw.max():.2f}")

# %%
lab.show(
    figures.relation_map(relations, here.train_images.classes),
    alt="A nine by nine matrix of cosines between the centred gates of the classes, three colours by three shapes; "
    "green cells are classes with similar gates.",
)

# %% [markdown]
# Nobody told the gates about colour and shape. Do classes that share one have more similar gates than classes that share neither (prediction 4)? Centred rows sum
# to zero, so the mean over all other classes has to be about $-\tfrac1{C-1}$: compare with that.

# %%
colour, shape = torch.arange(9) // 3, torch.arange(9) % 3
same_colour, same_shape = colour[:, None] == colour, shape[:, None] == shape
sharing = {
    "the colour": relations[same_colour & ~same_shape].mean().item(),
    "the shape": relations[same_shape & ~same_colour].mean().item(),
    "neither": relations[~same_colour & ~same_shape].mean().item(),
}
for name, value in sharing.items():
    print(f"classes that share {name:10}: mean cosine {value:+.3f}")
print(f"for gates without any relation: {-1 / 8:+.3f}")

# %% [markdown]
# <details><summary>Reading it</summary>
#
# Blocks along the diagonal are colours. A convolutional network sees colour at once and shape late, so in a short run expect the first number to
# stand out and the second to differ little from *neither*: the gates can only sort what the network has found. The loss says that something is
# missing, because pairs of different colours can be served by shape alone.
#
# </details>
#
# ### Photographs
#
# The same table from a longer run on CIFAR-10 (`scripts/states/hydra_relations.py`; numbers only). Move the slider: relations appear while the
# gates leave ½.
#
# **Predict** the strongest relation among airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

# %%
state = explorables.table.read("hydra_relations")
names = state.about["classes"]
print(f"{state.about['images']:,} images, {state.about['settings']['epochs']} epochs, kNN {state.about['knn']:.0%}")
lab.show(
    figures.relation_map(state["relations"], names, epochs=state["epochs"]),
    alt="A ten by ten matrix of cosines between the centred class gates of CIFAR-10 with a slider over the epochs.",
)

# %%
last = torch.tensor(state["relations"][-1].astype("float32"))
one, two = torch.triu_indices(10, 10, offset=1)
order = last[one, two].argsort(descending=True)
for rank in [*order[:4].tolist(), *order[-3:].tolist()]:
    print(f"{names[one[rank]]:>10} and {names[two[rank]]:<10} {last[one[rank], two[rank]]:+.2f}")

# %% [markdown]
# Is that the gates' own knowledge, or only what any network says? Compare with a plain reading of the same network: cosines of centred class means
# of the representation, without any gate.

# %%
means = torch.tensor(state["means"].astype("float32"))
agree = torch.corrcoef(torch.stack([last[one, two], means[one, two]]))[0, 1].item()
print(f"correlation of the 45 relations from gates with those from class means: {agree:.2f}")

# %% [markdown]
# <details><summary>Reading it</summary>
#
# A high correlation says that the gates confirm what class means show as well: a second witness, not a new discovery. What the gates add is *where*
# two classes agree: the open coordinates of $g(a,b)$.
#
# How to read relations from gates is this lab's reconstruction; we know the idea from the paper's abstract, not its procedure.
#
# </details>

# %% [markdown]
# ## 7 · Break it: leave the gate open
#
# Everything stays, only all gates are 1: arbitrary pairs with plain cosines.
#
# **Predict** the loss after training, from section 4. And kNN: below the untrained network, like it, or above?

# %%
from dataclasses import replace

from contrastive_lab.training import prepare, train

here = lab.start("08-break")


def with_options(name, **options):
    """A run that differs from yours in these options alone."""
    settings = replace(here.settings, options={**here.settings.options, **options})
    method, place = prepare(settings, here.train_images), lab.folder(name, settings)
    return train(method, here.train_images, settings, [here.evaluate], folder=place)


open_run = with_options("08-open", open_gate=True)
distinct_run = with_options("08-distinct", open_gate=True, pair_mode="distinct")

# %%
guess = math.log(1 + here.settings.batch_size * 7 / 9)
runs = {"hydra": here.run, "open gate": open_run, "open gate, no identical pairs": distinct_run}
curves = {name: one.column("loss") for name, one in runs.items()}
figure = lab.distinct(figures.training_curve(curves, measure="loss", limit=guess, limit_name="all equal"))
lab.show(
    figure,
    alt="Three loss curves with the dashed line of log(1 + |N|): Hydra with gates, arbitrary pairs with an open gate, "
    "and distinct pairs only with an open gate.",
)

# %%
columns = ["alignment", "uniformity", "knn"]
trained = {name: [{column: one.last(column) for column in columns}] for name, one in runs.items()}
lab.table({"untrained": here.run.history[:1], **trained}, columns, digits=3)

# %% [markdown]
# **Dimensions.** Hydra's authors say that it prevents dimensional collapse. One reading: each pair needs coordinates of its own, so gates should keep more
# directions alive. The effective rank counts them ($e^{H}$ with $H$ the entropy of the normalised singular values, centred; notebook 09 is about such numbers).

# %%
from contrastive_lab.training.observe import represent

compared = {"untrained": prepare(here.settings, here.train_images)}
compared |= {name: one_run.method for name, one_run in runs.items()}
for name, method in compared.items():
    with torch.no_grad():
        h = represent(method.eval(), here.train_images)
    print(f"{name:30} effective rank {measures.effective_rank(h, center=True):.1f} of {h.shape[1]}")

# %% [markdown]
# <details><summary>Reading it</summary>
#
# The open gate stays near the bound of section 4, at $\log(1+|\mathcal N|)$, because the wishes of distinct pairs cancel; gates get below it. That
# much is mechanism. kNN is another matter: with arbitrary pairs one in nine is identical, and that alone can teach the open run as much as these
# pictures need. The third run has no identical pairs: compare its kNN with the untrained network's, and look at its uniformity (0 would be
# one single point). There the contradiction is all that is left.
#
# If kNN is equal within a few points with and without gates, then a lower loss did not buy better neighbours *here*, and you should say so. Section 8
# asks the same with photographs, and more of them.
#
# The effective rank does not bear the claim out here. In laptop-sized runs gates raise it above the untrained network, but the open gates raise it *more*,
# and their neighbours are worse. It counts proportions: whatever little the contradiction leaves to vary may spread evenly over many directions. Count
# them *and* look at what they are good for.
#
# </details>
#
# ## 8 · The paper's claim, in larger runs
#
# Hydra's authors say: with gates, arbitrary pairs train good representations; without, they ruin them; and the gates reveal relations of classes.
# `benchmarks/claims.py` tested that in miniature over several seeds. Differences are taken seed by seed: a line is *confirmed* or *refuted* when their
# Student 95 % interval leaves out zero, else *undecided*.
#
# **Predict** kNN: gates, open gate, no training. And which pair of classes has the most similar gates?

# %%
lab.claim("hydra")

# %% [markdown]
# **Reading it.** In these runs gates teach and relate classes as claimed; on photographs the gate buys neighbours, which on scenes it need not. But the open
# gate does not *ruin* the representation: it ends above the untrained network, and that line is refuted. Of all pairs, one in ten is identical. Its wish,
# "own class nearer than all others", is contradicted by nobody, because in distinct pairs the own class is ignored; a weak teacher, and still one.
#
# *Do arbitrary pairs replace pairs of one class?* An open gate over identical pairs is what the authors call SupCon, and both lines that compare it with Hydra are refuted,
# by little: it leads in kNN and keeps a few directions more. Gates help pairs of one class too: that arm has the best neighbours of all. And distinct
# pairs alone, each of which an open gate would leave to cancel, teach a gate about as much as arbitrary ones: what teaches is the gate, not the one
# identical pair in ten.
#
# The authors report a far deeper fall without gates. **Predict** where it lies, before you look: at guessing (one in ten), near the untrained network, near ours?

# %%
published = lab.results.read("published")["pairs_50_epochs"]
print(f"{published['what']}\n{published['source']}")
for name, (value,) in published["rows"].items():
    print(f"  {name:28}{value:5.1f} %")
print("\nours, linear probe after the last epoch, sizes as above")
for name, numbers in lab.results.read("claims-verdicts")["claims"]["hydra"]["arms"].items():
    print(f"  {name:28}{numbers['linear']['mean']:6.1%}")
print("\nours, linear probe after the last epoch, at their width, batch and number of epochs, one seed each")
for name, run in {"gate": "hydra-e50", "open gate, identical pairs": "supcon-e50"}.items():
    print(f"  {name:28}{lab.results.read('runs-cifar10')[f'cifar10-{run}-w64-s0']['measured']['linear']:6.1%}")

# %% [markdown]
# Start with the last two lines. At about their size both end two to three points above the authors' numbers, and gate and pairs of one class are level: neither is
# behind as in the small runs. So what those runs refuted about the two is open for large ones (one seed each).
#
# Without a gate the direction is the same, the depth is not: their number without gates is far below even our *untrained* network, ours stays above it. What the authors call
# SupCon with arbitrary pairs is an open gate by its name. But their command puts three augmented copies of each image into a batch, the network is larger and
# gets more updates, and the probe is trained *along with* the network, where ours is fitted to the finished one. On features that hardly differ, that alone
# may cost much. Nor can we see the program that made the number: their list of results is older than the first SupCon program in their repository. Which
# of these turns "teaches little" into "ruins", the two lists can't say.
#
# **Dimensions, once more.** Section 7 asked whether gates keep more directions alive, with one run on scenes. **Predict** for photographs: RankMe (notebook 09) of
# the embedding, on which the loss acts, and of the representation, which is what one keeps.

# %%
from contrastive_lab.experiments import compare

kept, names = lab.results.read("claims"), ("untrained", "open gate", "gate")
arms = {name: [row for key, row in kept.items() if key.startswith(f"hydra/{name}/")] for name in names}
where = {"rankme": "RankMe of the embedding", "rankme_representation": "RankMe of the representation"}
lab.table(arms, {"uniformity": "uniformity", **where, "knn": "kNN"})
for key, title in where.items():
    gate, opened = ({row["settings"]["seed"]: row[key] for row in arms[name]} for name in ("gate", "open gate"))
    print(compare(f"{title} is higher with a gate than with an open one", gate, opened))

# %% [markdown]
# In these runs the embedding bears the authors out: with gates it uses far more directions, while the open gate's is nearly one point (uniformity near
# 0), as section 4 predicts. In the representation the difference is *undecided*: one layer below the loss both networks have many directions, and what tells them
# apart is what these are good for (kNN). "Prevents dimensional collapse" needs the words *of which layer*.
#
# **With labels and without.** Hydra beside SimCLR, each with its recipe in `benchmarks/methods.py`, on more images and with a larger network. Loss and optimiser
# differ as well as the labels, so the gap is a hint of what labels are worth, not a measurement:

# %%
lab.beside("hydra")

# %% [markdown]
# ## 9 · Two questions
#
# **A.** You train Hydra on a set with two classes. What is the loss, and what is learned?
#
# <details><summary>Answer</summary>
#
# Without a third class there are no negatives: below the line stands the positive alone, every term is $\log e^{s}-s=0$, and nothing is learned
# from distinct pairs. Identical pairs still have the other class as negative.
#
# </details>
#
# **B.** A colleague compares two gates $g(a,a)$ and $g(b,b)$ by their Euclidean distance and finds that "class $b$ is unlike all others". Its gate
# is half as large in every coordinate. What do you say?
#
# <details><summary>Answer</summary>
#
# The similarity does not change when a gate is multiplied by a number (section 2), so the size of a gate means nothing: compare ratios, for
# instance cosines. Centre first, because all gates share a large part.
#
# </details>

# %% [markdown]
# ## To read
#
# * Wu et al.: *Rethinking Positive Pairs in Contrastive Learning* (2024), arXiv:2410.18200: Hydra, later called SimLAP.
# * Khosla et al.: *Supervised Contrastive Learning* (2020), arXiv:2004.11362: positives by class, without gates.
# * The code: `??methods.hydra_pair_loss`, and `??methods.GateNetwork` for the gate.
#
# **Next:** notebook 09 asks how many dimensions an embedding really uses.

# %% expect=["similarity and loss equal the package's: True", "the worked example agrees: True", "no scores beat the bound: True", "relations are symmetric: True", "runs compared: 3"]
# NBVAL_CHECK_OUTPUT
print("similarity and loss equal the package's:", torch.allclose(quick, full, atol=1e-5) and torch.allclose(ours, theirs, rtol=1e-4))
print("the worked example agrees:", abs(worked["open"].item() - 0.641969) < 1e-5 and abs(worked["first only"].item() - 0.018150) < 1e-5)
print("no scores beat the bound:", min(averages) >= bound - 1e-5)
print("relations are symmetric:", torch.allclose(relations, relations.T, atol=1e-5))
print("runs compared:", len(runs))
