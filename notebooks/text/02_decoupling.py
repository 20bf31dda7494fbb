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
# # 02 · Decoupling: why do small batches learn slowly?
#
# **Goal.** You find the factor that InfoNCE puts on every gradient, see when it switches learning off, remove it (DCL), weigh the positives (DCLW),
# and test on small and large batches whether that is worth something.
#
# **You need** notebook 01: the loss, its softmax weights, the pull and the push.
#
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about 90 minutes.
# After that cell you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, methods

lab.banner("02_decoupling")

# %% [markdown]
# ## Predict first
#
# Write your answers down before you read on. You will meet each question again.
#
# 1. A network tells the twin of an anchor from 14 strangers with ease. How strong is the gradient of InfoNCE? Has the network finished learning?
# 2. The same network, the same anchor, but 1,022 strangers. Does the gradient grow or shrink?
# 3. At which temperature does the batch size matter more: 0.1 or 0.5?
# 4. We give pairs that agree already *less* weight. Can a weight become negative?

# %% [markdown]
# ## 1 · A gradient that switches itself off
#
# Notebook 01 ended its section on forces with a balance: the pull on an anchor has size $1-w_{a,p(a)}$, one minus the softmax weight of its twin, and the
# weights of all negatives add up to the same number. Write $P_a=e^{z_a^\top z_{p(a)}/\tau}$ for the twin and $S_a=\sum_{b\ne a,p(a)}e^{z_a^\top z_b/\tau}$ for
# the $2N-2$ views of other images. Then this number is
#
# $$q_a=1-\frac{P_a}{P_a+S_a}=\frac{S_a}{P_a+S_a},$$
#
# and it stands in front of *everything* that the anchor's loss does:
#
# $$-\frac{\partial\ell_a}{\partial z_a}=\frac{q_a}{\tau}\Big[z_{p(a)}-\sum_{b\ne a,p(a)}\frac{e^{z_a^\top z_b/\tau}}{S_a}\,z_b\Big].$$
#
# The bracket compares the twin with the negatives' weighted mean; how *hard* the anchor works is $q_a$ alone. The paper of this notebook calls it the
# **negative-positive coupling** (NPC) multiplier. You compute it for all anchors.

# %% [markdown] card="npc_multiplier"
# (statement, hints and solution come from contrastive_lab.exercises)

# %% exercise="npc_multiplier"
# (the stub comes from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("npc_multiplier", npc_multiplier)

# %% [markdown]
# The rest of the notebook goes on with your function if it is right, and with the lab's otherwise.

# %%
here = lab.start("02-multiplier")
npc_multiplier = exercises.get("npc_multiplier").or_solution(npc_multiplier)
q = npc_multiplier(here.z1, here.z2, temperature=0.1)
theirs = methods.npc_multiplier(here.z1, here.z2, temperature=0.1)
print(f"{len(q)} anchors, q from {q.min():.4f} to {q.max():.4f}")
print("equal to the package's:", torch.allclose(q, theirs))

# %% [markdown]
# Don't believe that $q$ stands in front of everything: let autograd say. Differentiate the loss of one anchor twice, once with the twin in the
# log-sum and once without.

# %%
tau = 0.1
stack = F.normalize(torch.cat([here.z1, here.z2]), dim=1)
anchor = stack[0].clone().requires_grad_()
scores = stack @ anchor / tau
twin, others = scores[64], torch.cat([scores[1:64], scores[65:]])
(coupled,) = torch.autograd.grad(
    torch.cat([twin[None], others]).logsumexp(0) - twin, anchor, retain_graph=True
)
(decoupled,) = torch.autograd.grad(others.logsumexp(0) - twin, anchor)

# %%
factor = coupled.norm() / decoupled.norm()
direction = F.cosine_similarity(coupled, decoupled, dim=0)
one_factor = torch.allclose(coupled, q[0] * decoupled, atol=1e-5)
print(f"the same direction (cosine {direction:.6f}), {factor:.6f} times the length")
print(f"q of this anchor: {q[0]:.6f}")

# %% [markdown]
# ### Why not `1 - softmax`?
#
# Where $q$ is small, the softmax of the twin is so near 1 that their difference has no digits left. A difference of logarithms keeps them all.

