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
# # 09 · How many dimensions are alive?
#
# **Goal.** You count the directions that a representation really uses, in five ways that disagree, learn when such a count lies, tell *complete* from
# *dimensional* collapse with three lamps, and cause both on purpose, one of them in a network of a single matrix.
#
# **You need** eigenvalues of a covariance matrix, and notebook 01 (alignment, uniformity, temperature).
#
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about 90 minutes.
# Every section starts on its own with `lab.start(...)`.

# %%
import math
import warnings

import torch
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures, methods

lab.banner("09_dimensional_collapse")

# %% [markdown]
# ## Predict first
#
# Write your answers down. You will meet each question again.
#
# 1. A network has an output of 128 numbers. Name two reasons why its embeddings may use far fewer than 128 directions.
# 2. All embeddings shrink towards one point until they are a thousand times closer together. Which rank measures notice?
# 3. You measure the rank of one and the same encoder on 64 images, then on 4,096. Which value is larger?
# 4. Of two encoders, the one with the higher rank classifies better. True?
#
# ## 1 · From a cloud to a spectrum to a number
#
# Put $N$ feature vectors of $D$ numbers into the rows of a matrix $Z$. The covariance $C=\frac1{N-1}\sum_i(z_i-\bar z)(z_i-\bar z)^\top$ has eigenvalues
# $\lambda_1\ge\dots\ge\lambda_D\ge0$: the variances of the cloud along its principal directions. This list is the **spectrum**. A direction whose
# eigenvalue is (nearly) zero carries no difference between images: it is dead.
#
# Here is a cloud whose variances fall like $1,\frac12,\frac13,\dots$

# %%
here = lab.start("09-ranks")
eigenvalues = measures.spectrum(here.cloud)
figure = figures.spectra({"toy cloud": eigenvalues}, height=300)
lab.show(
    figure,
    alt="The spectrum of the toy cloud on a logarithmic scale: 32 variances that fall "
    "quickly at first and slowly afterwards, from 1 to about 0.03.",
)

# %% [markdown]
# **Predict.** How many directions does this cloud use? 32, since none is zero? Or fewer, since the first few hold most of the variance?
#
# There is no single right answer: it depends on how much a weak direction counts. The best known answer is the **participation ratio**. You write it.

# %% [markdown] card="participation_ratio"
# (from contrastive_lab.exercises)

# %% exercise="participation_ratio"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("participation_ratio", participation_ratio)

# %%
participation_ratio = exercises.get("participation_ratio").or_solution(participation_ratio)
ours = participation_ratio(here.cloud)
theirs = measures.participation_ratio(here.cloud)
print(f"yours {ours:.6f}, package {theirs:.6f}, equal: {math.isclose(ours, theirs, rel_tol=1e-6)}")

# %% [markdown]
# A worked example that fits on paper: four points $(2,0),(-2,0),(0,1),(0,-1)$. The mean is zero, so $\lambda_1=\frac{4+4}3=\frac83$ and
# $\lambda_2=\frac{1+1}3=\frac23$. The shares are $\frac45$ and $\frac15$, and $\mathrm{PR}=1/(\frac{16}{25}+\frac1{25})=\frac{25}{17}\approx1.47$ of 2.

# %%
cross = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
print(f"yours {participation_ratio(cross):.6f}, by hand {25 / 17:.6f}")

# %% [markdown]
# ### A whole family behind one dial
#
# The participation ratio is one of a family. Ecologists ask "how many species live here?" and face the same problem: does a species with one individual
# count? Their answer is the **Hill number** with a dial $q$. At $q=0$ everything alive counts fully; the larger $q$, the less the rare ones count.

# %% [markdown] card="hill_number"
# (from contrastive_lab.exercises)

# %% exercise="hill_number"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("hill_number", hill_number)

# %%
hill_number = exercises.get("hill_number").or_solution(hill_number)
orders = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0]
curve = [float(hill_number(eigenvalues, q)) for q in orders]
print("falls with q:", all(a >= b for a, b in zip(curve, curve[1:])))
print(f"q = 2: {hill_number(eigenvalues, 2.0):.4f}, participation ratio {theirs:.4f}")
print(f"q = 30: {curve[-1]:.4f}, sum over largest {eigenvalues.sum() / eigenvalues[0]:.4f}")

