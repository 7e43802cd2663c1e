"""What the page of each experiment says, in English and Chinese."""

from collections.abc import Mapping

from ganvas.whatif.stories_data import DATA_STORIES
from ganvas.whatif.stories_training import TRAINING_STORIES
from ganvas.whatif.texts import Story

__all__ = ["STORIES"]

STORIES: Mapping[str, Story] = {**TRAINING_STORIES, **DATA_STORIES}
