"""Every architecture, one small class each, built from its spec and an image shape; and one-call uses of any."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoencoders import config, corruption
from autoencoders.errors import InputError

Shape = tuple[int, int, int]  # channels, height, width
Terms = dict[str, Tensor]  # "loss" is minimised; the others, "error" among them, are reported beside it
M = TypeVar("M", bound="Autoencoder")


class Autoencoder(nn.Module):
    """Images in [0, 1] to a latent and back; by default it learns by the mean squared error to the clean image."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape

    def encode(self, images: Tensor) -> Tensor:
        """The latent: a vector [N, D] or a map [N, C, h, w]."""
        raise NotImplementedError

    def feature_map(self, images: Tensor) -> Tensor:
        """The encoder's last spatial map [N, C, h, w]; the latent itself where that is a map."""
        return self.encode(images)

    def decode(self, latent: Tensor) -> Tensor:
        """Images from latents; values may leave [0, 1] a little."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """The reconstruction."""
        return self.decode(self.encode(images))

    def losses(self, clean: Tensor, noisy: Tensor, generator: torch.Generator, kl_weight: float = 1.0) -> Terms:
        """The loss and its terms, in fp32 whatever the forward pass ran in."""
        error = F.mse_loss(self(noisy).float(), clean)
        return {"loss": error, "error": error}


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def _centred(images: Tensor) -> Tensor:
    """[0, 1] to [-1, 1]: a network learns faster on inputs around zero."""
    return images * 2 - 1


def _uncentred(output: Tensor) -> Tensor:
    """Back from [-1, 1], in fp32: bf16 has too few digits for a picture."""
    return output.float() * 0.5 + 0.5


class Residual(nn.Module):
    """A 3×3 and a 1×1 layer beside an identity; it starts as the identity, so depth never slows the first epochs."""

    def __init__(self, width: int, layer: type[nn.Conv2d | nn.ConvTranspose2d]):
        super().__init__()
        self.inner, self.outer = layer(width, width, 3, padding=1), layer(width, width, 1)
        nn.init.zeros_(self.outer.weight)
        assert self.outer.bias is not None
        nn.init.zeros_(self.outer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.outer(F.gelu(self.inner(x)))


class PatchTranspose(nn.ConvTranspose2d):
    """A transposed convolution whose stride is its kernel: as each cell makes a patch of its own, one matrix product
    does it, several times faster on a CPU."""

    def __init__(self, inputs: int, outputs: int, patch: int | tuple[int, int]):
        super().__init__(inputs, outputs, patch, stride=patch)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        (count, inputs, height, width), (rows, columns) = x.shape, self.kernel_size
        assert self.bias is not None
        weight, bias = self.weight.permute(2, 3, 1, 0).reshape(-1, inputs), self.bias.repeat(rows * columns)
        patches = F.linear(x.permute(0, 2, 3, 1).reshape(-1, inputs), weight, bias)
        pixels = patches.view(count, height, width, rows, columns, self.out_channels).transpose(2, 3)
        return pixels.reshape(count, height * rows, width * columns, self.out_channels).permute(0, 3, 1, 2)


class ConvEncoder(nn.Sequential):
    """4×4 pixels become one cell of a map, which residual blocks refine: little runs at full resolution."""

    def __init__(self, channels: int, width: int, depth: int):
        blocks = [Residual(2 * width, nn.Conv2d) for _ in range(depth)]
        super().__init__(nn.Conv2d(channels, 2 * width, 4, stride=4), nn.GELU(), *blocks)


class ConvDecoder(nn.Sequential):
    """The encoder's mirror, of transposed convolutions."""

    def __init__(self, channels: int, width: int, depth: int):
        blocks = [Residual(2 * width, nn.ConvTranspose2d) for _ in range(depth)]
        super().__init__(nn.GELU(), *blocks, PatchTranspose(2 * width, channels, 4))