# %% [markdown]
# **Predict.** What does the Hill number of infinite order look at?
#
# <details><summary>Answer</summary>
#
# Only at the largest share: the limit is $1/p_1=\sum_i\lambda_i/\lambda_1$. It has two names in the literature, NESum and (for centred features) stable
# rank. So $\mathrm{NESum}\le\mathrm{PR}\le e^{H}\le D$ always. And IsoScore, published as a recipe of seven steps, is $(\mathrm{PR}-1)/(D-1)$ in
# disguise.
#
# </details>

# %%
identities = {
    "NESum = stable rank": (measures.nesum(here.cloud), measures.stable_rank(here.cloud, center=True)),
    "NESum = Hill number at infinity": (measures.nesum(here.cloud), measures.hill_number(here.cloud, math.inf)),
    "IsoScore = (PR - 1)/(D - 1)": (measures.isoscore(here.cloud), (theirs - 1) / 31),
    "entropy rank = Hill number at 1": (measures.entropy_rank(here.cloud), float(hill_number(eigenvalues, 1.0))),
}
same = {name: math.isclose(a, b, rel_tol=1e-6) for name, (a, b) in identities.items()}
for name, (a, b) in identities.items():
    print(f"{name}: {a:.4f} and {b:.4f}")

# %% [markdown]
# ### The odd one: RankMe
#
# A number that papers on self-supervised learning often print is not of this family. RankMe shares out *singular* values, which are square roots of eigenvalues,
# so weak directions count for more; and it does not subtract the mean.

# %% [markdown] card="rankme"
# (from contrastive_lab.exercises)

# %% exercise="rankme"
# (from contrastive_lab.exercises)

# %% tags=["raises-exception", "check"]
exercises.check("rankme", rankme)

# %%
rankme = exercises.get("rankme").or_solution(rankme)
for shift in (0.0, 1.0, 10.0):
    moved = here.cloud + shift
    print(f"moved by {shift:4.0f}: RankMe {rankme(moved):5.2f}, participation ratio {participation_ratio(moved):5.2f}")

# %% [markdown]
# Moving the cloud changes nothing about how images differ, yet RankMe falls: the mean becomes one huge direction. A cone (notebook 01) does the same. So
# RankMe compares epochs or settings of *one* method, which is what its authors propose, and not two different kinds of features.
#
# ## 2 · One dial, five ranks
#
# Six encoders, measured by `scripts/states/collapse.py`: an untrained network, SimCLR at three temperatures, and two halves of a contrastive loss.
# *Alignment only* pulls twins together and never pushes, *uniformity only* pushes and never pulls (notebook 01). Turn the dial and watch the ranking of
# the encoders, not only the numbers.

# %% tags=["explorable"]
explorables.show(explorables.Collapse())

# %% [markdown]
# **Try.**
#
# 1. Turn $q$ from 0 to infinity. Does the order of the encoders stay? Compare with the kNN accuracy beside the bars.
# 2. Set the samples to 64. What happened to the encoders?
# 3. Grab the spectrum in its right half and pull it down. Which of the five numbers moves most, which hardly at all?
# 4. Press *Break it*. Which lamp sees the disease, and which number does not?
# 5. Press *Layer*. Is the backbone as collapsed as the projector?
#
# <details><summary>What you should have seen</summary>
#
# Weak directions matter at small $q$ and not at large $q$: squashing the tail moves RankMe and the entropy rank, while PR and NESum hardly notice. With
# fewer samples the very same encoder seems to have fewer directions, most of all one that has many (the second cell below prints it). And all ranks are
# free of scale: the cloud that shrank to a point keeps a respectable participation ratio, and lamp 1, the spread, gives the alarm. (RankMe is low there as
# well, but not because the cloud is small: section 7.) The representation below that embedding has few directions, and no lamp 1: its rows have any length.
#
# </details>
#
# What is in the table behind the picture? The cell reads it, so the numbers are those of the run that made it.
# Is the encoder with the most directions the best one? And does the order of the encoders depend on the dial?

# %%
from contrastive_lab.explorables.collapse import state_at
from contrastive_lab.explorables.table import read

kept = read("collapse")
about = kept.about
print(f"{about['sizes']['data']}, {about['sizes']['count']} images, {about['sizes']['epochs']} epochs, one seed")
last = {name: kept["columns"][:, -1, place] for place, name in enumerate(about["columns"])}
rows = {}
for place, name in enumerate(about["encoders"]):
    state = state_at(kept["embedding"][place, -1])
    rows[name] = [{**state, **{key: float(last[key][place]) for key in ("rankme", "alignment", "knn")}}]
