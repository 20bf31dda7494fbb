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
# **Time.** The cell with the imports says what running everything costs on which machine. Working through it takes about 90 minutes.
# After that cell you can start at any section: its first line, `lab.start(...)`, prepares what it needs.

# %%
import itertools
from functools import partial

import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from scipy.stats import t as student
from torch import Tensor

from contrastive_lab import exercises, explorables, figures, lab, measures, methods

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
# A program of this repository (`benchmarks/methods.py`) trained the methods that learn from single scenes, with several seeds and each with its own recipe.
# A scene has one object, and the class is the object's **colour** (guessing finds one in eight). The network is small, the number of epochs equal, the last
# epoch counts. Every number stands beside its standard deviation over the seeds.
#
# **Predict.** The untrained network is one of the rows. How far above it do you expect the best one in kNN accuracy, and can a method be *below* it?

# %%
here = lab.start("12-table")
some = here.kept["simclr/0"]
settings, images = some["settings"], some["data"]
print(f"{settings['network']} of width {settings['width']}, {settings['epochs']} epochs of {images['train']:,} scenes")
print("seeds:", {name: len(several) for name, several in here.rows.items()})

# %%
titles = {"knn": "kNN colour", "linear": "linear colour", "linear_shape": "linear shape"}
lab.table(here.rows, titles | {"rankme": "RankMe"})

# %% [markdown]
# Read it twice.
#
# * **Down a column**: every method ought to beat the untrained network. Does each do so in kNN? In the linear probe?
# * **Across a row**: kNN asks whether the *nearest* images share the colour. The linear probe asks whether colour *can be read off* at all. A network may know
#   the colour very well and still order the scenes by something else, such as the background, which covers far more pixels.
#
# Hydra was given labels to form its pairs. Its row shows what a method with labels reaches, and it is no fair rival of the others.
#
# <details><summary>Why is shape so much harder than colour for all of them?</summary>
#
# (Guessing a shape finds one in six.) An object covers a few per cent of the image, and two crops of a scene agree on its colour and background whatever
# its outline is. A loss asks for whatever tells images apart *cheaply*. Whether that is the whole reason, the table can't say.
#
# </details>

# %% [markdown]
# **Photographs.** The same program on CIFAR-10 (ten classes of real photographs) with a larger network on a GPU, over several seeds.
# **Predict**: does the order of the methods stay as it is on scenes?

# %%
from contrastive_lab.lab.sections.n12 import by_method

photographs = by_method(lab.results.read("methods-cifar10"))
lab.table(photographs, {"knn": "kNN class", "linear": "linear class", "uniformity_of_floor": "uniformity / floor", "rankme": "RankMe"})
both = [name for name in photographs if name in here.rows and name != "untrained"]
means = [[sum(row["knn"] for row in rows[name]) / len(rows[name]) for name in both] for rows in (here.rows, photographs)]
print(f"rank correlation of mean kNN on scenes and on photographs over {len(both)} methods: {spearmanr(*means).statistic:.2f}")

# %% [markdown]
# <details><summary>What to read in it</summary>
#
# Near 1, the order carries over; near 0, one data set says nothing about the other. Over so few methods even 0.5 is easily luck, and each method has one
# recipe for each data set, which nobody tuned at equal effort.
#
# Ask less of the tables, too: does every trained method stand above the untrained network? In these runs one hardly does on photographs: PixPro, whose pooled
# features are close to a single point (*uniformity / floor*: 0 is one point, 1 as even as can be). Its loss asks cells to agree, without negatives, and the
# epochs are few; on scenes, and judged by cells (notebook 06), it looks different. SwAV is low on both. That is what these recipes give at this scale, not a
# ranking of papers.
#
# </details>
#
# ### At full size
#
# Few epochs, few images and a slim network are a long way from a published table. Some of the methods were also trained at the size that such a table has: the
# full width, all of CIFAR-10, many more epochs. (The table says how many seeds.) Some have other settings than their recipe:
#
# * *simclr-t0.1* and *simclr-t0.2*: another temperature
# * *moco-symmetric*: MoCo with each view once as query and once as key, and two more changes that make it lightly's
# * *swav-multicrop*: SwAV with four small crops besides; *swav-b512*: with batches of 512
# * *supcon*: Hydra's program with an open gate and pairs of one class only; like Hydra it uses all labels
#
# **Predict.** Does the curve of kNN level off in the second half of the training? Where does our SimCLR end: on the number that others published for it,
# points away, or tenths away? And which gives SimCLR more, another temperature or another loss?

