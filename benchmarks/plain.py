"""Plain training scripts of the usual kind, against which `step_speed.py` measures ours.

Each is written as such scripts are written: the networks as `nn.Sequential`, `BCEWithLogitsLoss`
against tensors of ones and zeros, PyTorch's own Adam, every player with its own forward passes,
`.detach()` for the discriminator's fakes, and both losses read in every step. Layers, batch, moves
and learning rates are those of the recipe of the same name; weights start as PyTorch starts them,
which does not change the speed. The images lie in memory as floats, which is faster than any
`DataLoader`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Step = Callable[[], tuple[float, ...]]  # plays one step and returns what a script prints


class Pictures:
    """Float images (N, C, H, W) and labels (N,) in memory, in a new order each epoch."""

    def __init__(self, images: Tensor, labels: Tensor):
        self.images, self.labels, self.device = images, labels, images.device
        self.order = torch.empty(0, dtype=torch.int64)

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """The next images (count, C, H, W) and labels (count,)."""
        if len(self.order) < count:
            self.order = torch.randperm(len(self.images), device=self.device)
        chosen, self.order = self.order[:count], self.order[count:]
        return self.images[chosen], self.labels[chosen]


def mnist_mlp(images: Pictures) -> Step:
    """One hidden layer in each player; pixels in [0, 1]."""
    device = images.device
    generator = nn.Sequential(nn.Linear(100, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())
    discriminator = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 1))
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4)
    criterion = nn.BCEWithLogitsLoss()

    def step() -> tuple[float, ...]:
        real = images.batch(128)[0].view(128, -1)
        noise = torch.rand(128, 100, device=device) * 2 - 1
        ones, zeros = torch.ones(128, 1, device=device), torch.zeros(128, 1, device=device)

        d_optimizer.zero_grad()
        d_real = criterion(discriminator(real), ones)
        d_fake = criterion(discriminator(generator(noise).detach()), zeros)
        d_loss = d_real + d_fake
        d_loss.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        g_loss = criterion(discriminator(generator(noise)), ones)
        g_loss.backward()
        g_optimizer.step()
        return d_loss.item(), g_loss.item()

    return step


def mnist_mlp_deep(images: Pictures) -> Step:
    """Three hidden layers, dropout, smoothed labels, one batch of both; pixels in [-1, 1]."""
    device = images.device
    generator = nn.Sequential(
        nn.Linear(100, 256), nn.LeakyReLU(0.2),
        nn.Linear(256, 512), nn.LeakyReLU(0.2),
        nn.Linear(512, 1024), nn.LeakyReLU(0.2),
        nn.Linear(1024, 784), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Linear(784, 1024), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Linear(1024, 512), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Linear(256, 1),
    )  # fmt: skip
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()

    def step() -> tuple[float, ...]:
        real = images.batch(128)[0].view(128, -1)
        fake = generator(torch.randn(128, 100, device=device)).detach()
        targets = torch.cat(
            [torch.ones(128, 1, device=device) * 0.9, torch.zeros(128, 1, device=device)]
        )

        d_optimizer.zero_grad()
        d_loss = criterion(discriminator(torch.cat([real, fake])), targets)
        d_loss.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        g_loss = criterion(
            discriminator(generator(torch.randn(128, 100, device=device))),
            torch.ones(128, 1, device=device),
        )
        g_loss.backward()
        g_optimizer.step()
        return d_loss.item(), g_loss.item()

    return step


def mnist_mlp_tanh(images: Pictures) -> Step:
    """One hidden tanh layer in each player, two generator moves; pixels in [0, 1]; four numbers a
    step.
    """
    device = images.device
    generator = nn.Sequential(nn.Linear(100, 400), nn.Tanh(), nn.Linear(400, 784), nn.Sigmoid())
    discriminator = nn.Sequential(nn.Linear(784, 400), nn.Tanh(), nn.Linear(400, 1))
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    criterion = nn.BCEWithLogitsLoss()

    def move_generator() -> tuple[Tensor, Tensor, Tensor]:
        g_optimizer.zero_grad()
        fake = generator(torch.randn(128, 100, device=device))
        score = discriminator(fake)
        g_loss = criterion(score, torch.ones(128, 1, device=device))
        g_loss.backward()
        g_optimizer.step()
        return g_loss, fake, score

    def step() -> tuple[float, ...]:
        real = images.batch(128)[0].view(128, -1)
        fake = generator(torch.randn(128, 100, device=device)).detach()

        d_optimizer.zero_grad()
        d_real = criterion(discriminator(real), torch.ones(128, 1, device=device) * 0.9)
        d_fake = criterion(discriminator(fake), torch.zeros(128, 1, device=device))
        d_loss = d_real + d_fake
        d_loss.backward()
        d_optimizer.step()

        move_generator()
        g_loss, fake, score = move_generator()
        return d_loss.item(), g_loss.item(), fake.max().item() * 255, score.sigmoid().mean().item()

    return step


class ConditionalGenerator(nn.Module):
    """Noise (N, 100) and one-hot labels (N, 10) to images (N, 1, 28, 28)."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(110, 256, 7), nn.BatchNorm2d(256), nn.LeakyReLU(0.2, inplace=True),
            nn.ConvTranspose2d(256, 128, 5, 2, 2, 1), nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2, inplace=True),
            nn.ConvTranspose2d(128, 1, 5, 2, 2, 1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, noise: Tensor, onehot: Tensor) -> Tensor:
        return self.main(torch.cat([noise, onehot], 1).view(-1, 110, 1, 1))


