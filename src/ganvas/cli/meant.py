"""What was meant by a verb or a flag that does not exist: other tools' names, and misspelt ones."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from ganvas.errors import nearest

__all__ = ["explain_flag", "explain_verb"]

Table = Mapping[str, str]  # names with spaces between, and what to write instead of any of them

# Verbs of other tools.
VERBS: Table = {
    "generate gen make create predict infer inference run test": "sample",
    "interpolate walk": "sample",
    "edit convert transfer map": "translate",
    "inpaint fill project invert reconstruct": "restore",
    "eval score metrics metric measure fid judge": "evaluate",
    "inspect check examine look stats info show dataset": "data",
    "diagnose doctor status": "health",
    "fit learn resume continue finetune start demo": "train",
    "ui web serve gui app page server": "studio",
    "models model list presets configs": "recipes",
    "losses history plot logs": "log",
    "upload publish share": "push",
    "prepare preprocess shard shards dataset-tool": "pack",
}

# Flags of pix2pix, StyleGAN and other tools, without dashes, in small letters and with - for _. In
# what to write, VALUE stands for the value that was given.
OUT: Table = {
    "o outdir out-dir output output-dir output-folder save save-dir results-dir result-dir dest"
    " checkpoints-dir sample-dir save-path": "--out VALUE",
}
DEVICE: Table = {
    "gpu gpus gpu-id gpu-ids cuda use-gpu use-cuda num-gpus n-gpus ngpu": "--device cuda",
    "cpu no-cuda no-gpu": "--device cpu",
}
RUN: Table = {
    "run network ckpt ckpt-path checkpoint model model-path model-dir pkl load pretrained name"
    " experiment": "the run folder without a flag, as the first word after the verb",
}
IMAGES: Table = {
    "images image input inputs input-dir source src dataroot data-root dataset folder path file": (
        "the images without a flag, after the run folder"
    ),
}
DATA: Table = {
    "data spec dataroot data-root dataset data-dir data-path root path input source folder": (
        "the data without a flag, as the first word after the verb"
    ),
}
SIZE: Table = {
    "resolution image-size img-size imsize imagesize crop-size load-size image-resolution res"
    " side": "--size VALUE",
}
CHANNELS: Table = {
    "input-nc output-nc nc": "--channels VALUE",
}
TRAIN: Table = {
    "batch batch-size batchsize bs batch-gpu minibatch mini-batch": (
        "--set batch=VALUE, the images in a training step"
    ),
    "lr learning-rate lr-g lr-d glr dlr": (
        "--set optimizers.generator.lr=VALUE, and the same for the discriminator"
    ),
    "beta1 b1": "--set optimizers.generator.beta1=VALUE, and the same for the discriminator",
    "steps step iterations iteration iters n-iter niter max-steps max-iter total-steps num-steps"
    " num-iterations n-iters total-iters": (
        "--images N: lengths are counted in images shown, so N is the steps times the batch"
    ),
    "epoch n-epochs nepochs num-epochs n-epoch max-epochs": (
        "--epochs VALUE, the passes through the data, or --images N, the images shown"
    ),
    "n-epochs-decay niter-decay lr-policy lr-decay-iters": (
        "--set optimizers.generator.constant=0.5: after this share of the run the rate falls to 0"
    ),
    "kimg total-kimg": "--images N: lengths are counted in images shown, and a kimg is 1,000",
    "resume continue continue-train restart ckpt checkpoint load load-checkpoint resume-from": (
        "--out RUN, its folder: the same command again resumes a run"
    ),
    "name run-name run-id exp experiment experiment-name exp-name tag": "--out runs/VALUE",
    "dataroot data-root dataset dataset-path dataset-name data-dir datadir data-path datapath root"
    " path train-dir train-data input input-dir source folder image-dir img-dir": "--data VALUE",
    "cfg config model preset recipe arch gan network": (
        "the name of a recipe without a flag: ganvas train RECIPE (ganvas recipes lists them)"
    ),
    "gamma r1 r1-gamma": "--set options.gamma=VALUE, in the recipes whose GAN has it",
    "snap save-every save-freq save-epoch-freq save-latest-freq save-interval checkpoint-interval"
    " network-snapshot-ticks": "--set checkpoint_every=N, in images shown",
    "display-freq sample-freq sample-interval image-snapshot-ticks": (
        "--set sample_every=N, in images shown"
    ),
    "print-freq log-interval log-every tick": "--set report_every=N, in images shown",
    "workers num-workers n-workers n-cpu num-threads nworkers": (
        "nothing: images are decoded once, before the training"
    ),
    "mirror hflip horizontal-flip": "--set flip=true",
    "no-flip no-mirror": "--set flip=false",
    "cond conditional class-cond n-classes num-classes": "--labels folders",
    "amp fp16 half mixed-precision": "--set precision=bf16",
    "metrics metric fid": "--evaluate-every N, or ganvas evaluate RUN after the training",
    "nz z-dim latent-dim zdim latent-size noise-dim": "--set options.noise_size=VALUE",
    "ngf ndf nf": "--set options.width=VALUE",
    "critic-iters d-iters": "--set options.n_critic=VALUE",
    "ema-kimg ema-decay": "--set ema_halflife=N, in images shown",
    "hours time duration max-time": "--minutes N",
    **SIZE,
    **CHANNELS,
    **OUT,
    **DEVICE,
}
TABLES: Mapping[str, Table] = {
    "train": TRAIN,
    "sample": {
        "n num number samples n-samples num-samples num-images batch batch-size images": (
            "--count VALUE"
        ),
        "class classes class-idx target-class digit": "--label VALUE",
        "seeds": "--seed VALUE --count N",
        "trunc truncation truncation-psi psi": "the view Sample of ganvas studio",
        "gif video walk interp film": "--interpolate walk.webp",
        "prompt text": "--caption VALUE",
        **RUN,
        **OUT,
        **DEVICE,
    },
    "translate": {
        "set attr attrs attribute change changes": "--attributes VALUE",
        "target domain style direction": "--to VALUE",
        **RUN,
        **IMAGES,
        **SIZE,
        **OUT,
        **DEVICE,
    },
    "restore": {"hole region": "--box VALUE", **RUN, **IMAGES, **SIZE, **OUT, **DEVICE},
    "evaluate": {
        "n num samples n-samples num-samples num-images": "--count VALUE",
        "metric": "--metrics VALUE",
        **RUN,
        **SIZE,
        **CHANNELS,
        **DEVICE,
    },
    "data": {**DATA, **SIZE, **CHANNELS, **OUT},
    "pack": {
        **DATA,
        **SIZE,
        **CHANNELS,
        **OUT,
        "max-images maxcount shard-size": "--shard-images VALUE",
    },
    "health": RUN,
    "log": RUN,
    "studio": {"listen-port server-port": "--port VALUE", **DEVICE},
    "theory": OUT,
}
CLOSE = 0.7  # similarity of two words from which one may be meant by the other


def explain_verb(word: str, verbs: Iterable[str]) -> str:
    """The error message for a verb that does not exist."""
    known = sorted(verbs)
    meant = _find_names(VERBS, word.lower())
    hint = f"ganvas {meant} does that" if meant else nearest(word, known)
    return f"there is no verb {word}; {hint}"


def explain_flag(flag: str, value: str, verb: str, flags: Mapping[str, Sequence[str]]) -> str:
    """The error message for a flag that a verb does not have.

    Args:
        flag: as it was written, such as "--batch_size".
        value: what follows it; empty if nothing does.
        verb: such as "train".
        flags: those of each verb.
    """
    table = TABLES.get(verb, {})
    own = [other.removeprefix("--") for other in flags.get(verb, ())]
    beginning = f"{verb} has no flag {flag}"
    name = flag.lstrip("-").lower().replace("_", "-")
    if name in own:
        return f"{beginning}; write --{name}"

    # right names of other things
    if advice := _find_names(table, name):
        return f"{beginning}; write {_fill(advice, value)}"
    if setting := _find_setting(name) if verb == "train" else "":
        return f"{beginning}; write {_fill(f'--set {setting}=VALUE', value)}"
    if owners := [other for other, theirs in flags.items() if f"--{name}" in theirs]:
        return f"{beginning}; it is a flag of {' and '.join(owners)}"
    if advice := _find_names(TRAIN, name):
        return f"{beginning}; it belongs to a training, as {_fill(advice, value)}"

    # misspelt names; those of other tools stand for the same as right ones
    foreign = {word for names in table for word in names.split()}
    close = difflib.get_close_matches(name, {*own, *foreign}, n=2, cutoff=CLOSE)
    if close and close[0] not in own:
        return f"{beginning}; write {_fill(_find_names(table, close[0]), value)}"
    if meant := [f"--{other}" for other in close if other in own]:
        return f"{beginning}; did you mean {' or '.join(meant)}?"
    return f"{beginning}; ganvas {verb} --help lists those that it has"


def _find_names(table: Table, name: str) -> str:
    """What a table has for a name; empty if nothing."""
    return next((meant for names, meant in table.items() if name in names.split()), "")


def _fill(advice: str, value: str) -> str:
    """An advice with the value that the user gave, if there is one."""
    return advice.replace("VALUE", value or "...")


def _find_setting(name: str) -> str:
    """The setting of a recipe, or the option of a GAN, of a name; empty if there is none."""
    # Here, since it imports torch: after an error nobody is waiting for help.
    from ganvas.gans import GANS
    from ganvas.gans.options import option_defaults
    from ganvas.recipes.recipe import Recipe

    key = name.replace("-", "_")
    if key in Recipe.model_fields:
        return key
    return f"options.{key}" if any(key in option_defaults(gan) for gan in GANS) else ""