# %%
from contrastive_lab.lab.full_size import temperature_of

large, theirs = lab.at_full_size(), lab.results.read("published")["knn_200_epochs"]
one = large["simclr"][0]
print(f"{one['settings']['network']} of width {one['settings']['width']}, {one['data']['train']:,} images, {one['settings']['epochs']} epochs")
for name, (run, *_) in large.items():
    heat = temperature_of(run["settings"])
    print(f"{name}: batch {run['settings']['batch_size']}, {'weights of its own' if heat is None else f'temperature {heat}'}")
drawn = ("cacr", "simclr-t0.2", "swav-multicrop", "dcl", "moco-symmetric", "simclr", "swav", "moco")
curves = {name: [values[1:] for values in large[name][0]["history"]["knn"]] for name in drawn}  # from the tenth epoch on
level = max(theirs["rows"]["simclr"]) / 100
figure = figures.training_curve(curves, measure="kNN, class", limit=level, limit_name="SimCLR as published", height=400)
lab.show(
    lab.distinct(figure),
    alt="kNN accuracy of eight runs without labels over the epochs: all rise fast at first and slowly until close to the end. SwAV with small crops "
    "leads from epoch 30 to 150 and levels off. It, CACR and SimCLR at temperature 0.2 end highest, DCL and MoCo in both directions just below, all above the "
    "dashed line of SimCLR's published value; SimCLR ends just below the line, SwAV and MoCo points below it.",
)

# %%
print(f"theirs: {theirs['what']}\n{theirs['source']}\n")
rows, titles = {}, [f"theirs, {column}" for column in theirs["columns"]]
for name, several in large.items():
    values = theirs["rows"].get(several[0]["settings"]["method"])
    published = dict(zip(titles, values, strict=True)) if values else {}
    for run in several:
        measured = run["measured"]
        ours = {"last": measured["knn"], "best": max(run["history"]["knn"][1]), "their vote": measured["knn_t10"]}
        ours |= {"linear": measured["linear"], "± test images": (ours["last"] * (1 - ours["last"]) / run["data"]["test"]) ** 0.5}
        ours = {f"ours, {title}": 100 * value for title, value in ours.items()}
        rows.setdefault(f"{name}, seeds: {len(several)}", []).append(ours | published)
lab.table(rows, [*ours, *titles], digits=1)

