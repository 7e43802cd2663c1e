"""Our training steps against the tutorials' own, written out with TensorFlow's conventions.

Each reference has the layers, losses and updates as a tutorial has them, in NCHW: padding "same" of
a stride of 2 with one pixel at the left and top and two at the right and bottom, batch norms with
their epsilon, and Adam. It gets the same first weights, images and noise. In float64 the weights
after several steps agree to 1e-9.

Three things are left out, for they have no counterpart: dropout, whose masks are other ones;
biases before a batch norm, which have no effect; and the place where TensorFlow's Adam adds its
epsilon of 1e-8, which is that of the paper here.
"""

from collections.abc import Callable

import pytest
import torch
from tiny import FixedClock, make_batch, make_context, make_schema
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, pad

from ganvas.gans import GAN
from ganvas.gans.options import build_gan
from ganvas.recipes.registry import get_recipe
from ganvas.rng import StepRng
from ganvas.training.step import take_step

BATCH, STEPS = 6, 4
SMALL = {  # fewer units and channels than the tutorials', in as many layers
    "mnist-mlp": {"hidden": 16, "noise_size": 7},
    "mnist-mlp-deep": {"hidden": (8, 12, 16), "noise_size": 7, "dropout": 0.0},
    "mnist-mlp-tanh": {"hidden": 16, "noise_size": 7},
    "mnist-cdcgan": {"width": 4, "noise_size": 7},
    "avatars-dcgan": {"width": 2, "noise_size": 7},
}
Weights = dict[str, Tensor]
TensorflowStep = Callable[["TensorflowGAN", dict[str, Tensor], StepRng], None]


@pytest.fixture(autouse=True)
def double():
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)


class TensorflowGAN:
    """Weights by player in the order of the layers, and an Adam for each player.

    Args:
        gan: whose first weights it gets; kernels are mirrored, as TensorFlow's "same" is the mirror
            image of ours.
        lr: of both players.
        beta1: of both players.
    """

    def __init__(self, gan: GAN, lr: float, beta1: float):
        self.lr, self.betas, self.epsilon = lr, (beta1, 0.999), 1e-8
        self.weights = {
            player: {name: mirror(value).detach().clone() for name, value in named(gan, player)}
            for player in ("generator", "discriminator")
        }
        self.moments = {
            player: {name: [torch.zeros_like(value)] * 2 for name, value in values.items()}
            for player, values in self.weights.items()
        }
        self.counts = dict.fromkeys(self.weights, 0)

    def learn(self, player: str) -> list[Tensor]:
        """The player's weights, by which a loss is to be differentiated."""
        for value in self.weights[player].values():
            value.requires_grad_()
        return list(self.weights[player].values())

    def minimise(self, **losses: Tensor) -> None:
        """Adam's algorithm 1 (Kingma and Ba 2015); with several players all gradients first."""
        gradients = {
            player: torch.autograd.grad(loss, self.learn(player), retain_graph=True)
            for player, loss in losses.items()
        }
        for player, values in gradients.items():
            self.counts[player] += 1
            for (name, value), gradient in zip(self.weights[player].items(), values):
                moments = [
                    beta * moment + (1 - beta) * gradient**power
                    for beta, moment, power in zip(
                        self.betas, self.moments[player][name], (1, 2), strict=True
                    )
                ]
                self.moments[player][name] = moments
                mean, square = (
                    moment / (1 - beta ** self.counts[player])
                    for beta, moment in zip(self.betas, moments, strict=True)
                )
                step = self.lr * mean / (square.sqrt() + self.epsilon)
                self.weights[player][name] = (value - step).detach().requires_grad_()

    def layers(self, player: str) -> list[Tensor]:
        """Weights of a player, as its layers use them up."""
        self.learn(player)
        return list(self.weights[player].values())


def named(gan: GAN, player: str) -> list[tuple[str, Tensor]]:
    return list(gan.get_submodule(player).named_parameters())


def mirror(value: Tensor) -> Tensor:
    """Kernels turned by 180 degrees, in place of images turned so; other weights stay."""
    return value.flip(-1, -2) if value.dim() == 4 else value


# TensorFlow's operations


