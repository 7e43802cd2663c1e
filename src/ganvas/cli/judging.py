"""`ganvas evaluate`, `health` and `theory`: how good, how well, and why."""

from pathlib import Path

from ganvas.cli.flags import AS_IT_IS, Device, Look, Switch


def evaluate(
    *sets: str,
    data: str | None = None,
    metrics: str | None = None,
    features: str | None = None,
    weights: Path | None = None,
    count: int | None = None,
    seed: int = 0,
    look: Look = AS_IT_IS,
    json: Switch = False,
    device: Device = "auto",
) -> None:
    """Judge runs, or any pictures, by real ones: distances, precision and recall, memorisation,
    classes.

    A run is compared with the test set that was published with its data or, where there is none,
    with the pictures that it learnt from. If the last set is no run, all others are compared with
    it.

    Parameters
    ----------
    sets
        Run folders or checkpoints; folders or zips of pictures; data sets such as
        mnist-test:FOLDER; noise (random pixels).
    data Where the runs' data is, if it was moved. Sets that are no runs are then compared as if
        trained on it.
    metrics Names with commas between them: fd (fid with Inception), kd (kid), classifier_score
        (inception_score), precision, recall, density, coverage, memorisation, modes, agreement,
        class_fd (class_fid), tstr; of GANs that work on pictures or captions fidelity, holes,
        cycle, attributes, places; or all. Also single values by the names of the table's columns,
        such as l1. Without it: a choice that suits the data and takes minutes at most; all: every
        possible one.
    features What the pictures are seen through: inception, inception-legacy (resized as the first
        FIDs were, for comparison with papers), classifier, random or pixels. Without it: of
        labelled grey pictures (digits, MNIST) a classifier trained on them once, a minute or less;
        of colour pictures of 32 pixels or more Inception, if its weights are named or in the cache;
        of points their coordinates; else a network with random weights.
    weights
        A file of weights for inception (the default with this flag) or classifier.
    count
        How many samples. Without it: 10,000; of points 2,500, of stacked-mnist 26,000.
    seed
        Of the samples, as in `ganvas sample`, and of all choices at random.
    json
        Print values and protocols as JSON.
    device
        Where samples and features are made.
    """
    from ganvas.evaluation.tables import run_evaluate

    run_evaluate(
        sets,
        data,
        json,
        metrics=None if metrics is None else metrics.split(","),
        features=features,
        weights=weights,
        count=count,
        seed=seed,
        view=look.given(),
        device=device,
    )


def health(run: Path, *, json: Switch = False) -> None:
    """The doctor's opinion of a run, finished or going: what is wrong, why it thinks so, and what
    to do.

    Parameters
    ----------
    run
        A run folder.
    json
        Print it as JSON.
    """
    from ganvas.runs.health import print_health

    print_health(run, json)


def theory(
    *,
    target: str = "gaussian",
    loss: str = "non-saturating",
    penalty: float = 0.05,
    d_steps: int = 2,
    steps: int = 4000,
    seed: int = 0,
    out: Path = Path("runs/theory"),
) -> None:
    """Watch a GAN on a line come to rest, or not: the theory in numbers and in pictures.

    Writes figure 1 of the first paper (four-panels.png), its course (course.gif, course.webp) and
    why it is hard (saddle.png).

    Parameters
    ----------
    target
        The density to learn: gaussian, two, rare, five, skewed or uniform.
    loss What the players minimise: minimax, non-saturating, least-squares, wasserstein or
        relativistic.
    penalty
        Weight of R1 + R2, which keep the discriminator from being steep; 0 for none.
    d_steps
        Moves of the discriminator for each of the generator.
    steps
        Moves of the generator.
    seed
        Of all random numbers; the same seed gives the same game.
    out
        Folder for the pictures.
    """
    from ganvas.theory.game import Settings
    from ganvas.theory.lab import run_lab

    run_lab(
        Settings(
            target=target, loss=loss, steps=steps, d_steps=d_steps, penalty=penalty, seed=seed
        ),
        out,
    )
