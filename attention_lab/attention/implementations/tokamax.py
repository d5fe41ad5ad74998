"""GPU kernels of the library tokamax, where it is installed, inside the contract of `attend`.

tokamax (https://github.com/openxla/tokamax) takes the first of its kernels that can compute a call on the
GPU that is here: Mosaic's, Triton's, else the formula by XLA.
"""

import importlib

import jax.numpy as jnp

from attention_lab.attention.implementations.kernel import by_kernel

LIBRARY = None  # the kernel by name; None leaves the choice to tokamax. Tests on a CPU put "xla" in its place
SIZE = ROWS = 8  # sizes of heads and lengths are multiples of this


def attention(q, k, v, options, score, readouts, return_weights):
    """The context of `attend`; logits and softmax are float32."""
    return by_kernel(kernel, q, k, v, options, ROWS, SIZE), None, {}


def kernel(q, k, v, causal, allowed):
    """The library's kernel for one head."""
    mask = None if allowed is None else jnp.broadcast_to(allowed, (1, 1, 1, len(allowed)))
    return importlib.import_module("tokamax").dot_product_attention(
        q[None, :, None], k[None, :, None], v[None, :, None], mask=mask, scale=1.0, is_causal=causal,
        implementation=LIBRARY)[0, :, 0]