def _grid(shape: Shape, cell: int, what: str) -> tuple[int, int]:
    """How many cells of so many pixels an image has each way."""
    _, height, width = shape
    _require(
        min(height, width) >= cell and height % cell == width % cell == 0,
        f"{what} needs images whose sides are multiples of {cell} pixels, not {height}×{width}",
    )
    return height // cell, width // cell


# ── AE and DAE ───────────────────────────────────────────────────────────────────────────────────────────────────────


class ConvAutoencoder(Autoencoder):
    """Convolutions down to a vector or to a map of few channels; transposed convolutions back."""

    def __init__(self, spec: config.ConvAE, shape: Shape):
        super().__init__(shape)
        _require(spec.latent >= 1 and spec.width >= 1, "an autoencoder's latent and width must be at least 1")
        _require(spec.depth >= 0, "an autoencoder's depth can't be negative")
        grid = _grid(shape, 4, "the convolutional autoencoder")
        kernel = grid if spec.bottleneck == "vector" else (1, 1)  # one kernel over the whole map makes a vector of it
        self.vector = spec.bottleneck == "vector"
        self.encoder = ConvEncoder(shape[0], spec.width, spec.depth)
        self.to_latent = nn.Conv2d(2 * spec.width, spec.latent, kernel)
        self.from_latent = PatchTranspose(spec.latent, 2 * spec.width, kernel)
        self.decoder = ConvDecoder(shape[0], spec.width, spec.depth)

    def encode(self, images: Tensor) -> Tensor:
        latent = self.to_latent(self.encoder(_centred(images)))
        return latent.flatten(1) if self.vector else latent

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(_centred(images)) if self.vector else self.encode(images)

    def decode(self, latent: Tensor) -> Tensor:
        latent = latent[:, :, None, None] if self.vector else latent
        return _uncentred(self.decoder(self.from_latent(latent)))