# %% [markdown]
# <details><summary>What so few runs can say</summary>
#
# *The curves*: most climb until the learning rate is nearly zero. SwAV with small crops climbs early and gains little after epoch 130. So who leads depends on
# when one looks, and a short run is not a small picture of a long one; keep that in mind with the other tables of this notebook.
#
# *SimCLR* at 0.5 ends within a few tenths of the published numbers, which are at 0.5, too; at 0.2 it ends two points above them. *DCL* ends about two points
# above its own published numbers. The protocols differ: theirs is the best epoch, ours the last
# (which explains little here, compare *last* with *best*); their batches are smaller and larger than ours; and the votes of the neighbours have a
# temperature, too. *Their vote* counts our neighbours with theirs, and DCL loses about half a point. For DCL a detail that few captions mention is worth
# more than SimCLR's whole distance from its published number.
#
# Can these runs settle a few tenths? Draw other test images, and the accuracy of the very same network moves by the column *± test images*; train with another
# seed, and it moves again, by the deviations of the rows with several seeds. So SimCLR at 0.5 agrees with the published number as far as such runs can tell. They
# are no proof that it is lower, nor that it is equal.
#
# *Temperature or loss?* DCL's lead over SimCLR at 0.5 is several times what another seed or other test images change. At DCL's temperature (*simclr-t0.1*) SimCLR is
# worse still, so there the loss makes the difference. But at 0.2 SimCLR ends level with DCL or a little above it (two seeds, and the best of three temperatures,
# picked on these test images, where DCL had one). So one number of the recipe is worth about as much as the other loss with *its* temperature; notebook 02 follows
# the four over the epochs. In the published table DCL stands *below* SimCLR. If each method has one temperature, a table ranks temperatures as much as methods.
#
# *Linear probe.* It sees no lead of DCL over SimCLR at 0.5: DCL changes which images are neighbours, not what a linear classifier can read. Its best rows without labels are
# CACR and SwAV with small crops, the two that take more views of each image than two. At equal epochs they have also done more work.
#
# *MoCo* ends points below its published number, and *moco-symmetric* above it. That one has the choices behind the published number: both directions, another
# temperature, another rate (but a queue of 4,096, where their larger batches had 8,192). So the distance was rather the recipe's than the code's. It costs twice
# the work: "equal epochs" is not yet "equal".
#
# *SwAV* with two crops lies between its two published numbers, which differ by points; a larger batch gives ours next to nothing (docs/results.md says what else
# differs). With small crops, which the published run lacks, it ends above both.
#
# *MoCHi* ends with MoCo. *Hydra* and *supcon* have labels, and points more than the best of the rest: nobody else was told what to find alike. Most rows here have one
# seed: ignore differences of tenths.
#
# </details>
#
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
# How many standard errors make a difference *clear*? **Predict**: two methods that do not differ at all are trained with 2, 3, 5 or 10 seeds. In how many of
# such comparisons does the mean difference exceed one standard error? Two?
#
# With few seeds the standard error is itself guessed from a few numbers, and is often far too small by luck. **Student's interval** pays for that: it allows more
# standard errors the fewer seeds there are, so that nothing-at-all is taken for something in 5 % of cases, whatever the number of seeds.

# %%
here = lab.start("12-seeds")
luck = torch.Generator().manual_seed(0)
for seeds in (2, 3, 5, 10):
    nothing = torch.randn(20_000, seeds, generator=luck)  # differences around zero
    away = nothing.mean(dim=1).abs() / (nothing.std(dim=1) / seeds**0.5)
    limits = {"one error": 1.0, "two errors": 2.0, "Student's": student.ppf(0.975, seeds - 1)}
    found = [f"{name} ({limit:.1f}) {(away > limit).float().mean():4.0%}" for name, limit in limits.items()]
    print(f"{seeds:2d} seeds, decided by luck alone: {', '.join(found)}")

# %% [markdown]
# One standard error decides about nothing far too often, and with few seeds even two do. The price of Student's limit is patience: with two seeds a
# difference must be enormous, and with one (question 2) there is no error to compare with at all. The cure is more seeds, not a softer rule.
#
# Now the tables of section 1. **Predict** how many of the methods differ clearly from SimCLR, on scenes and on photographs.

# %%
from contrastive_lab.lab.sections.n12 import by_method

paired_difference = exercises.get("paired_difference").or_solution(paired_difference)
for place, rows in {"scenes": here.rows, "photographs": by_method(lab.results.read("methods-cifar10"))}.items():
    scores = {name: {row["settings"]["seed"]: row["knn"] for row in several} for name, several in rows.items()}
    print(f"kNN on {place}, minus SimCLR's")
    for name in (name for name in scores if name != "simclr"):
        seeds = sorted(scores[name].keys() & scores["simclr"].keys())
        mean, error = paired_difference(*(torch.tensor([scores[one][seed] for seed in seeds]) for one in (name, "simclr"))).tolist()
        errors, limit = abs(mean) / error, student.ppf(0.975, len(seeds) - 1)
        word = "clear" if errors > limit else "not clear"
        print(f"  {name:12s}{mean:+.3f}, {errors:5.1f} standard errors, {limit:4.1f} needed with {len(seeds)} seeds: {word}")

