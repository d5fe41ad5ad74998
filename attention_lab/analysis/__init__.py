"""Instruments held to attention: what its softmax does, measured and predicted."""
