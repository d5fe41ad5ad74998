"""Diagnostics of trained models, functions of (model, params, batch), and of their attention weights."""