# ── VAE ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class VariationalAutoencoder(Autoencoder):
    """The vector AE with a normal distribution for a latent; its embedding is the posterior mean."""

    def __init__(self, spec: config.VAE, shape: Shape):
        super().__init__(shape)
        _require(spec.latent >= 1 and spec.width >= 1, "a VAE's latent and width must be at least 1")
        _require(spec.depth >= 0 and spec.beta >= 0, "a VAE's depth and beta can't be negative")
        grid = _grid(shape, 4, "the VAE")
        self.latent, self.beta = spec.latent, spec.beta
        self.encoder = ConvEncoder(shape[0], spec.width, spec.depth)
        self.to_posterior = nn.Conv2d(2 * spec.width, 2 * spec.latent, grid)
        self.from_latent = PatchTranspose(spec.latent, 2 * spec.width, grid)
        self.decoder = ConvDecoder(shape[0], spec.width, spec.depth)

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance [N, D] of each latent unit, in fp32."""
        mean, log_variance = self.to_posterior(self.encoder(_centred(images))).flatten(1).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 12)  # one wild value must not overflow the exponential

    def encode(self, images: Tensor) -> Tensor:
        return self.posterior(images)[0]

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(_centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return _uncentred(self.decoder(self.from_latent(latent[:, :, None, None])))

    def losses(self, clean: Tensor, noisy: Tensor, generator: torch.Generator, kl_weight: float = 1.0) -> Terms:
        """Squared error summed over pixels + beta · KL summed over latents, averaged over the batch.

        Averaging one and summing the other would change their balance a thousandfold, and the posterior collapses.
        """
        mean, log_variance = self.posterior(noisy)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        output = self.decode(mean + noise * (0.5 * log_variance).exp())
        reconstruction = (output - clean).square().sum(dim=(1, 2, 3)).mean()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        loss = reconstruction + kl_weight * self.beta * kl
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl, "error": reconstruction / clean[0].numel()}


# ── Masked autoencoders ──────────────────────────────────────────────────────────────────────────────────────────────


class Masked(Autoencoder):
    """What the masked models share: a grid of patches, some of them hidden while training, none when embedding."""

    def __init__(self, shape: Shape, patch: int, ratio: float, masked_weight: float):
        super().__init__(shape)
        _require(patch >= 1, "a masked patch has at least 1 pixel")
        self.patch, self.ratio, self.masked_weight = patch, ratio, masked_weight
        self.grid = _grid(shape, patch, f"masking patches of {patch} pixels")
        _require(0 < self.hidden(ratio) < math.prod(self.grid), f"a ratio of {ratio} hides none or all of the patches")
        _require(masked_weight > 0, "the weight of the masked region must be positive")

    def hidden(self, ratio: float) -> int:
        """How many patches of an image that ratio hides."""
        return round(ratio * math.prod(self.grid))

    def draw_mask(self, count: int, generator: torch.Generator, ratio: float | None = None) -> Tensor:
        """Masks [count, 1, *grid], true where hidden; at the ratio of the training unless another is given."""
        return corruption.random_mask(count, self.grid, self.ratio if ratio is None else ratio, generator)

    def in_pixels(self, mask: Tensor) -> Tensor:
        """The same masks at the resolution of the images, [N, 1, H, W]."""
        return _upsampled(mask, self.patch)

    def in_patches(self, pixels: Tensor) -> Tensor:
        """Masks [N, 1, H, W] as masks of patches, each of which must be hidden as a whole or not at all."""
        mask = pixels[:, :, :: self.patch, :: self.patch]
        _require(
            pixels.dtype == torch.bool and pixels.shape[1:] == (1, *self.shape[1:]),
            f"a mask is boolean [N, 1, {self.shape[1]}, {self.shape[2]}], not {pixels.dtype} {list(pixels.shape)}",
        )
        _require(torch.equal(self.in_pixels(mask), pixels), f"a mask must hide whole patches of {self.patch} pixels")
        return mask

    def forward(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """The reconstruction, from visible patches only where there is a mask."""
        return self.decode(self.encode(images, mask))

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """The latent map; with a mask, the hidden patches have no influence on it."""
        raise NotImplementedError

    def losses(self, clean: Tensor, noisy: Tensor, generator: torch.Generator, kl_weight: float = 1.0) -> Terms:
        """Squared error over the whole image, the masked region weighted up: comparable with the AE's and the VAE's."""
        mask = self.draw_mask(len(clean), generator)
        squared = (self(noisy, mask) - clean).square().mean(dim=1, keepdim=True)
        share = self.hidden(self.ratio) / math.prod(self.grid)  # the same for each image
        masked = (squared * self.in_pixels(mask)).mean() / share
        error = squared.mean()
        visible = (error - share * masked) / (1 - share)
        loss = (self.masked_weight * share * masked + (1 - share) * visible) / (
            self.masked_weight * share + (1 - share)
        )
        return {"loss": loss, "masked": masked, "visible": visible, "error": error}


def _upsampled(mask: Tensor, factor: int) -> Tensor:
    """Each cell of the mask becomes factor × factor cells."""
    return mask.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)


class MaskedAutoencoder(Masked):
    """Hides patches of its feature maps, all channels, behind a learned token for each scale.

    One mask, drawn at the scale of a patch, is applied again after each layer whose cells lie within one patch, so that
    no convolution fills the holes. The stem sees no more than its own cell: nothing of a hidden patch leaks out of it.
    """

    def __init__(self, spec: config.MCAE, shape: Shape):
        super().__init__(shape, spec.patch, spec.ratio, spec.masked_weight)
        _require(spec.width >= 1 and spec.depth >= 0, "the masked autoencoder's width must be at least 1, its depth 0")
        _require(spec.patch in (2, 4, 8), f"the masked autoencoder hides patches of 2, 4 or 8 pixels, not {spec.patch}")
        _grid(shape, 8, "the masked autoencoder")
        channels, width = shape[0], spec.width
        self.stem = nn.Conv2d(channels, width, 2, stride=2)  # 2×2 pixels in a cell
        self.reduction = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)  # 4×4 pixels in a cell
        self.blocks = nn.ModuleList(Residual(2 * width, nn.Conv2d) for _ in range(spec.depth))
        self.head = nn.Conv2d(2 * width, 8 * width, 4, stride=2, padding=1)  # 8×8 pixels in a cell
        masked = [c for scale, c in enumerate((width, 2 * width, 8 * width)) if 2 ** (scale + 1) <= spec.patch]
        self.tokens = nn.ParameterList(nn.Parameter(torch.zeros(1, c, 1, 1)) for c in masked)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8 * width, 2 * width, 4, stride=2, padding=1),
            nn.GELU(),
            PatchTranspose(2 * width, channels, 4),
        )

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        def hide(x: Tensor, scale: int) -> Tensor:
            if mask is None or scale >= len(self.tokens):
                return x
            cells = _upsampled(mask, self.patch // 2 ** (scale + 1))
            return torch.where(cells, self.tokens[scale].to(x.dtype), x)

        x = hide(F.gelu(self.stem(_centred(images))), 0)
        x = hide(F.gelu(self.reduction(x)), 1)
        for block in self.blocks:
            x = hide(block(x), 1)
        return hide(F.gelu(self.head(x)), 2)

    def decode(self, latent: Tensor) -> Tensor:
        return _uncentred(self.decoder(latent))


class ViTMaskedAutoencoder(Masked):
    """A small vision transformer in the manner of MAE: it encodes the visible patches only; its decoder is light."""

    def __init__(self, spec: config.ViTMAE, shape: Shape):
        super().__init__(shape, spec.patch, spec.ratio, spec.masked_weight)
        _require(spec.dim % 4 == 0, f"the ViT's dim must be a multiple of 4, not {spec.dim}")
        _require(
            spec.heads >= 1 and spec.dim % spec.heads == 0, f"{spec.heads} heads can't share {spec.dim} dimensions"
        )
        _require(spec.depth >= 1 and spec.decoder_depth >= 0, "the ViT's encoder needs at least one block")
        channels, dim = shape[0], spec.dim
        self.embedding = nn.Conv2d(channels, dim, spec.patch, stride=spec.patch)
        self.positions: Tensor
        self.register_buffer("positions", _positions(self.grid, dim), persistent=False)
        self.blocks = nn.Sequential(*(Block(dim, spec.heads) for _ in range(spec.depth)), nn.LayerNorm(dim))
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.decoder = nn.Sequential(*(Block(dim, spec.heads) for _ in range(spec.decoder_depth)), nn.LayerNorm(dim))
        self.to_pixels = PatchTranspose(dim, channels, spec.patch)

    def encode(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        tokens = self.embedding(_centred(images)).flatten(2).transpose(1, 2) + self.positions
        if mask is None:
            return self._as_map(self.blocks(tokens))
        visible = _visible(mask)[:, :, None].expand(-1, -1, tokens.shape[2])
        encoded = self.blocks(tokens.gather(1, visible))
        everywhere = self.token.to(encoded.dtype).expand(tokens.shape)
        return self._as_map(everywhere.scatter(1, visible, encoded))

    def decode(self, latent: Tensor) -> Tensor:
        tokens = latent.flatten(2).transpose(1, 2) + self.positions
        return _uncentred(self.to_pixels(self._as_map(self.decoder(tokens))))

    def _as_map(self, tokens: Tensor) -> Tensor:
        return tokens.transpose(1, 2).unflatten(2, self.grid)


def _visible(mask: Tensor) -> Tensor:
    """Indices [N, n] of the patches that aren't hidden, in reading order; each image must hide equally many."""
    flat = mask.flatten(1)
    hidden = flat.sum(dim=1).tolist() if len(flat) else [0]
    _require(len(set(hidden)) == 1, "the images of a batch must have equally many hidden patches")
    return flat.int().argsort(dim=1, stable=True)[:, : flat.shape[1] - int(hidden[0])]