# %% [markdown]
# In these runs the same rule says *clear* everywhere on photographs and rarely on scenes, although differences on scenes look as large: there the seed
# decides much (compare the deviations in section 1), and what you can tell apart depends on that as much as on the methods. And *clear* speaks about
# these recipes at this length: that SimCLR is ahead of MoCo or SwAV after few epochs says nothing about after a thousand.
#
# The package attaches a verdict by that rule: *confirmed* or *refuted* when Student's 95 % interval of the seed-by-seed differences leaves out zero (with at least
# three seeds), otherwise *undecided at this scale*. So much for one question. Who compares ten methods with SimCLR has ten chances to be lucky, and of twenty
# questions about nothing one is decided all the same. The claims of all seven papers were put to the rule; each notebook shows its own, and here is the count.
#
# **Predict**: more confirmed, undecided or refuted? Are the claims of one paper independent of each other? And what is left of DCL's lead over SimCLR, the first
# line, if SimCLR gets DCL's temperature, the second?

# %%
from contrastive_lab.experiments import compare

control = {key: row for key, row in lab.results.read("methods-cifar10").items() if key.startswith("simclr-t0.1/")}
control = {row["settings"]["seed"]: row["knn"] for row in control.values()}
print(compare("on photographs DCL's neighbours share the class more often than SimCLR's", scores["dcl"], scores["simclr"]))
print(compare("the same with SimCLR at DCL's temperature", scores["dcl"], control), "\n")
every = []
for name, entry in lab.results.read("claims-verdicts")["claims"].items():
    if name == "moco":
        continue  # a question of our own (notebook 04)
    outcomes = [verdict["outcome"] for verdict in entry["verdicts"]]
    every += outcomes
    print(f"{entry['title']}: {', '.join(f'{outcomes.count(one)} {one}' for one in dict.fromkeys(outcomes))}")
print(f"\nin all {len(every)}: {', '.join(f'{every.count(one)} {one}' for one in ('confirmed', 'undecided', 'refuted'))}")

# %% [markdown]
# The first verdict is about two *recipes*, the second about two *losses*: a clear difference doesn't say what made it, and at one temperature these short runs leave it
# open. (Two long runs of SimCLR at 0.1, in a wider network, point to the loss; but at a third temperature SimCLR draws level with DCL, or passes it. See notebook 02.)
#
# Don't make a percentage of these counts. Lines of one paper share arms, so they stand or fall together; some ask for a mechanism (does the term do what it
# is built to do?), which is easily confirmed, others for an advantage in accuracy, which small runs can rarely show. *Undecided* is not *no*: the interval
# holds zero, and often also differences that would matter. And a refuted line refutes *our miniature*: SwAV's queue (05), Hydra's open gate (08) and PixPro's
# maps (06, 11) have lines that went against the paper in these runs, each with a reason to look for. Most papers speak of long runs on large images.
#
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
#
# ## 3 · The runs themselves
#
# One run of each of these methods on scenes travels with the package, and one on CIFAR-10 (all of its photographs, many more epochs, a slim ResNet;
# there *supcon* besides, Hydra's program with pairs of one class only):
# weights, numbers over the epochs, and the way of 500 test images through the plane. A run has a card that says how it was made and how to make it again.
# (Its minutes are those of a card that many runs shared.) The photographs themselves are not needed to read it.