# %%
images = torch.eye(8)  # eight orthogonal images whose views are identical: as easy as it gets
weights = methods.similarity_weights(images, images, temperature=0.04)
subtracted = 1 - weights[0, 8]
exact = methods.npc_multiplier(images, images, temperature=0.04)[0]
print(f"1 - softmax: {subtracted:.3e}    exp(difference of log-sums): {exact:.3e}")
print(f"by hand: {14 / (14 + math.exp(25)):.3e}")

# %% [markdown]
# ## 2 · Turn the batch size
#
# $q$ is small when $P_a$ is large (an easy positive, a low temperature) or $S_a$ is small (few negatives, far away). The explorable has a real encoder before,
# during and after its training. Every dot is one anchor in a batch of the size that you choose.

# %% tags=["explorable"]
explorables.show(explorables.Npc())

# %% [markdown]
# **Play with it.**
#
# 1. Go from the largest batch to the smallest. What do the anchors that fall first have in common?
# 2. At batch 8, raise the temperature to 0.5. What happens to the spread, and what does that say about comparisons made at 0.5?
# 3. Batch 8 at temperature 0.1: go back to the untrained encoder. Who is coupled more, a trained network or an untrained one?
# 4. Press *Break it*. Both views of each image are alike now. Is there nothing left to learn?
#
# <details><summary>What you should have seen</summary>
#
# The anchors with the nearest twins fall first: an easy positive takes the whole softmax. A high temperature makes all terms alike, so $q$ approaches the mere
# count $(2N-2)/(2N-1)$, which depends on the batch only where it is tiny: at 0.5 there is little to decouple. Training makes positives easy, so
# the coupling grows *while* the network learns. And in the broken state nearly every gradient is gone although the images may still
# lie badly: identical views say nothing about how well images are spread.
#
# </details>

# %% poster="npc"
lab.poster(
    explorables.Npc().poster(),
    alt="Three histograms of the multiplier q at temperature 0.1: for batches of 8 most anchors lie near 0, for 64 they "
    "spread over the whole range, for 512 most lie above one half. A fourth panel has the mean of q against the batch "
    "size for four temperatures, all rising towards DCL's dashed line at 1.",
)

# %% [markdown]
# The kernel can do the same for embeddings of yours. Here are the toy embeddings of section 1; any pair of (N, D) tensors will do.

# %% tags=["live"]
here = lab.start("02-multiplier")
explorables.Npc({"toy": (here.z1, here.z2)}, batch=8).live()

# %% [markdown]
# **A rule of thumb.** Replace the sum over the negatives by their number times their mean:
#
# $$q_a\approx\Big(1+\frac{P_a}{(2N-2)\,\overline{e^{z_a^\top z_b/\tau}}}\Big)^{-1}.$$
#
# Only $2N-2$ depends on the batch. So doubling it helps as much as halving $P_a$, and as long as an anchor's $q$ is small, it is *proportional* to $2N-2$. (The
# mean over anchors rises more slowly: hard positives are near 1 already in small batches.) How good is the rule on the shipped encoder?

# %%
from contrastive_lab.explorables.npc import batches, shipped, state_at

pair = torch.tensor(list(shipped().values())[-1])
P = (pair[0] * pair[1]).sum(dim=1).div(0.1).exp()
near = (pair[0] @ pair[1].T / 0.1).exp()
mean = (near.sum(dim=1) - near.diagonal()) / (len(P) - 1)
for size in batches(512):
    rule = (1 / (1 + P / ((2 * size - 2) * mean))).mean()
    measured = state_at(pair.numpy(), batch=size)["mean"]
    print(f"batch {size:3d}: mean q {measured:.3f}, by the rule {rule:.3f}")

# %% [markdown]
# <details><summary>Why the rule is too optimistic for small batches</summary>
#
# The mean of $e^{s/\tau}$ over negatives is carried by a few near ones. A batch of eight images usually contains none of them, so its typical $S_a$ is
# smaller than $2N-2$ times the mean. The average over *batches* of a concave function of $S_a$ lies below the function of the average (Jensen).
#
# </details>
#
# ## 3 · Take the positive out: DCL
#
# The factor appears because the twin stands above *and* below the line. Yeh and colleagues delete it below. One term fewer, and $q$ becomes 1.