def _positions(grid: tuple[int, int], dim: int) -> Tensor:
    """Fixed sine and cosine positions [1, h·w, dim], a quarter each of sin y, cos y, sin x, cos x."""
    frequencies = 100.0 ** -(torch.arange(dim // 4) / (dim // 4))
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    angles = [places.reshape(-1, 1) * frequencies for places in (rows, columns)]
    return torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], dim=1)[None]


class Block(nn.Module):
    """A transformer block: attention between all tokens, then a layer for each token alone."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm, self.qkv, self.merge = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(
            dim=3
        )  # on a CPU, faster than the fused one
        x = x + self.merge((attention @ v).transpose(1, 2).flatten(2))
        return x + self.mlp(x)


# ── Studies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class DigitAutoencoder(Autoencoder):
    """Study A: four stride-2 convolutions and their mirror, with a sigmoid; dropout and batch norm after each layer."""

    FILTERS = (128, 64, 32, 16)
    DARK = -2.5  # before the sigmoid: from mid grey, learning rushes to all black, where a sigmoid has no slope left

    def __init__(self, spec: config.DigitAE, shape: Shape):
        super().__init__(shape)
        _require(0 <= spec.dropout < 1, f"dropout must lie in [0, 1), not {spec.dropout}")
        channels, *size = shape
        widths, sizes = [channels, *self.FILTERS], _halvings(size, len(self.FILTERS))

        def finish(width: int) -> list[nn.Module]:
            norm = [nn.BatchNorm2d(width)] if spec.batch_norm else []
            return [*norm, nn.ReLU(), *([nn.Dropout(spec.dropout)] if spec.dropout else [])]

        encoder: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for i in range(len(self.FILTERS)):
            encoder += [nn.Conv2d(widths[i], widths[i + 1], 3, stride=2, padding=1), *finish(widths[i + 1])]
        for i in reversed(range(len(self.FILTERS))):
            decoder += [_enlarging(widths[i + 1], widths[i], sizes[i + 1], sizes[i]), *(finish(widths[i]) if i else [])]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder, nn.Sigmoid())
        layers = [layer for layer in (*encoder, *decoder) if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
        for layer in layers:
            _keep_scale(layer)
        nn.init.constant_(_bias(layers[-1]), self.DARK)

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images)

    def decode(self, latent: Tensor) -> Tensor:
        return self.decoder(latent).float()


class SweepAutoencoder(Autoencoder):
    """Study B: three hidden stride-2 layers each way around a vector of any size."""

    FILTERS = (32, 64, 128)

    def __init__(self, spec: config.SweepAE, shape: Shape):
        super().__init__(shape)
        _require(spec.bottleneck >= 1, "a bottleneck has at least 1 dimension")
        channels, *size = shape
        widths, sizes = [channels, *self.FILTERS], _halvings(size, len(self.FILTERS))
        encoder: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for i in range(len(self.FILTERS)):
            encoder += [nn.Conv2d(widths[i], widths[i + 1], 3, stride=2, padding=1), nn.GELU()]
        for i in reversed(range(len(self.FILTERS))):
            decoder += [nn.GELU(), _enlarging(widths[i + 1], widths[i], sizes[i + 1], sizes[i])]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)
        self.to_latent = nn.Conv2d(widths[-1], spec.bottleneck, sizes[-1])
        self.from_latent = PatchTranspose(spec.bottleneck, widths[-1], sizes[-1])

    def encode(self, images: Tensor) -> Tensor:
        return self.to_latent(self.feature_map(images)).flatten(1)

    def feature_map(self, images: Tensor) -> Tensor:
        return self.encoder(_centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return _uncentred(self.decoder(self.from_latent(latent[:, :, None, None])))


class CompactAutoencoder(Autoencoder):
    """Study C: two 3×3 layers each way, stride 1, no padding; about 1,600 parameters at 8 channels."""

    def __init__(self, spec: config.CompactAE, shape: Shape):
        super().__init__(shape)
        _require(spec.channels >= 1, "the compact autoencoder needs at least 1 channel")
        _require(min(shape[1:]) >= 5, "the compact autoencoder's two layers need images of at least 5×5 pixels")
        channels, width = shape[0], spec.channels
        self.encoder = nn.Sequential(nn.Conv2d(channels, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(width, width, 3), nn.ReLU(), nn.ConvTranspose2d(width, channels, 3)
        )

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(_centred(images))

    def decode(self, latent: Tensor) -> Tensor:
        return _uncentred(self.decoder(latent))


def _keep_scale(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """First weights of a 3×3 layer of stride 2 under which a signal arrives as strong as it came (He et al. 2015)."""
    seen = layer.in_channels * (9 if isinstance(layer, nn.Conv2d) else 9 / 4)  # inputs of an output, on average
    nn.init.normal_(layer.weight, std=math.sqrt(2 / seen))
    nn.init.zeros_(_bias(layer))


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _halvings(size: list[int], times: int) -> list[tuple[int, int]]:
    """The sizes of the maps that stride-2 layers make of an image, the image's own first."""
    sizes = [(size[0], size[1])]
    for _ in range(times):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def _enlarging(inputs: int, outputs: int, small: tuple[int, int], large: tuple[int, int]) -> nn.ConvTranspose2d:
    """The mirror of a stride-2 layer, back to exactly the size that it had reduced."""
    extra = (large[0] - 2 * small[0] + 1, large[1] - 2 * small[1] + 1)
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=extra)