titles = {"nesum": "NESum", "participation_ratio": "PR", "entropy_rank": "entropy rank", "rankme": "RankMe"}
lab.table(rows, titles | {"spread": "spread", "alignment": "alignment", "knn": "kNN"}, digits=3)
for key in ("participation_ratio", "rankme", "knn"):
    print(f"highest {key} first:".ljust(33), ", ".join(sorted(rows, key=lambda name, key=key: -rows[name][0][key])))

# %%
counts = about["counts"]
few = counts.index(64)
print(f"at {counts[few]} and at {counts[-1]} samples:")
for place, name in enumerate(about["encoders"]):
    ranks = kept["embedding_rankme_by_count"][place]
    ratios = [state_at(values)["participation_ratio"] for values in kept["embedding_by_count"][place]]
    print(f"{name:18s} PR {ratios[few]:5.1f} and {ratios[-1]:5.1f}, RankMe {ranks[few]:5.1f} and {ranks[-1]:5.1f}")

# %% poster="collapse"
lab.poster(
    explorables.Collapse().poster(),
    alt="Three panels for six encoders: their spectra on a logarithmic scale; their Hill "
    "numbers falling as the order q rises from 0 to infinity, with crossings; and their "
    "participation ratio rising with the number of samples, below an isotropic ceiling.",
)

# %% [markdown]
# The same dial for any tensor of yours: replace the cloud by your own features.

# %% tags=["live"]
draw = torch.Generator().manual_seed(0)
own = torch.randn(1000, 48, generator=draw) * torch.linspace(1, 0.05, 48)
explorables.collapse_dial(own)

# %% [markdown]
# ## 3 · The sample-size trap
#
# **Predict.** Draw $N$ points from a perfectly isotropic distribution in $D=64$ dimensions: all 64 directions are equally alive. How large is the measured
# participation ratio for $N=64$?

# %%
here = lab.start("09-samples")
warnings.simplefilter("ignore", measures.SampleSizeWarning)  # the package warns below 4 D; here that is the lesson
draw = torch.Generator().manual_seed(0)
isotropic = torch.randn(4096, 64, generator=draw)
counts = [32, 64, 128, 256, 512, 1024, 2048, 4096]
seen = {n: (measures.participation_ratio(isotropic[:n]), measures.rankme(isotropic[:n])) for n in counts}
for n, (pr, rank) in seen.items():
    print(f"N = {n:4d}: PR {pr:5.1f} (ceiling {measures.participation_ceiling(n, 64):5.1f}), RankMe {rank:5.1f}")

# %% [markdown]
# Half of the directions seem to be missing at $N=D$, for a cloud that has them all. One line derives the ceiling. With $S$ the sample covariance of $N$
# isotropic points, $\mathbb E\,\mathrm{tr}\,S=D$ and $\mathbb E\,\mathrm{tr}\,S^2\approx D+\frac{D^2}N$: random points lean against each other by chance. So
#
# $$\mathrm{PR}=\frac{(\mathrm{tr}\,S)^2}{\mathrm{tr}\,S^2}\approx\frac{D^2}{D+D^2/N}=\frac D{1+D/N}.$$
#
# With $N=4D$ one still loses a fifth. Below that, the package warns.

# %%
close = all(abs(pr / measures.participation_ceiling(n, 64) - 1) < 0.06 for n, (pr, _) in seen.items())
print("measured within 6 % of the ceiling at every N:", close)
figure = figures.new_figure(height=320)
ceiling = [measures.participation_ceiling(n, 64) for n in counts]
figure.add_scatter(x=counts, y=[pr for pr, _ in seen.values()], name="PR", mode="lines+markers")
figure.add_scatter(x=counts, y=[rank for _, rank in seen.values()], name="RankMe", mode="lines+markers", line={"dash": "dash"})
figure.add_scatter(x=counts, y=ceiling, name="D / (1 + D/N)", line={"dash": "dot"})
figure.update_xaxes(figures.axis("samples N", type="log", tickvals=counts))
figure.update_yaxes(figures.axis("measured directions of 64", range=[0, 66]))
lab.show(
    figure,
    alt="Participation ratio and RankMe of an isotropic cloud in 64 dimensions rise with the"
    " number of samples from about 20 to over 60; the participation ratio follows the "
    "dotted ceiling.",
)