# %% [markdown] card="dcl_loss"
# (from contrastive_lab.exercises)

# %% exercise="dcl_loss"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("dcl_loss", dcl_loss)

# %%
here = lab.start("02-loss")
dcl_loss = exercises.get("dcl_loss").or_solution(dcl_loss)
ours = dcl_loss(here.z1, here.z2, temperature=0.1)
theirs = methods.dcl_loss(here.z1, here.z2, temperature=0.1)
print(f"yours {ours:.6f}, package {theirs:.6f}, equal: {torch.allclose(ours, theirs)}")

# %% [markdown]
# **Predict.** By how much do InfoNCE and DCL differ on the same vectors? (You know the answer if you write $\log(P+S)-\log S$.)
#
# <details><summary>Answer</summary>
#
# $\mathcal L_\text{InfoNCE}-\mathcal L_\text{DCL}=\frac1{2N}\sum_a\log\frac{P_a+S_a}{S_a}=\frac1{2N}\sum_a(-\log q_a)\ge0$, exactly. So InfoNCE is DCL plus a *reward for coupling*.
#
# </details>

# %%
gaps = {}
for tau in (0.05, 0.1, 0.5):
    losses = [
        loss(here.z1, here.z2, temperature=tau) for loss in (methods.nt_xent_loss, methods.dcl_loss)
    ]
    minus_log = -methods.npc_multiplier(here.z1, here.z2, temperature=tau).log().mean()
    gaps[tau] = (losses[0] - losses[1], minus_log)
    print(f"temperature {tau:4}: InfoNCE - DCL {gaps[tau][0]:.6f}, mean of -log q {minus_log:.6f}")

# %% [markdown]
# A worked example that fits on paper: two images, two dimensions, $\tau=0.5$. The first image has views $(1,0)$ and $(0.6,0.8)$, the second $(0,1)$ twice.
# The anchor $(1,0)$ has cosine 0.6 with its twin and 0 with both others.

# %%
z1, z2 = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.6, 0.8], [0.0, 1.0]])
print(f"its loss by hand: {-0.6 / 0.5 + math.log(1 + 1):.6f}")
computed = methods.npc_multiplier(z1, z2, temperature=0.5)[0]
print(f"its q by hand: {2 / (2 + math.exp(1.2)):.6f}, computed: {computed:.6f}")
print(f"mean over the four anchors: {dcl_loss(z1, z2, temperature=0.5):.6f}")

# %% [markdown]
# **Where does the loss begin, where does it end?** InfoNCE starts at $\log(2N-1)$ and has its floor at 0. DCL has no floor at 0.
#
# **Predict** its value when all vectors are equal, and for orthogonal images with identical views.

# %%
same, orthogonal = torch.ones(64, 16), torch.eye(64)
rows = (("all equal", same, math.log(126)), ("orthogonal", orthogonal, math.log(126) - 1 / 0.1))
for name, views, formula in rows:
    print(f"{name:10}: {dcl_loss(views, views, temperature=0.1):8.4f}, by hand {formula:8.4f}")

# %% [markdown]
# So a falling DCL loss says little by itself, and its value can't be compared between batch sizes or temperatures. Never stop training, or clip, at 0.
#
# **A mask that leaks.** A popular implementation masks by *adding* $\log 10^{-45}\approx-103$ in place of $-\infty$. That is harmless at $\tau=0.1$. At $\tau=0.01$ the cosine 1 on the
# diagonal becomes a score of 100, the masked entry is about $-3$, and it counts.

# %%
three = torch.eye(3)
scores = torch.cat([three @ three.T, three @ three.T], dim=1) / 0.01
mask = torch.eye(3).repeat(1, 2)
leaky = (scores + mask * math.log(1e-45)).logsumexp(dim=1) - 100
right = methods.dcl_loss(three, three, temperature=0.01)
print(f"added -103: {leaky[0]:.4f}    filled with -inf: {right:.4f}")

