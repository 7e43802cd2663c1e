"""From a run, or any set of images, to values with all that decided them."""

from ganvas.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
