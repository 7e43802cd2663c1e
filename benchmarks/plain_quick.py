"""Plain training scripts of the quick recipes for GANs that work on rows of data, in the manner of
`plain_translation.py`, against which `step_speed.py` measures ours.

Scripts of relativistic GANs, such as ESRGAN's, score the real images in the discriminator's part
and, since it has changed, once more in the generator's; so do these. What public scripts of each
task do besides:

- pix2pix makes its fakes once a step;
- CUT makes them once, together with those of images that are of the domain already, and encodes the
  given images once more for the comparison of places, which are the same ones in all images;
- StarGAN makes them anew in the generator's part;
- text to image, where the discriminator has a part for the image alone, as DF-GAN's: fakes once,
  and the features of an image serve the right and the wrong text;
- inpainting with a part for each optimizer fills the holes anew in the generator's
  (`plain_quick_inpaint.py`).

Losses, moves of images and periods of the gradient penalty are those of ours, so that the loop
alone is compared.
"""

from collections.abc import Callable

import torch
from plain import Step
from plain_quick_inpaint import inpaint_fast
from plain_rows import Rows, adam, difference, l1, slope, switch
from plain_translation import TRANSLATION_SCRIPTS
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from ganvas.gans.base import GAN
from ganvas.gans.cut.cut import CUT
from ganvas.gans.cut.networks import patch_nce
from ganvas.gans.gawwn.relativistic import RelativisticGAWWN
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.folded import REACH
from ganvas.gans.nn.networks import leaky_tanh
from ganvas.gans.pix2pix.relativistic import RelativisticPix2Pix
from ganvas.gans.stargan.relativistic import RelativisticStarGAN


def pix2pix_fast(gan: GAN, rows: Rows, count: int) -> Step:
    """The fakes made once, then the discriminator's part, then the generator's, with the maps of
    the real pairs once more.
    """
    assert isinstance(gan, RelativisticPix2Pix)
    generator, discriminator = gan.generator, gan.discriminator
    g_optimizer = adam(4e-4, 0.0, 0.99, generator)
    d_optimizer = adam(1e-4, 0.0, 0.99, discriminator)
    played = 0

    def step() -> tuple[float, ...]:
        nonlocal played
        batch = rows.batch(count)
        a, b = batch["a"], batch["b"]
        fake = leaky_tanh(generator(a))
        moves = torch.rand(count, 2, device=rows.device)

        switch(True, discriminator)
        d_optimizer.zero_grad()
        punished = played % gan.penalty_every == 0
        played += 1
        b.requires_grad = punished
        real_score = discriminator(shift_images(torch.cat([a, b], 1), moves, REACH))
        fake_score = discriminator(shift_images(torch.cat([a, fake.detach()], 1), moves, REACH))
        d_gan = softplus(fake_score - real_score).mean()
        d_loss = d_gan
        if punished:
            d_loss = d_loss + gan.penalty_every * gan.gamma / 2 * slope(real_score, b)
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        b.requires_grad = False
        real_pair = shift_images(torch.cat([a, b], 1), moves, REACH)
        fake_pair = shift_images(torch.cat([a, fake], 1), moves, REACH)
        real_maps, real_score = discriminator.compute_features(real_pair)
        fake_maps, fake_score = discriminator.compute_features(fake_pair)
        g_gan = softplus(real_score - fake_score).mean()
        g_l1 = l1(fake, b) * gan.reconstruction_weight
        g_features = difference(fake_maps, real_maps) * gan.feature_weight
        g_loss = g_gan + g_l1 + g_features
        g_loss.backward()
        g_optimizer.step()
        return d_gan.item(), d_loss.item(), g_gan.item(), g_l1.item(), g_features.item()

    return step


