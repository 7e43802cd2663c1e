"""How good samples are: functions of features, points, labels and pictures, which know nothing of
GANs.
"""