# %% [markdown]
# ## 4 · Weigh the positives: DCLW
#
# Without the coupling an easy pair pulls as hard as a difficult one. InfoNCE's $q$ did some sorting, and DCLW brings sorting back in another place: a weight
# on the positive term, large for pairs that lie far apart. Its mean over the batch is 1, so that the positives as a whole count as much as before. (Whether the
# *pull* does, too, is a question of section 7.)

# %% [markdown] card="dclw_weights"
# (from contrastive_lab.exercises)

# %% exercise="dclw_weights"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("dclw_weights", dclw_weights)

# %%
here = lab.start("02-weights")
dclw_weights = exercises.get("dclw_weights").or_solution(dclw_weights)
w = dclw_weights(here.z1, here.z2, sigma=0.5)
print(f"weights from {w.min():.3f} to {w.max():.3f}, mean {w.mean():.6f}")
print("equal to the package's:", torch.allclose(w, methods.dclw_weights(here.z1, here.z2, sigma=0.5)))
balanced = abs(w.mean().item() - 1) < 1e-5

# %% [markdown]
# **Predict.** What happens to the weights as $\sigma$ goes to 0? To infinity?

# %%
cosine = F.cosine_similarity(here.z1, here.z2, dim=1)
order = cosine.argsort()
figure = figures.new_figure(height=320)
for sigma in (5.0, 0.5, 0.05, 0.02):
    w = dclw_weights(here.z1, here.z2, sigma=sigma)
    figure.add_scatter(
        x=cosine[order].tolist(), y=w[order].tolist(), name=f"σ = {sigma:g}", mode="lines+markers"
    )
figure.update_xaxes(figures.axis("cosine of the pair"))
figure.update_yaxes(figures.axis("weight"))
lab.show(
    lab.distinct(figure),
    alt="Weight of a pair against its cosine for four widths: at 5 all weights are near 1, at 0.5 "
    "they fall gently, at 0.05 and 0.02 most are near 2 and those of the best pairs drop far below 0.",
)

# %% [markdown]
# <details><summary>Reading the curves</summary>
#
# A wide $\sigma$ gives DCL back. A narrow one gives almost everybody weight 2 and takes it all from the best pair, whose weight may fall to $2-N$. A negative weight
# *pushes a positive pair apart*. The authors use $\sigma=0.5$, where that does not happen for cosines in $[-1,1]$ unless few pairs are much better than the rest; section 7 tries what
# happens when it does.
#
# </details>
#
# One question the formula leaves open: is the weight part of the objective, or a constant? If gradients flow through it, the loss can be lowered by changing the *weights*. Public
# implementations differ; the lab treats the weight as a constant by default.

# %%
one = here.z1.clone().requires_grad_()
slopes = []
for detach in (True, False):
    loss = methods.dclw_loss(one, here.z2, temperature=0.1, sigma=0.5, detach_weights=detach)
    slopes.append(torch.autograd.grad(loss, one)[0])
    print(
        f"detach_weights={detach!s:5}: loss {loss:.6f}, length of the gradient {slopes[-1].norm():.4f}"
    )

# %% [markdown]
# ## 5 · Small and large batches
#
# Now networks: NT-Xent and DCL, each in small and in large batches, at the same temperature, for the same number of epochs, and with a learning rate proportional
# to the batch. The optimiser is SGD with momentum. An **observer** of your own records $q$ while they train: a function that gets a moment of the run and returns numbers.

# %%
from contrastive_lab.training import Evaluate, prepare, train

here = lab.start("02-training")
for name, settings in here.settings.items():
    rate = f"{settings.optimizer}, learning rate {settings.lr:g}"
    print(f"{name:13} {settings.epochs} epochs, {rate}, {dict(settings.options)}")


def multiplier(moment):
    """The mean of q over the batch of this step, whatever the method."""
    if moment.step is not None:
        one, two = moment.step.embeddings[:2].float()
        return {"q": methods.npc_multiplier(one, two, temperature=0.1).mean().item()}


# %% [markdown]
# **Predict.** Which of the four runs ends with the best neighbours? In which of them does $q$ fall most?

