"""Where a run's first weights come from, if it begins with those of another run."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ganvas.io.numbers import Whole

__all__ = ["Origin"]


class Origin(BaseModel):
    """A checkpoint of another run, and what a new run takes from it.

    Part of the recipe, so that every checkpoint of the new run says what it began with.

    - `checkpoint`: its folder.
    - `digest`: the SHA-256 of its `about.json`, which holds the digests of all its other files.
    - `weights`: "ema": the moving averages, where there are some; "last": as they were last
      trained.
    - `optimizers`: whether the moments of Adam are taken, too, for the weights that are.
    - `frozen`: how many of the first blocks of each discriminator stay as they began; Mo et al.
      2020, "Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: str
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    weights: Literal["ema", "last"] = "ema"
    optimizers: bool = False
    frozen: Whole = 0
