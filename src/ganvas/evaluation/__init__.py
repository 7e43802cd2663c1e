"""From a run, or any set of pictures, to numbers with all that decides them."""

from ganvas.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