# %%
evaluate = Evaluate(here.train_images, here.test_images, probe=len(here.test_images))
runs = {}
for name, settings in here.settings.items():
    method = prepare(settings, here.train_images)
    observers = [evaluate, multiplier, lab.Live(settings.method)]
    place = lab.folder("02-batches", settings)
    runs[name] = train(method, here.train_images, settings, observers, folder=place)

# %% [markdown]
# The pictures above were repainted while the networks trained. A run that you repeat with the same settings is opened, not trained again.

# %%
def by_epoch(run):
    """Epochs, and the mean of q over the steps of each."""
    epochs, values = (torch.tensor(column, dtype=torch.float64) for column in run.column("q"))
    number = (epochs - 1e-6).ceil().long()
    total = torch.zeros(int(number.max()) + 1, dtype=torch.float64).index_add(0, number, values)
    return list(range(1, len(total))), (total / number.bincount())[1:].tolist()


curves = {name: by_epoch(run) for name, run in runs.items()}
figure = figures.training_curve(curves, measure="mean of q", limit=1, limit_name="DCL's factor")
lab.show(
    lab.distinct(figure),
    alt="The mean multiplier q of the batches of each epoch for the four runs: near 1 throughout in "
    "large batches, clearly lower in small ones.",
)

# %% [markdown]
# In the DCL runs $q$ is only *reported*: it says what InfoNCE would have multiplied their gradients with.
#
# ## 6 · Who gains?

# %%
here = lab.start("02-compare")
runs = here.runs
columns = {"knn": "kNN", "alignment": "alignment", "uniformity": "uniformity", "q": "q at the end"}
rows = {name: [{key: run.last(key) for key in columns}] for name, run in runs.items()}
lab.table(rows, columns, digits=3)

# %%
common = here.test_images.labels.bincount().max().item() / len(here.test_images)
curves = {name: run.column("knn") for name, run in runs.items()}
figure = figures.training_curve(
    curves, measure="kNN, colour", limit=common, limit_name="most frequent class"
)
lab.show(
    lab.distinct(figure),
    alt="The share of test images whose colour the neighbours guess right, over the epochs, for "
    "NT-Xent and DCL in small and in large batches.",
)

# %% [markdown]
# Did the stronger gradients of DCL spread the images further (uniformity) in small batches? And did that bring better neighbours? The two need not go together.
#
# One seed of a small network on an easy task: this shows a mechanism, not who is better. (In one epoch a small batch also takes many more steps, so compare the
# two methods *within* a batch size.)
#
# ### The paper's claim, in larger runs
#
# The claim is that DCL depends less on the batch size than InfoNCE. `benchmarks/claims.py` trains both on CIFAR-10 at several batch sizes and takes
# their differences seed by seed. *Confirmed* or *refuted* is what lies outside chance: Student's 95 % interval of the differences leaves out zero.
# Else the claim is *undecided at this scale*, which is a result too.
#
# **Predict.** Which column has to rise with the batch if the mechanism is there? At which batch should DCL lead most? And what becomes of NT-Xent's
# kNN as its batches shrink?

# %%
lab.claim("dcl")

# %% [markdown]
# <details><summary>What came out in these runs, and why it may be so</summary>
#
# *The mechanism is there.* The multiplier (DCL's runs record it) rises with the batch from well below one half to nearly one.
#
# *The consequence is hardly there.* A lead of DCL at batch 32 is undecided, and so is whether it is larger there than at 512, and whether DCL varies
# less with the batch. A lead at batch 256 is confirmed, but look at its size: leaving out zero makes a difference *real*, not *important*. And the
# paper's argument wants it at 32 rather than there.
#
# Why? Look down the kNN column of NT-Xent: what it loses, it loses mostly in *large* batches, and so does DCL: at equal epochs batches of 512 take a
# thirty-second of the steps of batches of 16, and in a training this short steps are scarce. From 64 down to 16 NT-Xent falls too, by much less, and
# there DCL's lead in kNN is the largest of the column. That is the paper's pattern, but take it for a hint: no verdict asked about 16, whoever picks
# the best of six batches finds something, and the linear probe shows no such lead. So small batches have hardly a deficit here that DCL could repair. Besides, a factor that all anchors share is, under SGD, a smaller learning rate: what it costs depends on how well the rate was chosen. A
# fair test would tune the rate of both methods at every batch size. The paper's gains come from longer training of larger networks, up to a ResNet-50
# on ImageNet; nothing here contradicts them.
#
# Other people's numbers point both ways: the advantage is reported for small batches, short schedules and low temperatures; against an InfoNCE tuned
# at temperature 0.5 it is small or absent (docs/results.md has tables of both kinds).
#
# </details>
#
# ### Beside SimCLR, each with its own recipe
#
# The runs above share everything but the loss. A table that compares *methods* gives each its own recipe. The next cell shows two of them.
#
# **Predict.** Compare the recipes before you look at the numbers. Where will DCL lead more clearly, on CIFAR-10 or on scenes?

