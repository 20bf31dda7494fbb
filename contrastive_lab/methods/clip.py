"""CLIP needs captions: an image must find its sentence among the sentences of the batch, and a sentence its image.

Radford et al.: Learning Transferable Visual Models From Natural Language Supervision (2021), figure 3.

In `contrast` nothing changes but who meets whom: anchors are images and candidates texts, then the other way round, and no image ever
meets an image. Nothing in such a loss asks the two modalities to share a region of the sphere: notebook 10 is about what follows.

Deviations from the authors' code
* Sizes: a convolutional network and a two-layer transformer on words instead of a ResNet-50 or ViT and twelve layers on byte pairs.
* The logit scale 1 / temperature is clipped to 100 after each step, as in the authors' code; the paper says only that it is clipped.
* The image is augmented like the other methods' (the original: a random square crop of the resized image).
* One caption of each image at a time; with `caption=None` each epoch takes the next one.

`SketchCLIP` is the same without language: the second modality is another picture made of the same view (a sketch, a grey blur, shuffled
patches), seen by an encoder of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from contrastive_lab.contrast import Temperature, check_pair, check_positive, contrast, cosine_scores, unit
from contrastive_lab.gather import gather
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.networks import Backbone, TextTransformer, check_backbone
from contrastive_lab.views import Augmentation, Batch, ManyViews, Views
from contrastive_lab.views.blur import gaussian_blur

LARGEST_SCALE = 100.0


def clip_loss(
    images: Float[Tensor, "N D"],
    texts: Float[Tensor, "N D"],
    *,
    temperature: Temperature = 0.07,
    positives: Bool[Tensor, "N N"] | None = None,
) -> Float[Tensor, ""]:
    """Mean of two cross-entropies: image i must pick text i among the N texts, text i must pick image i among the N images.

    Never negative; log N when nothing can be told apart. Rows are normalised inside; a tensor as temperature gets a gradient.
    positives: further pairs (image, text) that belong together, True on the diagonal; each anchor averages over its positives. Where
        texts are merely repeated this changes nothing: pulls and pushes of copies cancel, since they have one and the same vector.
    """
    check_pair(images, texts, names=("images", "texts"))
    check_positive(temperature=temperature)
    own = torch.eye(len(images), dtype=torch.bool, device=images.device) if positives is None else positives
    if own.shape != (len(images), len(images)) or own.dtype != torch.bool:
        raise ValueError(
            f"positives has shape {tuple(own.shape)} and dtype {own.dtype}, but must be {len(images)} x {len(images)} booleans"
        )
    scores = cosine_scores(images, texts, temperature=1.0) / temperature
    return (contrast(scores, own) + contrast(scores.T, own.T)) / 2


def sketch(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
    """Edges of the brightness: Sobel's horizontal and vertical derivative and their length; flat areas are 0, colour is gone."""
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=images.dtype).to(images.device) / 4
    grey = F.pad(images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    slopes = F.conv2d(grey, torch.stack([across, across.T])[:, None])
    return torch.cat([slopes, slopes.square().sum(dim=1, keepdim=True).add(1e-8).sqrt()], dim=1)


def grey_blur(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
    """Brightness alone, blurred by a sixteenth of the side: colour and edges are gone, places and sizes stay."""
    grey = images.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    width = images.shape[-1] / 16
    return gaussian_blur(grey, torch.full((len(images),), width, device=images.device), 2 * math.ceil(2 * width) + 1)


def shuffled_patches(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 3 H W"]:
    """Sixteen patches in another order, the same one for all images: every pixel is there, places and shapes are gone."""
    height, width = images.shape[-2:]
    if height % 4 or width % 4:
        raise ValueError(f"images are {height} x {width} pixels, but must be divisible by 4 to be cut into 4 x 4 patches")
    patches = images.reshape(-1, 3, 4, height // 4, 4, width // 4).movedim((2, 4), (0, 1)).flatten(0, 1)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0)).to(images.device)
    mixed = patches[order].reshape(4, 4, *patches.shape[1:])
    return mixed.movedim((0, 1), (2, 4)).reshape(images.shape)


PARTNERS: dict[str, Callable[[Tensor], Tensor]] = {"sketch": sketch, "blur": grey_blur, "shuffle": shuffled_patches}
"""What `SketchCLIP` can make of a view as its second modality."""


class CLIP(Method):
    """Needs captions. An image and a text encoder, each with one linear map into the shared space, and a temperature that is learnt."""

    name = "clip"
    title = "CLIP"
    paper = "Radford et al. 2021, arXiv 2103.00020"
    needs = frozenset({"captions"})

    other: Any
    log_scale: Float[Tensor, ""]

    def __init__(
        self,
        backbone: Backbone,
        other: TextTransformer | Backbone,
        *,
        out_dim: int = 128,
        temperature: float = 0.07,
        learn_temperature: bool = True,
        caption: int | None = 0,
    ) -> None:
        super().__init__()
        check_backbone(backbone=backbone, other=other)
        check_positive(temperature=temperature)
        if 1 / temperature > LARGEST_SCALE * (1 + 1e-6):
            raise ValueError(
                f"temperature is {temperature}, but must be at least {1 / LARGEST_SCALE:g}: the scale is clipped to {LARGEST_SCALE:g}"
            )
        self.encoder, self.other = backbone, other
        self.image_head = nn.Linear(backbone.dim, out_dim, bias=False)
        self.other_head = nn.Linear(other.dim, out_dim, bias=False)
        for head in (self.image_head, self.other_head):
            nn.init.normal_(head.weight, std=head.in_features**-0.5)
        # A logarithm, so that a step multiplies the scale instead of adding to it.
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learn_temperature)
        self.caption = caption

    @classmethod
    def build(
        cls,
        make_backbone: MakeBackbone,
        *,
        text_width: int = 128,
        layers: int = 2,
        heads: int = 4,
        buckets: int = 2304,
        length: int = 32,
        **options: Any,
    ) -> Method:
        return cls(
            make_backbone(), TextTransformer(width=text_width, layers=layers, heads=heads, buckets=buckets, length=length), **options
        )

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Scenes: short captions, which fit 20 tokens, and views without mirror and jitter, since captions name colours and places.

        Photographs: all captions in turn, mild crops.
        """
        if data == "scenes":
            still = {"scale": (0.8, 1.0), "flip": 0.0, "jitter_p": 0.0, "grey": 0.0}
            small = {"text_width": 64, "length": 20}
            return Recipe(optimizer="adamw", lr=2e-3, weight_decay=1e-2, warmup_epochs=1, options=small, augmentation=still)
        mild = {"scale": (0.5, 1.0), "jitter_p": 0.0, "grey": 0.0, "blur": 0.0}
        options = {"caption": None, "buckets": 16384}
        return Recipe(optimizer="adamw", lr=1e-3, weight_decay=1e-1, warmup_epochs=2, options=options, augmentation=mild)

    @property
    def temperature(self) -> float:
        """The present temperature; waits for the device."""
        return math.exp(-float(self.log_scale.detach()))

    def make_views(self, augmentation: Augmentation) -> Views:
        return ManyViews(augmentation, 1)

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        representation = self.encoder(images)
        return representation, self.image_head(representation)

    def embed_texts(self, captions: Sequence[str]) -> Float[Tensor, "N E"]:
        """Unit vectors of sentences, in the space in which the loss compares them with images."""
        return unit(self.other_head(self.other(self.other.tokenize(captions))))

    def step(self, batch: Batch) -> Step:
        images, partners = (gather(rows) for rows in self.pair(batch))
        loss = clip_loss(images, partners, temperature=self.log_scale.neg().exp())
        blocks = torch.stack([unit(images), unit(partners)]).detach()
        return Step(loss, blocks, self.diagnose(*blocks))

    def pair(self, batch: Batch) -> tuple[Float[Tensor, "N E"], Float[Tensor, "N E"]]:
        """Projected images and their projected partners."""
        if batch.captions is None:
            raise ValueError("captions are missing: CLIP compares images with sentences; train on scenes or flickr8k")
        tokens = self.other.tokenize(self.choose(batch))
        return self(batch.views[0])[1], self.other_head(self.other(tokens))

    def choose(self, batch: Batch) -> list[str]:
        """One caption for each image: always the same one, or the next one in each epoch, so that a resumed run chooses alike."""
        assert batch.captions is not None
        if self.caption is not None:
            return [several[self.caption] for several in batch.captions]
        turn = int(self.progress.epoch)
        return [several[turn % len(several)] for several in batch.captions]

    def after_update(self, progress: Progress) -> None:
        super().after_update(progress)
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(LARGEST_SCALE))

    def diagnose(self, images: Float[Tensor, "N E"], partners: Float[Tensor, "N E"]) -> dict[str, Tensor]:
        """The temperature, the distance of the two centroids, and how often an image's own partner is its nearest one in the batch."""
        nearest = (images @ partners.T).argmax(dim=1)
        return {
            "temperature": self.log_scale.detach().neg().exp(),
            "gap": (images.mean(dim=0) - partners.mean(dim=0)).norm(),
            "partners found": (nearest == torch.arange(len(images), device=images.device)).float().mean(),
        }


class SketchCLIP(CLIP):
    """CLIP's loss between colour images and sketches of them, each with an encoder of its own; no captions needed.

    partner: one of `PARTNERS`, for another second modality than the sketch.
    """

    name = "clip-sketch"
    title = "CLIP, sketch"
    needs = frozenset()

    def __init__(self, backbone: Backbone, other: Backbone, *, partner: str = "sketch", **options: Any) -> None:
        if partner not in PARTNERS:
            raise ValueError(f"partner is {partner!r}, but must be one of {', '.join(map(repr, PARTNERS))}")
        super().__init__(backbone, other, **options)
        self.partner = partner

    @classmethod
    def build(cls, make_backbone: MakeBackbone, **options: Any) -> Method:
        return cls(make_backbone(), make_backbone(), **options)

    def embed_partners(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, "N E"]:
        """Unit vectors of the second modality of images."""
        return unit(self.other_head(self.other(PARTNERS[self.partner](images))))

    def pair(self, batch: Batch) -> tuple[Float[Tensor, "N E"], Float[Tensor, "N E"]]:
        view = batch.views[0]
        return self(view)[1], self.other_head(self.other(PARTNERS[self.partner](view)))