# %%
here = lab.start("12-runs")
print(here.photographs["simclr"])
titles = {key: key for key in ("knn", "linear", "alignment", "uniformity", "rankme")}
for what, runs in {"scenes, the class is the colour": here.runs, "photographs of CIFAR-10": here.photographs}.items():
    print(f"\n{what}:")
    lab.table({name: [run.card["measured"]] for name, run in runs.items()}, titles)

# %% [markdown]
# **The plane of the two forces.** All runs start in the upper left corner: twins together, and everybody else too. Where do they go? Which one takes the
# longest way, which one stays in a cone? First on scenes, then on photographs.

# %%
here = lab.start("12-plane")


def plane(runs, what):
    paths = {name: figures.Track(*run.column("alignment"), run.column("uniformity")[1]) for name, run in runs.items()}
    lab.show(
        figures.align_uniform_plane(paths, floor=measures.uniformity_floor(128)),
        alt=f"The plane of alignment and uniformity on {what} with one path for each method, from the upper "
        "left corner, where all images coincide, to the right and down.",
    )
    return paths


paths = plane(here.runs, "scenes")

# %%
_ = plane(here.photographs, "photographs of CIFAR-10")

# %% [markdown]
# **Question 3 again.** The method of the best uniformity, and the method of the best accuracy (without Hydra and SupCon, which have labels):

# %%
for what, runs in {"scenes": here.runs, "photographs": here.photographs}.items():
    measured = {name: run.card["measured"] for name, run in runs.items() if name not in ("untrained", "hydra", "supcon")}
    most_even = min(measured, key=lambda name: measured[name]["uniformity"])
    most_accurate = max(measured, key=lambda name: measured[name]["knn"])
    print(f"{what}: most even {most_even}, most accurate neighbours {most_accurate};", end=" ")
    columns = [[numbers[key] for numbers in measured.values()] for key in ("uniformity", "knn")]
    print(f"rank correlation of evenness and accuracy over {len(measured)} methods: {-spearmanr(*columns).statistic:.2f}")

# %% [markdown]
# <details><summary>What the plane can't say</summary>
#
# Methods that never compare whole images in this space (SwAV compares with prototypes, PixPro cells with cells) are measured here on something they did not
# optimise. A point further down is a more even cloud, not a better network: a correlation over one run of each of a handful of methods is no law, and
# notebook 01 has a loss that makes the most even cloud of all and learns nothing.
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
# 2. Which run takes longest until its spread lamp turns green?
# 3. Is there a run whose kNN lamp is green although its RankMe lamp warns or is red? (A lamp of kNN compares with the untrained network.)
# 4. Write `here.photographs` for `here.runs` in the first line: long runs on photographs. Which lamps tell another story?
#
# The next cell reads the same lamps.

# %%
from contrastive_lab.explorables.vitals import state_at

signs = explorables.VitalSigns(strips).strips
begin, last = state_at(signs, epoch=0), state_at(signs, epoch=max(signs[0].epochs))
for strip in signs:
    red = [key for key in strip.lights if begin[strip.label][key]["light"] == "ill"]
    opened = next((epoch for epoch, light in zip(strip.epochs, strip.lights["std"], strict=True) if light == "good"), "never")
    end = {key: last[strip.label][key]["light"] for key in ("rankme", "knn")}
    print(f"{strip.label:7s} red at epoch 0: {', '.join(red)}; spread green from epoch: {opened}; at the end: {end}")

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
#
# **Do they agree?** Two networks agree on a scene if they choose the same neighbours for it. Take the ten nearest of each scene in both spaces and count how
# many they share.
#
# **Predict** (question 1) how many of ten two methods share, and which pair agrees most.

# %%
def neighbours(z: Tensor, k: int = 10) -> Tensor:
    similarity = z @ z.T
    return similarity.fill_diagonal_(-2).topk(k, dim=1).indices


names = list(embeddings)
near = {name: neighbours(F.normalize(z, dim=1)) for name, z in embeddings.items()}
shared = [[(near[a][:, :, None] == near[b][:, None]).any(2).float().mean().item() for b in names] for a in names]

