"""From a run, or any set of pictures, to numbers with all that decides them."""

from ganvas.evaluation.judge import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
