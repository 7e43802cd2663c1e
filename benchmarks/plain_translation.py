"""Plain training scripts of GANs that work on rows of data, against which `step_speed.py` measures
ours.

As the public scripts of these papers are written: `requires_grad` of the discriminators switched
off for the generator's part and on again, PyTorch's own Adam, losses against fresh ones and zeros,
`.item()` on each loss in each step, rows in memory as floats. What they commonly do twice:

- pix2pix and CycleGAN make their fakes once a step, and run the discriminator on them in its own
  part and in the generator's;
- StarGAN makes them anew in the generator's part;
- so do scripts of inpainting that have a part for each optimizer, and scripts of text to image,
  these from fresh noise;
- text to image: the discriminator runs on the real pictures once with their own texts and once with
  those of others.

Many scripts of StarGAN and text to image switch no `requires_grad` and compute gradients of the
discriminator that they then throw away; they are slower than these. The networks are ours, so that
the loop alone is compared. No batch is cut or mirrored.
"""

from collections.abc import Callable

import torch
from plain import Step
from plain_rows import Pool, Rows, adam, l1, switch, weighted
from torch import Tensor, nn

from ganvas.gans.base import GAN
from ganvas.gans.cyclegan import CycleGAN
from ganvas.gans.gawwn.box import GAWWNBox
from ganvas.gans.inpaint.original import Inpainter
from ganvas.gans.nn.masks import draw_holes
from ganvas.gans.pix2pix.original import Pix2Pix
from ganvas.gans.stargan.original import StarGAN

criterion = nn.BCEWithLogitsLoss()
mse = nn.MSELoss()


def pix2pix(gan: GAN, rows: Rows, count: int) -> Step:
    """The fakes made once, then the discriminator's part, then the generator's, with the
    discriminator once more.
    """
    assert isinstance(gan, Pix2Pix)
    generator, discriminator = gan.generator, gan.discriminator
    g_optimizer, d_optimizer = (
        adam(2e-4, 0.5, 0.999, generator),
        adam(2e-4, 0.5, 0.999, discriminator),
    )

    def step() -> tuple[float, ...]:
        batch = rows.batch(count)
        a, b = batch["a"], batch["b"]
        fake = generator(a, nn.functional.dropout)  # of a half, as in the paper

        switch(True, discriminator)
        d_optimizer.zero_grad()
        score = discriminator(torch.cat([a, fake.detach()], 1))
        d_fake = criterion(score, torch.zeros_like(score))
        score = discriminator(torch.cat([a, b], 1))
        d_real = criterion(score, torch.ones_like(score))
        d_loss = (d_fake + d_real) * 0.5
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        score = discriminator(torch.cat([a, fake], 1))
        g_gan, g_l1 = criterion(score, torch.ones_like(score)), l1(fake, b) * 100
        g_loss = g_gan + g_l1
        g_loss.backward()
        g_optimizer.step()
        return d_real.item(), d_fake.item(), g_gan.item(), g_l1.item()

    return step