# %%
for results in ("methods-cifar10", "methods-scenes"):
    lab.beside("dcl", "dclw", results=results)
    print()

# %% [markdown]
# **Explain** the difference between the two tables before you go on: what else, besides the loss, differs between the two recipes on CIFAR-10?
#
# A further arm takes that away: `simclr-t0.1` is SimCLR with DCL's recipe to the last digit, the temperature included. Only the loss differs.
#
# **Predict.** How much of DCL's lead over SimCLR is left: most of it, half, a small part, nothing? Does DCLW still lead? And is there a column in which DCL
# stays well ahead?

# %%
lab.beside("dcl", "dclw", against="simclr-t0.1")
rows = lab.results.read("methods-cifar10")
seeds = [key.split("/")[1] for key in rows if key.startswith("simclr-t0.1/")]
knn = {arm: [rows[f"{arm}/{seed}"]["knn"] for seed in seeds] for arm in ("simclr", "simclr-t0.1", "dcl")}
lead, left = (sum(knn["dcl"]) - sum(knn[arm]) for arm in ("simclr", "simclr-t0.1"))
print(f"\nof DCL's mean lead over SimCLR, {left / lead:.0%} is left at equal temperature")

# %% [markdown]
# <details><summary>What the tables say</summary>
#
# On CIFAR-10 DCL leads SimCLR clearly in these short runs, on scenes the interval holds zero. But only on CIFAR-10 do the recipes differ in the *temperature* as well, and most
# of that lead was the temperature's: SimCLR at 0.1 gains nearly as much with the loss it always had. What is left of DCL's lead is small, and with these few
# seeds its interval holds zero, though only just: *undecided*. A little may well be there. The claim's runs, with more seeds and another network, found a
# lead at this batch size that is real and smaller still. DCLW, ahead of SimCLR in the first table, falls back to about SimCLR's level.
#
# The decoupling does leave a trace in these runs, in the geometry: at equal temperature DCL uses clearly more *directions*, and its uniformity is better by
# many deviations. Spreading the images further is what the multiplier's absence should do. How much of it arrives at the neighbours, these few seeds can't
# say.
#
# On scenes, where the temperatures are equal from the start, AdamW may hide a part of the factor, too (question A below). And DCLW stays behind DCL in every
# table (on scenes the seeds differ too much to be sure). In the published tables for CIFAR-10 of docs/results.md its place is the same.
#
# It is a standing danger of such tables: they compare *recipes*, and the name of the loss stands at the front of the line. One more arm can say how much
# belongs to it.
#
# </details>
#
# ### And in a long training?
#
# The same at full size: all of CIFAR-10, a network of full width, many epochs. One arm is new, SimCLR at 0.2, between the two temperatures.
#
# **Predict.** Does SimCLR at 0.1 stay beside DCL? Think of section 2: where is $q$ smaller, in an untrained network or in a trained one, at 0.1 or at 0.5?
# And will SimCLR at 0.2 end between SimCLR at 0.1 and at 0.5?