# ── Outline ──────────────────────────────────────────────────────────────────────────────────────────────────────────


KINDS: dict[type[nn.Module], str] = {
    Residual: "residual block",
    Block: "transformer block",
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
}


def outline(model: Autoencoder) -> list[tuple[str, tuple[int, ...], str]]:
    """(name, shape, kind) of an image and of what each layer or block makes of it, in the order of the computation."""
    found: list[tuple[str, tuple[int, ...], str]] = [("image", tuple(model.shape), "image")]

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kind = next(word for kind, word in KINDS.items() if isinstance(layer, kind))
        found.append((names[layer], tuple(output.shape[1:]), kind))

    layers: list[tuple[str, nn.Module]] = list(model.named_modules())
    names = {layer: name for name, layer in layers if isinstance(layer, tuple(KINDS))}
    inside = [part for layer in names if isinstance(layer, Residual | Block) for part in layer.children()]
    hooks = [layer.register_forward_hook(note) for layer in names if layer not in inside]
    reconstruct(model, torch.zeros(1, *model.shape))
    for hook in hooks:
        hook.remove()
    return found


# ── Weights ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def build(model_class: Callable[..., M], spec: config.Model, shape: Shape, seed: int) -> M:
    """A new model whose first weights depend on nothing but spec, shape and seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return model_class(spec, shape)


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    """All that a model has learned, buffers included, as arrays that ``load_weights`` takes."""
    return {f"weights/{name}": value.cpu().numpy().copy() for name, value in model.state_dict().items()}


def load_weights(model: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Gives a model the weights among these arrays; they must be exactly those that it has."""
    found = {name.removeprefix("weights/"): array for name, array in arrays.items() if name.startswith("weights/")}
    model.load_state_dict({name: torch.from_numpy(array) for name, array in found.items()})


