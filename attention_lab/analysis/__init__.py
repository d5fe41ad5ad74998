"""Diagnostics of trained models, each a function of (model, params, batch), and of what they compute."""