# %%
figure = figures.new_figure(height=440)
look = {"colorscale": "Viridis", "texttemplate": "%{z:.2f}", "colorbar": {"title": "share"}}
figure.add_heatmap(z=shared, x=names, y=names, zmin=0, zmax=1, **look)
figure.update_xaxes(figures.axis("", showgrid=False))
figure.update_yaxes(figures.axis("", showgrid=False, autorange="reversed"))
lab.show(
    figure,
    alt="A square table of colours: for each pair of methods the share of a scene's ten nearest "
    "neighbours on which both agree.",
)

# %%
pairs = sorted((shared[i][j], names[i], names[j]) for i, j in itertools.combinations(range(len(names)), 2))
print("agree least:", *(f"{a} and {b} {share:.2f};" for share, a, b in pairs[:3]))
print("agree most: ", *(f"{a} and {b} {share:.2f};" for share, a, b in pairs[:-4:-1]))
print(f"two networks that choose at random would share {10 / (len(pixels) - 1):.2f}")

# %% [markdown]
# <details><summary>Families?</summary>
#
# Losses that differ in a weight only (SimCLR, DCL, DCLW), or in the negatives they add (MoCo, MoCHi), agree much more than losses that differ in what they
# compare. But read it with care: there is one run of each, and all of them began at the first weights of one seed. How far two seeds of the *same* method
# agree would be the yardstick, and these runs don't have it. "Go on" in section 7 is a place to measure it.
#
# </details>

# %% [markdown]
# ## 5 · Where is the object?
#
# The last question is about places. How well does a network's map separate the object's cells from the rest (mask AUROC, 0.5 is blind)? Masks were never shown
# to any of them. Raw colour and the untrained network are the baselines that every claim about locality has to beat (notebook 11).

# %%
from contrastive_lab.experiments.locality import scores as locality_scores
from contrastive_lab.explorables.cells import colour_map
from contrastive_lab.training.locality import map_locality

here = lab.start("12-locality")
few = here.test_images.take(slice(0, lab.profile(smoke=24, laptop=100, full=200)))
colour = locality_scores(colour_map(few, (8, 8)), few)["auroc"]
locality = {name: map_locality(run.method(), few) for name, run in here.runs.items()}
accuracy = {name: run.card["measured"]["knn"] for name, run in here.runs.items()}

# %%
figure = figures.new_figure(height=400)
for name in here.runs:
    style = figures.look(name)
    marker = {"color": style.colour, "symbol": style.symbol, "size": 13}
    figure.add_scatter(x=[accuracy[name]], y=[locality[name]], name=name, mode="markers", marker=marker)
line = {"dash": "dash", "width": 1, "color": "#7a7d82"}
figure.add_hline(y=colour, line=line, annotation_text="raw colour", annotation_position="bottom left")
figure.update_xaxes(figures.axis("kNN accuracy (colour)"))
figure.update_yaxes(figures.axis("mask AUROC of the map"))
lab.show(
    figure,
    alt="One mark for each method: kNN accuracy to the right, mask AUROC of its feature map "
    "upwards, with a dashed line at the AUROC of raw colour. The marks do not lie on one line.",
)
trained = [name for name in here.runs if name != "untrained"]
agree = spearmanr([accuracy[name] for name in trained], [locality[name] for name in trained]).statistic
print(f"rank correlation of what and where over {len(trained)} trained methods: {agree:.2f}; raw colour reaches {colour:.2f}")

# %% [markdown]
# Knowing *what* and knowing *where* are different axes: one does not order the methods like the other. (Maps of 32 pixels are too coarse, so the scenes were
# enlarged to 64 first. A world of plainly coloured things flatters raw colour.) A method is chosen for the axis that your task needs.

# %% [markdown]
# ## 6 · What does it cost?
#
# The same pass through the images costs differently: more views, a second network, dense maps. Seconds depend on the machine: each run is compared with
# SimCLR's run of the same seed, where both were made on the same machine.