def dense(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return values @ weight.T + bias


def same_conv(values: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """tf.nn.conv2d with 5x5 kernels, strides of 2 and padding "SAME"."""
    return conv2d(pad(values, (1, 2, 1, 2)), weight, bias, stride=2)


def same_deconv(values: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """tf.nn.conv2d_transpose of the same kind: the gradient of `same_conv`."""
    whole = conv_transpose2d(values, weight, bias, stride=2)  # 2 n + 3 pixels
    return whole[:, :, 1:-2, 1:-2]


def batch_norm(values: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    """tf.layers.batch_normalization in training: by channel, over images and positions."""
    mean = values.mean((0, 2, 3), keepdim=True)
    variance = (values - mean).square().mean((0, 2, 3), keepdim=True)
    normal = (values - mean) / (variance + epsilon).sqrt()
    return normal * scale[:, None, None] + shift[:, None, None]


def cross_entropy(logits: Tensor, labels: float) -> Tensor:
    """tf.nn.sigmoid_cross_entropy_with_logits, each."""
    return logits.clamp_min(0) - logits * labels + (-logits.abs()).exp().log1p()


# The tutorials' networks and steps


def mnist_mlp(gan: TensorflowGAN, batch: dict[str, Tensor], rng: StepRng) -> None:
    """Both players at once, from one forward pass on the same noise."""
    real = (batch["image"].flatten(1) + 1) / 2  # [0, 1]
    w1, b1, w2, b2 = gan.layers("generator")
    fake = dense(dense(rng.uniform(BATCH, 7), w1, b1).relu(), w2, b2).sigmoid()

    def judge(images: Tensor) -> Tensor:
        w1, b1, w2, b2 = gan.layers("discriminator")
        return dense(dense(images, w1, b1).relu(), w2, b2).sigmoid()

    real_opinion, fake_opinion = judge(real), judge(fake)
    gan.minimise(
        discriminator=-(real_opinion.log() + (1 - fake_opinion).log()).mean(),
        generator=-fake_opinion.log().mean(),
    )


def mnist_mlp_deep(gan: TensorflowGAN, batch: dict[str, Tensor], rng: StepRng) -> None:
    """Real and fake as one joined batch for the discriminator, then fresh noise."""

    def run(player: str, values: Tensor) -> Tensor:
        layers = gan.layers(player)
        for place in range(0, len(layers), 2):
            values = dense(values, *layers[place : place + 2])
            if place < len(layers) - 2:
                values = leaky_relu(values, 0.2)
        return values

    def binary_cross_entropy(opinion: Tensor, target: Tensor) -> Tensor:
        return -(target * opinion.log() + (1 - target) * (1 - opinion).log()).mean()

    fake = run("generator", rng.normal(BATCH, 7)).tanh().detach()
    joined = torch.cat([batch["image"].flatten(1), fake])
    targets = torch.zeros(2 * BATCH, 1)
    targets[:BATCH] = 0.9
    opinion = run("discriminator", joined).sigmoid()
    gan.minimise(discriminator=binary_cross_entropy(opinion, targets))

    fake = run("generator", rng.normal(BATCH, 7)).tanh()
    opinion = run("discriminator", fake).sigmoid()
    gan.minimise(generator=binary_cross_entropy(opinion, torch.ones(BATCH, 1)))


def mnist_mlp_tanh(gan: TensorflowGAN, batch: dict[str, Tensor], rng: StepRng) -> None:
    """The discriminator, then the generator twice, always on fresh noise."""
    real = (batch["image"].flatten(1) + 1) / 2  # in the range of the fakes; the tutorial's are not

    def generate() -> Tensor:
        w1, b1, w2, b2 = gan.layers("generator")
        return dense(dense(rng.normal(BATCH, 7), w1, b1).tanh(), w2, b2).sigmoid()

    def judge(images: Tensor) -> Tensor:
        w1, b1, w2, b2 = gan.layers("discriminator")
        return dense(dense(images, w1, b1).tanh(), w2, b2)

    on_real, on_fake = cross_entropy(judge(real), 0.9), cross_entropy(judge(generate()), 0)
    gan.minimise(discriminator=on_real.mean() + on_fake.mean())
    for _ in range(2):
        gan.minimise(generator=cross_entropy(judge(generate()), 1).mean())


def mnist_cdcgan(gan: TensorflowGAN, batch: dict[str, Tensor], rng: StepRng) -> None:
    """Real and fake images under the real labels, then fresh noise under random labels."""
    real, label = batch["image"].flip(-1, -2), batch["label"]

    def one_hot(label: Tensor) -> Tensor:
        return torch.eye(10)[label][:, :, None, None]

    def generate(label: Tensor) -> Tensor:
        w1, s1, t1, w2, s2, t2, w3, b3 = gan.layers("generator")
        noise = rng.normal(BATCH, 7)[:, :, None, None]
        values = conv_transpose2d(torch.cat([noise, one_hot(label)], 1), w1)  # 7x7, "valid"
        values = leaky_relu(batch_norm(values, s1, t1, 1e-3), 0.2)
        values = leaky_relu(batch_norm(same_deconv(values, w2), s2, t2, 1e-3), 0.2)
        return same_deconv(values, w3, b3).tanh()

    def judge(images: Tensor, label: Tensor) -> Tensor:
        w1, b1, w2, s2, t2, w3, b3 = gan.layers("discriminator")
        planes = one_hot(label) * torch.ones(1, 1, 28, 28)
        values = leaky_relu(same_conv(torch.cat([images, planes], 1), w1, b1), 0.2)
        values = leaky_relu(batch_norm(same_conv(values, w2), s2, t2, 1e-3), 0.2)
        return conv2d(values, w3, b3).flatten()  # 7x7, "valid"

    real_score, fake_score = judge(real, label), judge(generate(label).detach(), label)
    on_real, on_fake = cross_entropy(real_score, 1), cross_entropy(fake_score, 0)
    gan.minimise(discriminator=on_real.mean() + on_fake.mean())

    label = rng.randint(BATCH, 10)
    gan.minimise(generator=cross_entropy(judge(generate(label), label), 1).mean())


def avatars_dcgan(gan: TensorflowGAN, batch: dict[str, Tensor], rng: StepRng) -> None:
    """The discriminator, then the generator twice, all on the same noise."""
    real, noise = batch["image"].flip(-1, -2), rng.uniform(BATCH, 7)

    def generate() -> Tensor:
        linear, s1, t1, w2, s2, t2, w3, s3, t3, w4, b4, w5, b5 = gan.layers("generator")
        # The linear layer's outputs are a map; turned, as all maps here are.
        values = (noise @ linear.T).reshape(BATCH, -1, 3, 3).flip(-1, -2)
        values = batch_norm(values, s1, t1, 1e-5).relu()
        values = batch_norm(same_deconv(values, w2), s2, t2, 1e-5).relu()
        values = batch_norm(same_deconv(values, w3), s3, t3, 1e-5).relu()
        return same_deconv(same_deconv(values, w4, b4).relu(), w5, b5).tanh()

    def judge(images: Tensor) -> Tensor:
        w1, b1, w2, s2, t2, w3, s3, t3, w4, s4, t4, linear, bias = gan.layers("discriminator")
        values = leaky_relu(same_conv(images, w1, b1), 0.2)
        for weight, scale, shift in ((w2, s2, t2), (w3, s3, t3), (w4, s4, t4)):
            values = leaky_relu(batch_norm(same_conv(values, weight), scale, shift, 1e-5), 0.2)
        return dense(values.flip(-1, -2).flatten(1), linear, bias)

    on_real = cross_entropy(judge(real), 1)
    on_fake = cross_entropy(judge(generate().detach()), 0)
    gan.minimise(discriminator=on_real.mean() + on_fake.mean())
    for _ in range(2):
        gan.minimise(generator=cross_entropy(judge(generate()), 1).mean())


TUTORIALS: dict[str, TensorflowStep] = {
    "mnist-mlp": mnist_mlp,
    "mnist-mlp-deep": mnist_mlp_deep,
    "mnist-mlp-tanh": mnist_mlp_tanh,
    "mnist-cdcgan": mnist_cdcgan,
    "avatars-dcgan": avatars_dcgan,
}


@pytest.mark.parametrize("name", TUTORIALS)
def test_steps_are_those_of_the_tutorial(name: str):
    recipe = get_recipe(name)
    adam = recipe.optimizers["generator"]
    assert recipe.optimizers["discriminator"] == adam and recipe.size
    torch.manual_seed(0)
    schema = make_schema(recipe.size, recipe.channels or 3, classes=10)
    gan = build_gan(recipe.gan, schema, SMALL[name])
    theirs = TensorflowGAN(gan, adam.lr, adam.beta1)
    context = make_context(gan, lr=adam.lr, betas=(adam.beta1, adam.beta2))
    before = {
        player: [value.detach().clone() for _, value in named(gan, player)]
        for player in gan.players()
    }

    for steps in range(STEPS):
        images = steps * BATCH
        batch = make_batch(gan, BATCH, seed=steps)
        take_step(context, batch, FixedClock(images, steps), StepRng(0, images))
        TUTORIALS[name](theirs, batch, StepRng(0, images))

    for player, values in theirs.weights.items():
        for (key, ours), first in zip(named(gan, player), before[player], strict=True):
            distance = (mirror(values[key]) - ours).abs().max().item()
            moved = (ours - first).abs().max().item()
            assert distance < 1e-9 < 1e-4 < moved, (player, key, distance, moved)
