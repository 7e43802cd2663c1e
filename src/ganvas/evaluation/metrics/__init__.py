"""Metrics: functions of features, logits, labels and images, which know nothing of GANs."""