# %% [markdown]
# **Is an uneven spectrum as sensitive?** The same line for any covariance $\Sigma$: $\mathbb E\,\mathrm{tr}\,S^2\approx\mathrm{tr}\,\Sigma^2+\frac{(\mathrm{tr}\,\Sigma)^2}N$, so PR is
# measured as about $\mathrm{PR}/(1+\mathrm{PR}/N)$. It is the number of directions in use that $N$ must exceed, not $D$. The toy cloud of section 1 falls like
# $1/i$: **predict** which loses more of its value at $N=2D$, this cloud or the isotropic one, and PR or RankMe.

# %%
variances = 1 / torch.arange(1.0, 33)  # those of the distribution that the cloud was drawn from
true = float(variances.sum() ** 2 / variances.square().sum())
for n in (64, 128, 256, 512, 2000):
    part = here.cloud[:n]
    pr, top, rank = (measure(part) for measure in (measures.participation_ratio, measures.nesum, measures.rankme))
    print(f"N = {n:4d}: PR {pr:5.2f} (formula {true / (1 + true / n):5.2f}), NESum {top:5.2f}, RankMe {rank:5.2f}")

# %% [markdown]
# At $N=2D$ the uneven cloud loses clearly less in PR (by the formula; this draw came out low). In RankMe both lose about equally there, and less than in PR: its
# shares are roots, which lie closer together than the variances do. (Single draws scatter, most of all at few samples. The rule of the directions in use is one of PR alone.) But nobody knows the true spectrum beforehand. So before anybody compares ranks: the same number of images, the
# same images, and $N\ge4D$.
#
# ## 4 · Three lamps
#
# No rank sees everything, so we use three lamps, one for each disease:
#
# | lamp | number | goes red when |
# |---|---|---|
# | 1: is there a cloud? | spread of the unit embeddings, `std·√D`, or uniformity | all embeddings coincide: **complete collapse** |
# | 2: how many directions? | PR or RankMe against $\min(D,N/4)$ | a line or a plane instead of a sphere: **dimensional collapse** |
# | 3: does it mean anything? | alignment of the two views | twins are as far apart as strangers |
#
# Train a healthy run first, with the live picture of its geometry.

# %%
from contrastive_lab.lab.sections.n09 import ARMS, run_of

here = lab.start("09-training")
print("arms of this notebook:", "; ".join(ARMS))
healthy = run_of(ARMS[0], here.train_images, here.test_images, lab.Live())

# %% [markdown]
# (A run that was trained here before is opened, not trained again; then there is no moving picture.)
#
# **Predict** the three lamps for the other arms before you run the next cell: SimCLR at temperature 2, alignment only, uniformity only.

# %%
here = lab.start("09-lamps")
size = here.settings.options["out_dim"]
rows = {"untrained": [dict(here.runs[ARMS[0]].history[0])]} | {arm: [{}] for arm in ARMS}
columns = ["uniformity", "std", "participation_ratio", "rankme", "alignment", "knn"]
for arm, run in here.runs.items():
    rows[arm] = [{column: run.last(column) for column in columns}]
for (row,) in rows.values():
    row["std·√D"] = row["std"] * math.sqrt(size)
print(f"embeddings of {size} dimensions, {len(here.test_images)} test images, one augmented view of each (alignment: two)")
lab.table(rows, ["uniformity", "std·√D", "participation_ratio", "rankme", "alignment", "knn"])

# %% [markdown]
# Read the row *alignment only* from left to right. Then read *SimCLR, τ = 2*.
#
# <details><summary>Reading the table</summary>
#
# **Alignment only** is the classic complete collapse: `std·√D` and uniformity go to zero. Look at its participation ratio, though. The tiny rest of the
# cloud is spread over several directions, and the ratio does not see that the cloud is tiny. **Temperature 2** is the opposite: lamp 1 is fine, the
# embeddings fill a large part of the sphere's width, but along few directions. **Uniformity only** has the most directions of all, and its twins have
# nothing to do with each other. Short runs, one seed: trust the large differences only. (A smoke run of two epochs is too short to see any of this.)
#
# </details>

# %%
from contrastive_lab.training.observe import at_rest, embed

spectra = {}
for arm, run in here.runs.items():
    with at_rest(run.method):
        spectra[arm] = measures.spectrum(embed(run.method, here.test_images))