# ── Uses: one call each, in fp32, a batch at a time; images are floats in [0, 1] or uint8 ────────────────────────────

BATCH = 100  # a transformer's activations for more of them outgrow a CPU's caches


def reconstruct(model: Autoencoder, images: Tensor, *, mask: Tensor | None = None, batch: int = BATCH) -> Tensor:
    """What the model makes of the images, within [0, 1]; masked models take a mask in pixels, [N, 1, H, W]."""
    if mask is None:
        return _batched(model, lambda part: model(_as_images(model, part)), images, batch).clamp(0, 1)
    hidden = _masked(model).in_patches(mask)
    _require(len(hidden) == len(images), f"{len(images)} images need as many masks, not {len(hidden)}")
    return _batched(model, lambda part, gaps: model(_as_images(model, part), gaps), images, batch, hidden).clamp(0, 1)


def draw_masks(model: Autoencoder, count: int, ratio: float, seed: int) -> Tensor:
    """Random masks in pixels [count, 1, H, W], true where hidden, of patches that the model can hide."""
    masked = _masked(model)
    return masked.in_pixels(masked.draw_mask(count, torch.Generator().manual_seed(seed), ratio))


def _masked(model: Autoencoder) -> Masked:
    _require(isinstance(model, Masked), f"{type(model).__name__} hides no patches: it takes no mask")
    return cast(Masked, model)