def cyclegan_fast(gan: GAN, rows: Rows, count: int) -> Step:
    """Translations both ways and identities in one pass, both discriminators' part, then the
    generator's, which compares places.
    """
    assert isinstance(gan, CUT)
    generator, judges = gan.generator, gan.discriminator
    g_optimizer, d_optimizer = adam(5e-4, 0.0, 0.99, generator), adam(5e-4, 0.0, 0.99, judges)
    to = torch.arange(2, device=rows.device).repeat_interleave(count)  # a, b
    played = 0

    def moved(images: Tensor) -> Tensor:
        return shift_images(images, torch.rand(count, 2, device=images.device), gan.reach)

    def compare_places(fake: Tensor, given: Tensor) -> Tensor:
        maps, given_maps = generator.encode(fake, to), generator.encode(given, to)
        places = [
            torch.randperm(each[0, 0].numel(), device=each.device)[: gan.places].expand(
                len(each), -1
            )
            for each in maps
        ]
        keys, queries = generator.project(given_maps, places), generator.project(maps, places)
        losses = [patch_nce(query, key, gan.temperature) for query, key in zip(queries, keys)]
        return torch.stack(losses).mean()

    def step() -> tuple[float, ...]:
        nonlocal played
        batch = rows.batch(count)
        real = {"a": batch["a"], "b": batch["b"]}
        given, own = torch.cat([real["b"], real["a"]]), torch.cat([real["a"], real["b"]])
        fake, same = generator(torch.cat([given, own]), torch.cat([to, to])).chunk(2)
        fakes = dict(zip(real, fake.chunk(2)))

        switch(True, judges)
        d_optimizer.zero_grad()
        punished = played % gan.penalty_every == 0
        played += 1
        d_losses = []
        for domain, image in real.items():
            image.requires_grad = punished
            fake_score = judges[domain](moved(fakes[domain].detach()))
            real_score = judges[domain](moved(image))
            loss = softplus(fake_score - real_score).mean()
            if punished:
                weight = gan.penalty_every * gan.gamma / 2 / real_score[0].numel()
                loss = loss + weight * slope(real_score, image)
            d_losses.append(loss / 2)
        d_loss = d_losses[0] + d_losses[1]
        d_loss.backward()
        d_optimizer.step()

        switch(False, judges)
        g_optimizer.zero_grad()
        g_losses = []
        for domain, image in real.items():
            image.requires_grad = False
            fake_score = judges[domain](moved(fakes[domain]))
            real_score = judges[domain](moved(image))
            g_losses.append(softplus(real_score - fake_score).mean() / 2)
        g_gan = g_losses[0] + g_losses[1]
        nce = compare_places(fake, given) * gan.nce_weight
        identity = l1(same, own) * gan.identity_weight
        g_loss = g_gan + nce + identity
        g_loss.backward()
        g_optimizer.step()
        return *(loss.item() for loss in d_losses), g_gan.item(), nce.item(), identity.item()

    return step


def stargan_fast(gan: GAN, rows: Rows, count: int) -> Step:
    """The discriminator's part, then the generator's, its fakes made anew."""
    assert isinstance(gan, RelativisticStarGAN)
    generator, discriminator = gan.generator, gan.discriminator
    g_optimizer = adam(3e-4, 0.0, 0.99, generator)
    d_optimizer = adam(5e-4, 0.0, 0.99, discriminator)
    played = 0

    def classes(logits: Tensor, attributes: Tensor) -> Tensor:
        loss = binary_cross_entropy_with_logits(logits, attributes, reduction="sum")
        return loss / len(logits)

    def step() -> tuple[float, ...]:
        nonlocal played
        batch = rows.batch(count)
        real, own = batch["image"], batch["attributes"]
        wanted = own[torch.randperm(count, device=rows.device)]
        moves = torch.rand(count, 2, device=rows.device)

        switch(True, discriminator)
        d_optimizer.zero_grad()
        punished = played % gan.penalty_every == 0
        played += 1
        real.requires_grad = punished
        features = discriminator(shift_images(real, moves, REACH))
        score = discriminator.score(features, own)
        mismatch = discriminator.score(features, wanted)
        d_class = classes(discriminator.attributes(features), own)
        fake = (real + 2 * generator(real, wanted).tanh()).detach()
        fake_features = discriminator(shift_images(fake, moves, REACH))
        d_fake = softplus(discriminator.score(fake_features, wanted) - score).mean()
        d_match = softplus(mismatch - score).mean() * gan.matching_weight
        d_loss = d_fake + d_match + d_class
        if punished:
            d_loss = d_loss + gan.penalty_every * gan.gamma / 2 * slope(score, real)
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        real.requires_grad = False
        change = 2 * generator(real, wanted).tanh()
        real_features = discriminator(shift_images(real, moves, REACH))
        features = discriminator(shift_images(real + change, moves, REACH))
        score = discriminator.score(features, wanted)
        g_fake = softplus(discriminator.score(real_features, own) - score).mean()
        mismatch = discriminator.score(features, own)
        g_match = softplus(mismatch - score).mean() * gan.matching_weight
        logits = discriminator.attributes(features)
        g_class = classes(logits, wanted) * gan.classification_weight
        g_change = change.abs().mean() * gan.reconstruction_weight
        g_loss = g_fake + g_match + g_class + g_change
        g_loss.backward()
        g_optimizer.step()
        d_items = d_fake.item(), d_match.item(), d_class.item(), d_loss.item()
        return *d_items, g_fake.item(), g_match.item(), g_class.item(), g_change.item()

    return step