figure = lab.distinct(figures.spectra(spectra))
lab.show(
    figure,
    alt="Four spectra of embeddings on a logarithmic scale: uniformity only is high and "
    "flat, SimCLR at temperature 0.2 falls by some powers of ten, temperature 2 starts "
    "higher and falls faster, alignment only lies below all others.",
)

# %% [markdown]
# **The blind spot in numbers.** Divide each spectrum by its sum. Where is alignment only now?

# %%
shares = {arm: values / values.sum() for arm, values in spectra.items()}
lab.show(
    lab.distinct(figures.spectra(shares)),
    alt="The same four spectra divided by their sums: alignment only no longer lies below the"
    " others, the fall of temperature 2 is as steep as before.",
)
spread = {arm: float(values.sum().sqrt()) for arm, values in spectra.items()}
print("spread:", {arm: round(value, 3) for arm, value in spread.items()})

# %% [markdown]
# This is all that a rank is given. The scale is gone before the counting begins.
#
# ### Larger runs
#
# `benchmarks/two_forces.py` trained nine losses with several seeds. The same story with error bars:

# %%
measured = lab.results.read("two_forces")
seeds = len(measured["arms"]["temperature 0.2"])
print(f"{measured['images']} scenes, {measured['epochs']} epochs, {seeds} seeds: mean ± standard deviation")
titles = {"participation_ratio": "PR", "rankme": "RankMe", "uniformity": "uniformity", "alignment": "alignment", "knn": "kNN"}
lab.table(measured["arms"], titles)

# %% [markdown]
# **The paper's claim, tested.** Garrido and others (2023) propose RankMe for choosing hyper-parameters *without labels*: among settings of one method, take
# the one of the highest RankMe. Does that work for the temperature? And (question 4) what if it chooses among all losses of the table?

# %%
def mean(arm, key):
    return sum(row[key] for row in measured["arms"][arm]) / seeds


every = list(measured["arms"])
for choice in ([arm for arm in every if arm.startswith("temperature")], every):
    order = [torch.tensor([mean(arm, key) for arm in choice]).argsort().argsort().double() for key in ("rankme", "knn")]
    chosen, best = (max(choice, key=lambda arm, key=key: mean(arm, key)) for key in ("rankme", "knn"))
    agreement = torch.corrcoef(torch.stack(order))[0, 1]
    print(f"among {len(choice)}: rank correlation of RankMe and kNN {agreement:.2f};", end=" ")
    print(f"RankMe takes {chosen} (kNN {mean(chosen, 'knn'):.2f}), the best is {best} ({mean(best, 'knn'):.2f})")
for seed in range(seeds):
    rows = {arm: measured["arms"][arm][seed] for arm in every if arm.startswith("temperature")}
    chosen, best = (max(rows, key=lambda arm, key=key: rows[arm][key]) for key in ("rankme", "knn"))
    print(f"seed {seed} alone: takes {chosen} (kNN {rows[chosen]['knn']:.2f}), the best is {best} ({rows[best]['knn']:.2f})")

# %% [markdown]
# Is that because scenes are a toy? The package carries one run of most methods on CIFAR-10: photographs, long training. Rank the *methods* by RankMe, of the
# embedding and of the representation below it. **Predict** the sign of both correlations.

# %%
from contrastive_lab.lab.sections.n12 import finished

cards = {name: run.card["measured"] for name, run in finished("cifar10").items() if name not in ("untrained", "hydra", "supcon")}
titles = {"rankme": "RankMe, embedding", "rankme_representation": "RankMe, representation", "knn": "kNN", "linear": "linear"}
lab.table({name: [numbers] for name, numbers in cards.items()}, titles)
order = {key: torch.tensor([numbers[key] for numbers in cards.values()]).argsort().argsort().double() for key in titles}
for key in ("rankme", "rankme_representation"):
    agreement = {accuracy: torch.corrcoef(torch.stack([order[key], order[accuracy]]))[0, 1].item() for accuracy in ("knn", "linear")}
    print(f"{titles[key]} of {len(cards)} methods, rank correlation with", {name: round(value, 2) for name, value in agreement.items()})