def embed(model: Autoencoder, images: Tensor, *, batch: int = BATCH) -> Tensor:
    """The latents [N, …], a vector or a map; a VAE's are its posterior means; nothing is hidden."""
    return _batched(model, lambda part: model.encode(_as_images(model, part)), images, batch)


def feature_map(model: Autoencoder, images: Tensor, *, batch: int = BATCH) -> Tensor:
    """The encoder's last spatial map [N, C, h, w]; nothing is hidden."""
    return _batched(model, lambda part: model.feature_map(_as_images(model, part)), images, batch)


def decode(model: Autoencoder, latents: Tensor, *, batch: int = BATCH) -> Tensor:
    """The images, within [0, 1], that latents stand for."""
    return _batched(model, model.decode, latents, batch).clamp(0, 1)


def interpolate(model: Autoencoder, a: Tensor, b: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """Images [N, steps, C, H, W] on the way from each image of ``a`` to its partner in ``b``, both ends included."""
    if steps < 2:
        raise InputError(f"an interpolation has at least its 2 ends, not {steps} steps")
    if a.shape != b.shape:
        raise InputError(f"each image needs a partner: {list(a.shape)} and {list(b.shape)} differ")
    start, end = embed(model, a), embed(model, b)
    between = _slerp if spherical else torch.lerp
    shares = torch.linspace(0, 1, steps, device=start.device).view(steps, *[1] * start.ndim)
    path = between(start[None], end[None], shares).transpose(0, 1)
    return decode(model, path.flatten(0, 1)).unflatten(0, (len(a), steps))


def _slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Along the arc between two directions; the straight line where they are parallel."""
    dims = tuple(range(2, start.ndim))
    lengths = [torch.linalg.vector_norm(v, dim=dims, keepdim=True).clamp_min(1e-12) for v in (start, end)]
    cosine = (start / lengths[0] * (end / lengths[1])).sum(dim=dims, keepdim=True).clamp(-1, 1)
    angle = cosine.arccos()
    arc = (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()
    return torch.where(angle.sin() > 1e-3, arc, torch.lerp(start, end, share))  # the cosine of less is rounding


def sample(model: Autoencoder, count: int, generator: torch.Generator, *, batch: int = BATCH) -> Tensor:
    """Images decoded from a VAE's prior."""
    if not isinstance(model, VariationalAutoencoder):
        raise InputError(f"{type(model).__name__} has no prior to sample from")
    noise = torch.randn(count, model.latent, generator=generator, device=generator.device)
    return decode(model, noise, batch=batch)


def _as_images(model: Autoencoder, images: Tensor) -> Tensor:
    if images.shape[1:] != model.shape:
        raise InputError(f"the model takes images of {list(model.shape)}, not {list(images.shape[1:])}")
    scaled = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    return scaled.contiguous(memory_format=torch.channels_last)


def _batched(model: Autoencoder, function: Callable[..., Tensor], values: Tensor, batch: int, *more: Tensor) -> Tensor:
    """A function of a model over all values, without gradients or dropout; the result lies where the values lay."""
    device = next(model.parameters()).device
    with torch.no_grad(), _evaluating(model):
        parts = zip(*(tensor.split(batch) for tensor in (values, *more)), strict=True)
        return torch.cat([function(*(t.to(device) for t in part)).float().to(values.device) for part in parts])


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout off and batch norm on its running statistics, for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
