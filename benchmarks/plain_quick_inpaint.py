"""The plain training script of quick inpainting; see `plain_quick.py`."""

import torch
from plain import Step
from plain_rows import Rows, adam, difference, slope, switch, weighted
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, softplus

from ganvas.gans.base import GAN
from ganvas.gans.inpaint.relativistic import RelativisticInpainter
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.masks import draw_holes


def inpaint_fast(gan: GAN, rows: Rows, count: int) -> Step:
    """A part for each optimizer, which fills the holes by itself; holes as ours."""
    assert isinstance(gan, RelativisticInpainter)
    generator, discriminator = gan.generator, gan.discriminator
    g_optimizer = adam(8e-4, 0.5, 0.99, generator)
    d_optimizer = adam(5e-5, 0.5, 0.99, discriminator)
    holes = torch.Generator().manual_seed(0)
    played = 0

    def step() -> tuple[float, ...]:
        nonlocal played
        real = rows.batch(count)["image"]
        mask = draw_holes(holes, count, gan.size, gan.size, gan.least, gan.most).to(rows.device)
        moves = torch.rand(count, 2, device=rows.device)
        seen_mask = shift_images(mask, moves, gan.reach)

        def seen(image: Tensor) -> Tensor:
            return torch.cat([shift_images(image, moves, gan.reach), seen_mask], 1)

        switch(True, discriminator)
        d_optimizer.zero_grad()
        filled = (generator(real, mask) * mask + real * (1 - mask)).detach()
        punished = played % gan.penalty_every == 0
        played += 1
        real.requires_grad = punished
        real_score, fake_score = discriminator(seen(real)), discriminator(seen(filled))
        share = adaptive_avg_pool2d(seen_mask, fake_score.shape[2:])
        d_gan = weighted(softplus(fake_score - real_score), share)
        d_loss = d_gan
        if punished:
            d_loss = d_loss + gan.penalty_every * gan.gamma / 2 * slope(real_score, real)
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        real.requires_grad = False
        made = generator(real, mask)
        filled = made * mask + real * (1 - mask)
        real_maps, real_score = discriminator.compute_features(seen(real))
        fake_maps, fake_score = discriminator.compute_features(seen(filled))
        error = (made - real).abs()
        distance = weighted(error, mask) + 0.1 * weighted(error, 1 - mask)
        g_gan = weighted(softplus(real_score - fake_score), share)
        g_l1 = distance * gan.reconstruction_weight
        g_features = difference(fake_maps, real_maps) * gan.feature_weight
        g_loss = g_gan + g_l1 + g_features
        g_loss.backward()
        g_optimizer.step()
        return d_gan.item(), d_loss.item(), g_gan.item(), g_l1.item(), g_features.item()

    return step