class ConditionalDiscriminator(nn.Module):
    """Pictures (N, 1, 28, 28) and one-hot labels (N, 10) to scores (N, 1)."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(11, 128, 5, 2, 2), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(128, 256, 5, 2, 2), nn.BatchNorm2d(256), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(256, 1, 7), nn.Flatten(),
        )  # fmt: skip

    def forward(self, images: Tensor, onehot: Tensor) -> Tensor:
        planes = onehot.view(-1, 10, 1, 1).expand(-1, 10, 28, 28)
        return self.main(torch.cat([images, planes], 1))


def mnist_cdcgan(images: Pictures) -> Step:
    """A conditional DCGAN with 5x5 kernels, fresh noise and labels for each player, the rate
    falling in stairs.
    """
    device = images.device
    generator, discriminator = ConditionalGenerator(), ConditionalDiscriminator()
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    schedulers = [
        torch.optim.lr_scheduler.StepLR(optimizer, 500, 0.95)
        for optimizer in (g_optimizer, d_optimizer)
    ]
    criterion = nn.BCEWithLogitsLoss()
    onehots = torch.eye(10)

    def step() -> tuple[float, ...]:
        real, label = images.batch(100)
        ones, zeros = torch.ones(100, 1, device=device), torch.zeros(100, 1, device=device)

        d_optimizer.zero_grad()
        wanted = onehots[torch.randint(10, (100,), device=device)]
        fake = generator(torch.randn(100, 100, device=device), wanted).detach()
        d_real = criterion(discriminator(real, onehots[label]), ones)
        d_fake = criterion(discriminator(fake, wanted), zeros)
        d_loss = d_real + d_fake
        d_loss.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        wanted = onehots[torch.randint(10, (100,), device=device)]
        fake = generator(torch.randn(100, 100, device=device), wanted)
        g_loss = criterion(discriminator(fake, wanted), ones)
        g_loss.backward()
        g_optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        return d_loss.item(), g_loss.item()

    return step


def avatars_dcgan(images: Pictures) -> Step:
    """The 48-pixel DCGAN of the avatar makers: two generator moves on the discriminator's noise."""
    device = images.device
    generator = nn.Sequential(
        nn.Linear(100, 512 * 3 * 3), nn.Unflatten(1, (512, 3, 3)),
        nn.BatchNorm2d(512), nn.ReLU(True),
        nn.ConvTranspose2d(512, 256, 5, 2, 2, 1), nn.BatchNorm2d(256), nn.ReLU(True),
        nn.ConvTranspose2d(256, 128, 5, 2, 2, 1), nn.BatchNorm2d(128), nn.ReLU(True),
        nn.ConvTranspose2d(128, 64, 5, 2, 2, 1), nn.ReLU(True),
        nn.ConvTranspose2d(64, 3, 5, 2, 2, 1), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(3, 64, 5, 2, 2), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(64, 128, 5, 2, 2), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(128, 256, 5, 2, 2), nn.BatchNorm2d(256), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(256, 512, 5, 2, 2), nn.BatchNorm2d(512), nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(), nn.Linear(512 * 3 * 3, 1),
    )  # fmt: skip
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()

    def move_generator(noise: Tensor) -> Tensor:
        g_optimizer.zero_grad()
        g_loss = criterion(discriminator(generator(noise)), torch.ones(64, 1, device=device))
        g_loss.backward()
        g_optimizer.step()
        return g_loss

    def step() -> tuple[float, ...]:
        real, _ = images.batch(64)
        noise = torch.rand(64, 100, device=device) * 2 - 1
        ones, zeros = torch.ones(64, 1, device=device), torch.zeros(64, 1, device=device)

        d_optimizer.zero_grad()
        d_real = criterion(discriminator(real), ones)
        d_fake = criterion(discriminator(generator(noise).detach()), zeros)
        d_loss = d_real + d_fake
        d_loss.backward()
        d_optimizer.step()

        move_generator(noise)
        g_loss = move_generator(noise)
        return d_loss.item(), d_real.item(), d_fake.item(), g_loss.item()

    return step


SCRIPTS: dict[str, Callable[[Pictures], Step]] = {
    "mnist-mlp": mnist_mlp,
    "mnist-mlp-deep": mnist_mlp_deep,
    "mnist-mlp-tanh": mnist_mlp_tanh,
    "mnist-cdcgan": mnist_cdcgan,
    "avatars-dcgan": avatars_dcgan,
}
UNIT_RANGE = ("mnist-mlp", "mnist-mlp-tanh")  # pixels in [0, 1]; elsewhere in [-1, 1]