def gawwn_fast(gan: GAN, rows: Rows, count: int) -> Step:
    """The fakes made once, then the part of the discriminator and the text's reader, then the
    generator's.
    """
    assert isinstance(gan, RelativisticGAWWN)
    text, generator, discriminator = gan.text, gan.generator, gan.discriminator
    g_optimizer = adam(1e-3, 0.0, 0.99, generator)
    d_optimizer = adam(1e-3, 0.0, 0.99, discriminator, text)
    played = 0

    def step() -> tuple[float, ...]:
        nonlocal played
        batch = rows.batch(count)
        real, captions, planes = batch["image"], batch["caption"], gan.mark(batch["box"])
        chosen = torch.randperm(captions.shape[1], device=rows.device)[: gan.captions]
        vectors = text(captions[:, chosen])
        fixed = vectors.detach()
        fake = generator(torch.randn(count, gan.noise_size, device=rows.device), fixed, planes)

        switch(True, discriminator)
        d_optimizer.zero_grad()
        punished = played % gan.penalty_every == 0
        played += 1
        real.requires_grad = punished
        moves = torch.rand(count, 2, device=rows.device)
        features = discriminator.encode(shift_images(real, moves, REACH), planes)
        right = discriminator.score(features, vectors)
        wrong = discriminator.score(features, vectors.roll(1, 0))
        seen = shift_images(fake.detach(), moves, REACH)
        d_fake = softplus(discriminator(seen, vectors, planes) - right).mean()
        d_wrong = softplus(wrong - right).mean() * gan.matching
        d_loss = d_fake + d_wrong
        if punished:
            d_loss = d_loss + gan.penalty_every * gan.gamma / 2 * slope(right, real)
        d_loss.backward()
        d_optimizer.step()

        switch(False, discriminator)
        g_optimizer.zero_grad()
        real.requires_grad = False
        opponent = discriminator(shift_images(real, moves, REACH), fixed, planes)
        features = discriminator.encode(shift_images(fake, moves, REACH), planes)
        score = discriminator.score(features, fixed)
        wrong = discriminator.score(features, fixed.roll(1, 0))
        g_fake = softplus(opponent - score).mean()
        g_wrong = softplus(wrong - score).mean() * gan.matching
        g_loss = g_fake + g_wrong
        g_loss.backward()
        g_optimizer.step()
        return d_fake.item(), d_wrong.item(), d_loss.item(), g_fake.item(), g_wrong.item()

    return step


QUICK_SCRIPTS: dict[str, Callable[[GAN, Rows, int], Step]] = {
    "pix2pix-fast": pix2pix_fast,
    "cyclegan-fast": cyclegan_fast,
    "stargan-fast": stargan_fast,
    "inpaint-fast": inpaint_fast,
    "gawwn-fast": gawwn_fast,
}
ROW_SCRIPTS = TRANSLATION_SCRIPTS | QUICK_SCRIPTS  # of all GANs that work on rows of data