def cyclegan(gan: GAN, rows: Rows, count: int) -> Step:
    """There and back once, both generators' part with the identity, then either discriminator's on
    fakes from a pool.
    """
    assert isinstance(gan, CycleGAN)
    a_to_b, b_to_a = gan.generator.a_to_b, gan.generator.b_to_a
    judge_a, judge_b = gan.discriminator_a, gan.discriminator_b
    g_optimizer, d_optimizer = (
        adam(2e-4, 0.5, 0.999, a_to_b, b_to_a),
        adam(2e-4, 0.5, 0.999, judge_a, judge_b),
    )
    pool_a, pool_b = Pool(), Pool()

    def judge(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        real_score, fake_score = discriminator(real), discriminator(fake)
        loss = (
            mse(real_score, torch.ones_like(real_score))
            + mse(fake_score, torch.zeros_like(fake_score))
        ) * 0.5
        loss.backward()
        return loss

    def step() -> tuple[float, ...]:
        batch = rows.batch(count)
        a, b = batch["a"], batch["b"]
        fake_b, fake_a = a_to_b(a), b_to_a(b)
        back_a, back_b = b_to_a(fake_b), a_to_b(fake_a)

        switch(False, judge_a, judge_b)
        g_optimizer.zero_grad()
        identity = (l1(a_to_b(b), b) + l1(b_to_a(a), a)) * 5
        score_b, score_a = judge_b(fake_b), judge_a(fake_a)
        g_gan = mse(score_b, torch.ones_like(score_b)) + mse(score_a, torch.ones_like(score_a))
        cycle = (l1(back_a, a) + l1(back_b, b)) * 10
        g_loss = g_gan + cycle + identity
        g_loss.backward()
        g_optimizer.step()

        switch(True, judge_a, judge_b)
        d_optimizer.zero_grad()
        d_b = judge(judge_b, b, pool_b.shown(fake_b))
        d_a = judge(judge_a, a, pool_a.shown(fake_a))
        d_optimizer.step()
        return g_gan.item(), cycle.item(), identity.item(), d_a.item(), d_b.item()

    return step


def stargan(gan: GAN, rows: Rows, count: int) -> Step:
    """The discriminator's part with a gradient penalty; every fifth step the generator's, its fakes
    made anew.
    """
    device = rows.device
    assert isinstance(gan, StarGAN)
    generator, discriminator = gan.generator, gan.discriminator
    g_optimizer, d_optimizer = (
        adam(1e-4, 0.5, 0.999, generator),
        adam(1e-4, 0.5, 0.999, discriminator),
    )
    played = 0

    def classes(logits: Tensor, attributes: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(
            logits, attributes, reduction="sum"
        ) / len(logits)

    def step() -> tuple[float, ...]:
        nonlocal played
        batch = rows.batch(count)
        real, own = batch["image"], batch["attributes"]
        wanted = own[torch.randperm(count, device=device)]

        switch(True, discriminator)
        d_optimizer.zero_grad()
        score, logits = discriminator(real)
        d_real, d_class = -score.mean(), classes(logits, own)
        fake = generator(real, wanted).detach()
        d_fake = discriminator(fake)[0].mean()
        share = torch.rand(count, 1, 1, 1, device=device)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        score = discriminator(between)[0]
        (slope,) = torch.autograd.grad(
            score, between, torch.ones_like(score), retain_graph=True, create_graph=True
        )
        penalty = ((slope.view(count, -1).norm(dim=1) - 1) ** 2).mean()
        d_loss = d_real + d_fake + d_class + 10 * penalty
        d_loss.backward()
        d_optimizer.step()
        losses = d_real.item(), d_fake.item(), d_class.item(), penalty.item()

        played += 1
        if played % 5:
            return losses
        switch(False, discriminator)
        g_optimizer.zero_grad()
        fake = generator(real, wanted)
        score, logits = discriminator(fake)
        g_fake, g_class, g_back = (
            -score.mean(),
            classes(logits, wanted),
            l1(generator(fake, own), real),
        )
        g_loss = g_fake + g_class + 10 * g_back
        g_loss.backward()
        g_optimizer.step()
        return *losses, g_fake.item(), g_class.item(), g_back.item()

    return step


def inpaint(gan: GAN, rows: Rows, count: int) -> Step:
    """A part for each optimizer, which fills the holes by itself; holes as ours, and the penalty
    every eighth step as there.
    """
    assert isinstance(gan, Inpainter)
    generator, discriminator = gan.generator, gan.discriminator
    g_optimizer, d_optimizer = (
        adam(4e-4, 0.0, 0.99, generator),
        adam(4e-4, 0.0, 0.99, discriminator),
    )
    holes = torch.Generator().manual_seed(0)
    played = 0

    def step() -> tuple[float, ...]:
        nonlocal played
        real = rows.batch(count)["image"]
        mask = draw_holes(holes, count, gan.size, gan.size, gan.least, gan.most).to(rows.device)

        switch(True, discriminator)
        d_optimizer.zero_grad()
        filled = (generator(real, mask) * mask + real * (1 - mask)).detach()
        punished = played % gan.penalty_every == 0
        played += 1
        real.requires_grad = punished
        real_score, fake_score = discriminator(real), discriminator(filled)
        share = nn.functional.adaptive_avg_pool2d(mask, fake_score.shape[2:])
        d_real, d_fake = (
            nn.functional.softplus(-real_score).mean(),
            weighted(nn.functional.softplus(fake_score), share),
        )
        d_loss = d_real + d_fake
        if punished:
            (slope,) = torch.autograd.grad(real_score.sum(), real, create_graph=True)
            d_loss = (
                d_loss
                + gan.penalty_every
                * gan.gamma
                / 2
                * (slope.view(count, -1).norm(2, dim=1) ** 2).mean()
            )
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        real.requires_grad = False
        made = generator(real, mask)
        filled = made * mask + real * (1 - mask)
        real_maps, _ = discriminator.compute_features(real)
        fake_maps, fake_score = discriminator.compute_features(filled)
        features = (
            torch.stack([l1(fake, true) for fake, true in zip(fake_maps, real_maps)]).mean() * 5
        )
        error = (made - real).abs()
        distance = (weighted(error, mask) + 0.1 * weighted(error, 1 - mask)) * 5
        g_gan = weighted(nn.functional.softplus(-fake_score), share)
        g_loss = g_gan + distance + features
        g_loss.backward()
        g_optimizer.step()
        return d_real.item(), d_fake.item(), g_gan.item(), distance.item(), features.item()

    return step


def gawwn_box(gan: GAN, rows: Rows, count: int) -> Step:
    """A pass each for right text, wrong text and fake; the generator's part from fresh noise.

    Texts are read once.
    """
    device = rows.device
    assert isinstance(gan, GAWWNBox)
    text, generator, discriminator = gan.text, gan.generator, gan.discriminator
    g_optimizer, d_optimizer = (
        adam(2e-4, 0.5, 0.999, generator),
        adam(2e-4, 0.5, 0.999, discriminator, text),
    )

    def step() -> tuple[float, ...]:
        batch = rows.batch(count)
        real, box, captions = batch["image"], batch["box"], batch["caption"]
        ones, zeros = torch.ones(count, device=device), torch.zeros(count, device=device)

        switch(True, discriminator)
        d_optimizer.zero_grad()
        chosen = torch.randperm(captions.shape[1], device=device)[: gan.captions]
        vectors = text(captions[:, chosen])
        d_right = criterion(discriminator(real, vectors, box), ones)
        d_wrong = criterion(discriminator(real, vectors.roll(1, 0), box), zeros)
        fake = generator(
            torch.randn(count, gan.noise_size, device=device), vectors.detach(), box
        ).detach()
        d_fake = criterion(discriminator(fake, vectors, box), zeros)
        d_loss = d_right + (d_wrong + d_fake) * 0.5
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        vectors = vectors.detach()
        fake = generator(torch.randn(count, gan.noise_size, device=device), vectors, box)
        g_loss = criterion(discriminator(fake, vectors, box), ones)
        g_loss.backward()
        g_optimizer.step()
        return d_right.item(), d_wrong.item(), d_fake.item(), g_loss.item()

    return step


TRANSLATION_SCRIPTS: dict[str, Callable[[GAN, Rows, int], Step]] = {
    "pix2pix": pix2pix,
    "cyclegan": cyclegan,
    "stargan": stargan,
    "inpaint": inpaint,
    "gawwn-box": gawwn_box,
}
