"""Other people's dashboards: what a run logs, handed to TensorBoard and the like."""