# %%
found = lab.at_full_size()
long = {name: found[name] for name in ("simclr", "simclr-t0.2", "simclr-t0.1", "dcl")}
made = long["dcl"][0]
print(f"{made['data']['train']:,} images, {made['settings']['network']} of width {made['settings']['width']}, {made['settings']['epochs']} epochs")
print("seeds:", {name: len(several) for name, several in long.items()})
columns = {"knn": "kNN", "linear": "linear probe", "uniformity_of_floor": "uniformity / floor", "rankme": "directions"}
lab.table({name: [run["measured"] for run in several] for name, several in long.items()}, columns, digits=3)
epochs, base = long["simclr"][0]["history"]["knn"]
first = {name: several[0]["history"]["knn"][1] for name, several in long.items()}
ahead = {name: (epochs, [100 * (own - other) for own, other in zip(first[name], base)]) for name in ("dcl", "simclr-t0.1", "simclr-t0.2")}
lab.show(
    lab.distinct(figures.training_curve(ahead, measure="kNN, points ahead", limit=0, limit_name="SimCLR at 0.5")),
    alt="Points of kNN ahead of SimCLR at temperature 0.5, over 200 epochs of the first seed. After ten epochs DCL and SimCLR at 0.2 "
    "are about four points ahead, SimCLR at 0.1 about three and a half. Most of the last one's lead is gone at epoch 20; it then lies within about "
    "a point of zero, from epoch 100 on below, and ends one point behind. DCL and SimCLR at 0.2 stay one to four points ahead; DCL is mostly the "
    "higher of the two until epoch 150, SimCLR at 0.2 from epoch 170 on, by about half a point.",
)

# %% [markdown]
# <details><summary>What the long runs say</summary>
#
# After ten epochs you see the short runs again: DCL and SimCLR at 0.1 lie together, now with SimCLR at 0.2, all ahead of 0.5. Then they part. SimCLR at 0.1
# loses all of its lead and ends behind SimCLR at 0.5, in both of its seeds. DCL at the same 0.1 keeps about half of its own. So *at equal temperature* DCL lies
# points ahead, and here nothing but the multiplier differs.
#
# But 0.2 does not end between 0.1 and 0.5. It ends above both, and level with DCL or a little above it. InfoNCE reaches at least as much, then, at another
# temperature. What decoupling buys here is that 0.1 *costs little*: InfoNCE ends three points of kNN below DCL there, and below itself at 0.2. (Whether DCL has a better temperature
# than 0.1 we don't know, it wasn't run at another. And nobody tuned the learning rate for any of them: a multiplier that all anchors share is a smaller rate,
# question B below.)
#
# The multiplier lets one expect the fall at 0.1: the better the network, the smaller $q$, and at a low temperature it falls first. InfoNCE at 0.1 brakes itself
# as soon as it gets good. (*Lets one expect*: these runs did not record $q$.)
#
# How sure is it? Only DCL and SimCLR at 0.5 have three seeds, enough for our rule, and DCL's lead there is clear. Two seeds get no verdict; but the seeds of a row
# differ by tenths, and SimCLR at 0.1 lies three points below DCL. The half point between SimCLR at 0.2 and DCL could be chance.
#
# Don't generalise. The linear probe puts SimCLR at 0.2 first and DCL just behind SimCLR at 0.5. And in the finished runs of notebook 12, just as long and a
# quarter as wide, DCL ends *behind* SimCLR at 0.5 in kNN, too (one seed each).
#
# Three answers, then, to one question. Short runs at equal temperature: tenths at most, one comparison undecided and one confirmed. Long runs at equal temperature:
# DCL. Long runs with SimCLR at the best of three temperatures (picked afterwards, on the test images): SimCLR, if anyone. "Which loss is better?" has no answer
# before one says at which temperature, for how long, and how much each was tuned.
#
# </details>
#
# ## 7 · Break it
#
# **Identical views.** Turn the augmentation off: both views of an image are the same vector. InfoNCE and DCL have the same minimum, so who still moves?

# %%
draw = torch.Generator().manual_seed(3)
images = F.normalize(torch.randn(4, 8, generator=draw) + 0.5, dim=1)
for name, loss in {"InfoNCE": methods.nt_xent_loss, "DCL": methods.dcl_loss}.items():
    z = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(z, z, temperature=0.05), z)
    print(f"{name:8} length of the gradient on four images: {gradient.norm():.5f}")