# %% [markdown]
# <details><summary>Reading it</summary>
#
# Among temperatures of one loss the choice by means over seeds costs next to nothing, as the paper says: RankMe rules out the high temperatures. But two of the
# low ones are tied in it and far apart in kNN: by one seed alone RankMe takes the wrong one of the two in two of these three seeds. A coarse filter, not a fine
# one, in these runs. Among different losses it fails: one that only pushes has the most directions of all and has learnt nothing about images. **A high rank is not sufficient.**
# (The paper measures the representation on 25,600 images; here it is the embedding, on a few hundred. Six settings make a rank correlation a rough number.)
#
# Photographs and long training don't rescue it: across methods the rank of the embedding does not order accuracy at all. The run of the best neighbours has
# the lowest rank of all (its temperature is high), and PixPro has one of the highest with poor neighbours. The representation's rank does a little better.
# RankMe compares settings of *one* method, and that is what its paper promises. (One run each; both ranks are of test images.)
#
# </details>
#
# ## 5 · Cause it on purpose, in one matrix
#
# Why should a loss that pushes images apart leave directions dead? Jing and others (2022) found two reasons, and both show in a *linear* network on
# Gaussian data, small enough to think through.
#
# **Data**: $x$ with 16 independent coordinates of variance 1. **Augmentation**: noise of strength $s$ on the *last eight* coordinates only. **Network**: a
# matrix $W$, or a product of matrices. **Loss**: InfoNCE.
#
# A dead direction is a singular value of $W$ that goes to zero.

# %%
here = lab.start("09-toy")


