"""Sentences to vectors: a tokenizer without a vocabulary file, and a transformer small enough for two cores."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

PAD, START, END = 0, 1, 2
WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|[^\w\s]")


def tokenize(captions: Sequence[str], *, buckets: int = 2304, length: int = 32) -> Int64[Tensor, "N L"]:
    """Token numbers of lower-cased words and punctuation between START and END, filled up with PAD to `length`; longer ones are cut.

    A word's number is a checksum of its letters modulo `buckets`, so nothing has to be learnt from captions or kept beside the weights;
    two words may share a number. With 2304 buckets no two words of the embedded world do; for photographs' captions take 16384.
    """
    if length < 3 or buckets < 4:
        raise ValueError(f"length is {length} and buckets is {buckets}, but must be at least 3 (start, a word, end) and 4")
    rows = []
    for caption in captions:
        words = WORD.findall(caption.lower())[: length - 2]
        numbers = [START, *(END + 1 + zlib.crc32(word.encode()) % (buckets - END - 1) for word in words), END]
        rows.append(numbers + [PAD] * (length - len(numbers)))
    return torch.tensor(rows, dtype=torch.int64).view(len(rows), length)


class TextTransformer(nn.Module):
    """A causal transformer over tokens (CLIP, section 2.4); the last layer's vector at END is the sentence, `dim` = `width` wide.

    Causal attention needs no mask for the padding: END comes before it and sees only what is to its left.
    """

    def __init__(self, *, width: int = 128, layers: int = 2, heads: int = 4, buckets: int = 2304, length: int = 32) -> None:
        super().__init__()
        for name, value in (("width", width), ("layers", layers), ("heads", heads)):
            if value < 1:
                raise ValueError(f"{name} is {value}, but must be at least 1")
        if width % heads:
            raise ValueError(f"width is {width}, but must be a multiple of heads={heads}: each head takes an equal part")
        tokenize([""], buckets=buckets, length=length)  # raises for sizes that can't be
        self.dim, self.buckets, self.length = width, buckets, length
        self.tokens = nn.Embedding(buckets, width)
        self.positions = nn.Parameter(0.01 * torch.randn(length, width))
        self.blocks = nn.Sequential(*(_Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.tokens.weight, std=0.02)

    def tokenize(self, captions: Sequence[str]) -> Int64[Tensor, "N L"]:
        """Tokens of captions on the device of the weights."""
        tokens = tokenize(captions, buckets=self.buckets, length=self.length)
        return tokens.to(self.positions.device, non_blocking=True)

    def forward(self, tokens: Int64[Tensor, "N L"]) -> Float[Tensor, "N D"]:
        hidden = self.norm(self.blocks(self.tokens(tokens) + self.positions))
        end = (tokens == END).int().argmax(dim=1)
        return hidden.gather(1, end.view(-1, 1, 1).expand(-1, 1, self.dim))[:, 0]


class _Block(nn.Module):
    """Attention, then a two-layer network, each on normalised input and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Float[Tensor, "N L D"]) -> Float[Tensor, "N L D"]:
        n, length, width = x.shape
        q, k, v = self.attend(self.norm1(x)).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.join(seen.transpose(1, 2).reshape(n, length, width))
        return x + self.think(self.norm2(x))