# %% [markdown]
# The positives coincide, so nothing is left to pull. DCL still pushes the images apart; InfoNCE considers the matter closed. This is the benefit, and also the cost: InfoNCE's $q$ is a
# built-in brake for what has been learned. DCL has no brake, keeps pulling on easy pairs and keeps pushing on negatives that are far enough.
#
# **Too narrow a width.** Train DCLW with $\sigma=0.01$.
#
# **Predict.** What becomes of the *best* pairs of a batch? Of the alignment?

# %%
from contrastive_lab.training import prepare, train

here = lab.start("02-break")
narrow = here.narrow
observers = [here.evaluate, lab.Live("dclw")]
method, place = prepare(narrow, here.train_images), lab.folder("02-narrow", narrow)
broken = train(method, here.train_images, narrow, observers, folder=place)
weights = broken.column("lowest weight")[1]
print(f"the lowest weight of a batch: {min(weights):.1f} (the formula allows {2 - narrow.batch_size})")

# %%
columns = {"knn": "kNN", "alignment": "alignment", "uniformity": "uniformity"}
compared = {"DCL": here.runs[f"dcl N={narrow.batch_size}"], "DCLW, σ = 0.01": broken}
rows = {name: [{key: run.last(key) for key in columns}] for name, run in compared.items()}
lab.table(rows, columns, digits=3)

# %% [markdown]
# **Explain.** Most pairs of a batch have weight 2 now, and a few of the best have to bring the mean back to 1. Is the pull as a whole still as strong as before? Compare alignment and uniformity of the two rows with
# the untrained network's place in the plane of notebook 01.
#
# <details><summary>Answer</summary>
#
# The weights still average to 1, but their *forces* don't. The gradient of a cosine is as long as the sine of the angle: almost nothing for the best pairs, which carry all the negative weight. So the negative weights hardly
# act, the pull on everybody else is doubled, and the push is what it was. The balance of the two forces moves towards alignment. If your run shows small alignment and a uniformity near 0, that is where it went: towards the corner of
# "alignment only". A mean of 1 protects nothing; the method logs the *lowest* weight so that one can see it.
#
# </details>

# %% [markdown]
# ## 8 · Two questions
#
# **A.** You replace SGD by Adam and the difference between InfoNCE and DCL shrinks. Why should you have expected that?
#
# <details><summary>Answer</summary>
#
# Adam divides each coordinate of the gradient by a running estimate of its size. A factor that is common to all anchors and changes slowly cancels. What remains of $q$ is how
# it *differs* between anchors of a batch: InfoNCE still listens more to anchors with difficult positives. With SGD the common factor acts like a smaller learning rate.
#
# </details>
#
# **B.** Somebody doubles the learning rate of InfoNCE instead of decoupling. When does that do the same, and when not?
#
# <details><summary>Answer</summary>
#
# It does the same if $q$ is about one half for every anchor throughout training. But $q$ differs between anchors of one batch (look at the histogram), and it falls while the
# positives become easy. A rate that suits the end is too large at the beginning.
#
# </details>
#
# ## To read
#
# * Yeh, Hong, Hsu, Liu, Chen, LeCun: *Decoupled Contrastive Learning* (ECCV 2022), arXiv:2110.06848. The multiplier is the subject of its first proposition.
# * Chen, Kornblith, Norouzi, Hinton: *A Simple Framework for Contrastive Learning of Visual Representations* (2020), arXiv:2002.05709: batch size and training length.
# * The code you compared yours with: `??methods.dcl_loss`. It is InfoNCE's core with one argument changed: `below="negatives"`.
#
# **Next:** notebook 03 lets positives compete with positives, and you will meet DCL there again as a special case.

# %% expect=["one factor on the whole gradient: True", "the loss equals the package's: True", "the losses differ by the mean of -log q: True", "weights average to one: True", "runs compared: 4"]
# NBVAL_CHECK_OUTPUT
print("one factor on the whole gradient:", one_factor)
print("the loss equals the package's:", torch.allclose(ours, theirs))
differ = [torch.allclose(a, b, atol=1e-5) for a, b in gaps.values()]
print("the losses differ by the mean of -log q:", all(differ))
print("weights average to one:", balanced)
print("runs compared:", len(runs))
