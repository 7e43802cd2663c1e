"""Translation without pairs and without a cycle: Park et al. 2020."""