# %%
here = lab.start("12-cost")
base = {row["settings"]["seed"]: row for row in here.rows["simclr"]}
for name, several in here.rows.items():
    ratios = []
    for row in several:
        rival = base[row["settings"]["seed"]]
        if all(row["environment"][key] == rival["environment"][key] for key in ("device", "cores", "threads", "torch")):
            ratios.append(row["train_seconds"] / rival["train_seconds"])
    if ratios:
        print(f"{name:12s} {sum(ratios) / len(ratios):4.1f} times SimCLR's time, batch {row['settings']['batch_size']}, over {len(ratios)} seeds")

# %% [markdown]
# <details><summary>Where the time goes</summary>
#
# A momentum twin adds forward passes without backward passes; a backward pass costs about twice its forward pass. But MoCo sends each view through one of the
# two networks only, where SimCLR sends both through the trained one. Twice the views are twice the work: CACR takes four. PixPro and PixContrast cost
# most: their network keeps maps of twice the side, four times as many cells in its last layers, and both views go through the trained network and the twin.
# The batches differ as well: a small batch means more updates for the same images, and each update has a price of its own. So MoCo's saving may not show.
# The untrained network's time is that of measuring it.
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
# | SimCLR works, but should be better | its temperature | one number can be worth as much as another loss (02, section 6) |
# | your batches must be small | DCL, MoCo | the loss or a queue takes over what the batch can't give (02, 04) |
# | some positives are worse than others | CACR | it weighs positives, not only negatives (03) |
# | comparing all pairs costs too much | SwAV | images meet prototypes, not each other (05) |
# | you need maps, not vectors | PixPro, PixContrast | cells are compared (06) |
# | two data sets differ in one thing | SepCLR | it has a place for the difference (07) |
# | you have labels of classes, and relations matter | Hydra | gates say in what two classes agree (08) |
# | you have pictures and words | CLIP | two encoders, one space, and a gap to watch (10) |
#
# The middle column says where to look first, not what will win: measure it on *your* images, with several seeds, against an untrained network.
#
# ## 9 · Two questions
#
# **A.** A colleague shows you a new loss with better uniformity than SimCLR and asks whether to use it. What do you ask back?
#
# <details><summary>Answer</summary>
#
# What its alignment is (uniformity alone can be had by pushing everything apart), whether the task's accuracy rose too, over how many seeds, and at which
# epoch it was read off. Then whether both had equally many epochs, views and tuning.
#
# </details>
#
# **B.** Two networks have the same kNN accuracy but share only a third of their neighbours. How is that possible, and what would you do with it?
#
# <details><summary>Answer</summary>
#
# Accuracy counts only whether neighbours share the class; within a class, and for the scenes both get wrong, they may order everything differently: one by
# background, one by position. Such networks make different mistakes, so voting between them, or training on one's neighbours with the other, can gain
# something.
#
# </details>
#
# ## To read
#
# * Wang, Isola: Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere (ICML 2020), arXiv:2005.10242.
# * Garrido, Balestriero, Najman, LeCun: RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their Rank (ICML 2023),
#   arXiv:2210.02885.
# * Musgrave, Belongie, Lim: A Metric Learning Reality Check (ECCV 2020), arXiv:2003.08505: what is left of published differences when all methods are tuned
#   alike.
# * Balestriero and others: A Cookbook of Self-Supervised Learning (2023), arXiv:2304.12210.

# %% expect=["own loss equals the package: True", "every run is finite: True", "paths in the plane: True"]
# NBVAL_CHECK_OUTPUT
print("own loss equals the package:", torch.allclose(two_forces(one, two), methods.alignment_loss(one, two) + halves, atol=1e-5))
print("every run is finite:", all(z.isfinite().all().item() for z in embeddings.values()))
print("paths in the plane:", len(paths) == len(embeddings) >= 2)