@lab.one_thread()  # matrices this small: more threads would only wait for each other
def linear_run(noise, layers=1, steps=300, size=16, seed=0):
    """Singular values of the whole map every ten steps: (steps / 10, size)."""
    draw = torch.Generator().manual_seed(seed)
    matrices = [(0.25 * torch.randn(size, size, generator=draw)).requires_grad_() for _ in range(layers)]
    strength = noise * (torch.arange(size) >= size // 2)
    descent, seen = torch.optim.SGD(matrices, lr=0.3), []
    for step in range(steps):
        x = torch.randn(128, size, generator=draw)
        z1, z2 = (x + strength * torch.randn(128, size, generator=draw) for _ in range(2))
        for matrix in matrices:
            z1, z2 = z1 @ matrix.T, z2 @ matrix.T
        loss = methods.info_nce_loss(z1, z2, temperature=0.1)
        descent.zero_grad()
        loss.backward()
        descent.step()
        if step % 10 == 0:
            whole = matrices[0] if layers == 1 else torch.linalg.multi_dot(matrices[::-1])
            seen.append(torch.linalg.svdvals(whole.detach()))
    return torch.stack(seen)


# %% [markdown]
# **Predict.** Noise of strength 0.1, of 1 and of 4 on half of the coordinates. How many of the 16 singular values survive (stay above a twentieth of the
# largest) in each case?

# %%
steps = lab.profile(smoke=200, laptop=400, full=800)
noisy = {f"noise {s:g}": linear_run(s, steps=steps) for s in (0.1, 1.0, 4.0)}
for name, seen in noisy.items():
    last = seen[-1]
    print(f"{name}: largest {last[0]:.2f}, 8th {last[7]:.2f}, 9th {last[8]:.3f}; alive: {(last > 0.05 * last[0]).sum()}")


# %%
def show_values(seen, alt):
    figure = figures.new_figure(height=300)
    for place in range(seen.shape[1]):
        colour = figures.look("simclr" if place < 8 else "swav").colour
        dash = "solid" if place < 8 else "dot"
        line = {"color": colour, "dash": dash}
        steps_seen = list(range(0, 10 * len(seen), 10))
        figure.add_scatter(x=steps_seen, y=seen[:, place].tolist(), line=line, name=f"no. {place + 1}")
    figure.update_layout(showlegend=False)
    figure.update_xaxes(figures.axis("step"))
    figure.update_yaxes(figures.axis("singular values"))
    lab.show(figure, alt=alt)


show_values(
    noisy["noise 4"],
    "Singular values over the steps under strong noise: the eight largest, solid, stay or "
    "grow, the eight smallest, dotted, fall to zero.",
)

# %% [markdown]
# **Reason one: the augmentation is stronger than the data.** Along the last eight coordinates two *views* differ by a squared distance of $2s^2$ on
# average, two *images* by $2(1+s^2)$. The pull along such a direction grows with the first number; the push grows with the average of the second over
# the negatives that count, and the softmax lets near ones count most, so it is smaller than that. When the noise dominates, shrinking the direction
# costs little and saves much: the network turns it off. That is invariance, the very thing that augmentation is for; it becomes a disease when the
# direction is one that the task needs.
#
# **Predict.** No noise worth speaking of, but two or four matrices in a row. A product of matrices is a matrix: the same functions can be learned. What
# do the singular values do?

# %%
deep = {layers: linear_run(0.1, layers=layers, steps=steps) for layers in (1, 2, 4)}
for layers, seen in deep.items():
    last = seen[-1]
    alive = int((last > 0.05 * last[0]).sum())
    print(f"matrices: {layers}, largest {last[0]:.2f}, smallest {last[-1]:.4f}; alive: {alive} of 16")

# %%
show_values(
    deep[4],
    "Singular values of a product of four matrices over the steps: the strong ones meet within "
    "few steps, weaker ones rise one after the other, the smallest stay near zero.",
)

# %% [markdown]
# **Reason two: depth favours the strong.** The gradient of one factor is multiplied by the other factors, so a direction that is weak in one layer
# receives little gradient in the next. Let all $L$ factors share a direction with the same value $s$, so that the product has $\sigma=s^L$ there, and let $g$
# be the pull on $\sigma$. Then $\dot s=s^{L-1}g$, and
#
# $$\dot\sigma=L\,s^{L-1}\,\dot s=L\,\sigma^{2-2/L}\,g .$$
#
# For $L=1$ the speed does not depend on $\sigma$. For $L=2$ a small $\sigma$ grows exponentially, but from far below. For $L=4$ it grows like $\sigma^{3/2}$:
# what is small stays small. No strong augmentation is needed, and the loss would like to use all directions.
#
# **Predict.** Other seeds, and then many more steps: is such a direction dead, or late?

# %%
def survivors(layers, steps, seed):
    last = linear_run(0.1, layers=layers, steps=steps, seed=seed)[-1]
    return int((last > 0.05 * last[0]).sum())


seeds = range(lab.profile(smoke=2, laptop=3, full=5))
for layers in (1, 2, 4):
    print(f"matrices: {layers}, steps: {steps}, directions alive by seed:", [survivors(layers, steps, seed) for seed in seeds])
longer = lab.profile(smoke=1100, laptop=1600, full=3200)
for layers in (2, 4):
    print(f"matrices: {layers}, steps: {longer}, directions alive:", survivors(layers, longer, 0))

# %% [markdown]
# <details><summary>Dead or late?</summary>
#
# A product of two was late: with enough steps its weak directions come back. In a product of four the weakest had hardly moved when we stopped. The toy does
# not prove that they never will; it shows that training ends first. Jing and others show the same bias of depth with two layers.
#
# </details>
#
# ## 6 · Projector and backbone
#
# If embeddings lose directions, why do contrastive networks work at all? Because the embedding is thrown away: what is used afterwards is the
# *representation*, the backbone's output before the projector.
#
# **Predict.** In which of the two layers is a larger *share* of the directions alive?

# %%
here = lab.start("09-layers")
from contrastive_lab.training.observe import at_rest, embed, represent

layers = {}
for arm, run in here.runs.items():
    with at_rest(run.method):
        z, h = embed(run.method, here.test_images), represent(run.method, here.test_images)
    ranks = {"PR z": measures.participation_ratio(z), "PR h": measures.participation_ratio(h)}
    shares = {"share z": ranks["PR z"] / z.shape[1], "share h": ranks["PR h"] / h.shape[1]}
    rankmes = {"RankMe z": measures.rankme(z), "RankMe h": measures.rankme(h)}
    layers[arm] = [{**ranks, **shares, **rankmes, "kNN": run.last("knn")}]
print(f"z: embedding of {z.shape[1]} dimensions, h: representation of {h.shape[1]}; clean test images")
lab.table(layers, list(layers["alignment only"][0]))

# %% [markdown]
# The two layers tell different stories, so a rank without its layer is half a number. In particular, look at *alignment only*: the embedding has no
# spread left, while the representation of the same network still differs from image to image (the next cell says by how much), if along few directions.
# And compare the two *shares* before you repeat that "the projector collapses and the backbone does not": in short runs like these it need not hold.
#
# (Backbone features end in a ReLU, so they are never negative and their mean is large, which an uncentred number such as RankMe counts as a direction.)

# %%
for arm, run in here.runs.items():
    with at_rest(run.method):
        h = represent(run.method, here.test_images)
    centre, deviation = h.mean(dim=0).norm(), (h - h.mean(dim=0)).norm(dim=1).mean()
    print(f"{arm:18s} length of the mean {centre:6.2f}, typical distance from it {deviation:6.2f}")

# %% [markdown]
# ## 7 · Break it: how long can a rank look healthy?
#
# A last experiment with the blind spot (question 2). Take the healthy embeddings and pull all of them towards one point of the sphere: a part $c$ of the own
# vector, $1-c$ of the common one, back on the sphere. **Predict** which of the columns change.

# %%
import torch.nn.functional as F

from contrastive_lab.training.observe import at_rest, embed

here = lab.start("09-break")
run = here.runs["SimCLR, τ = 0.2"]
with at_rest(run.method):
    z = embed(run.method, here.test_images).double()
direction = F.normalize(z.mean(dim=0), dim=0)
for c in (1.0, 0.3, 0.1, 0.01):
    shrunk = F.normalize((1 - c) * direction + c * z, dim=1)
    pr, rank = measures.participation_ratio(shrunk), measures.rankme(shrunk)
    size, even = measures.embedding_std(shrunk) * math.sqrt(z.shape[1]), measures.uniformity(shrunk)
    print(f"c = {c:4}: PR {pr:5.1f}, RankMe {rank:5.1f}, std·√D {size:.3f}, uniformity {even:.4f}")

# %% [markdown]
# <details><summary>What happened</summary>
#
# The participation ratio stays about where it was, down to a cloud of a hundredth of the size. RankMe falls, but not because it sees the shrinking: it is
# uncentred, and the common mean takes over. Uniformity and the standard deviation follow the size of the cloud.
#
# </details>
#
# ## 8 · Two questions
#
# **A.** Somebody reports RankMe 310 for a new method and 280 for SimCLR, both with $D=2048$, measured on 2,000 images. What do you ask?
#
# <details><summary>Answer</summary>
#
# With $N<D$ no rank can exceed $N$, and all of them are far too low: $N\ge4D$ would be more than 8,000 images. Then: which layer, centred or not, the
# same images for both? And RankMe was made to compare runs of *one* method; ask for the accuracy as well.
#
# </details>
#
# **B.** In the linear network, noise acts on coordinates 9 to 16. You rotate the data by a random rotation before it enters, and the noise with it.
# What changes in the singular values?
#
# <details><summary>Answer</summary>
#
# Nothing to speak of. The first matrix can undo any rotation, and singular values do not see it: the network loses eight *directions*, whichever they
# are. That is why one looks at the spectrum of the covariance and not at the variance of the single coordinates.
#
# </details>
#
# ## To read
#
# * Jing, Vincent, LeCun, Tian: *Understanding Dimensional Collapse in Contrastive Self-supervised Learning* (2022), arXiv:2110.09348: both reasons of section 5.
# * Garrido, Balestriero, Najman, LeCun: *RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their Rank* (2023),
#   arXiv:2210.02885.
# * Rudman, Gillman, Rayne, Eickhoff: *IsoScore: Measuring the Uniformity of Embedding Space Utilization* (2022), arXiv:2108.07344.
# * Chen, He: *Exploring Simple Siamese Representation Learning* (2021), arXiv:2011.10566: the standard deviation as an alarm.
# * Arora, Cohen, Hu, Luo: *Implicit Regularization in Deep Matrix Factorization* (2019), arXiv:1905.13655: the speed of a direction in a product.
# * Hill: *Diversity and Evenness: A Unifying Notation and Its Consequences* (1973), doi:10.2307/1934352: the dial.
#
# **Next:** notebook 10 measures another empty place on the sphere, the one between pictures and words.

# %% expect=["your numbers equal the package's: True", "all identities hold: True", "isotropic points stay at the ceiling: True", "strong noise kills half of the directions: True", "arms trained: 4"]
# NBVAL_CHECK_OUTPUT
agree = math.isclose(ours, theirs, rel_tol=1e-6) and math.isclose(float(rankme(isotropic)), measures.rankme(isotropic), rel_tol=1e-3)
print("your numbers equal the package's:", agree)
print("all identities hold:", all(same.values()))
print("isotropic points stay at the ceiling:", close)
print("strong noise kills half of the directions:", bool((noisy["noise 4"][-1][8:] < 0.01).all()))
print("arms trained:", len(here.runs))
