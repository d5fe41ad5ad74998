"""An integer hash: random numbers that depend on a place alone, not on the shape of the array around it."""

import jax
import jax.numpy as jnp


def lowbias32(bits: jax.Array) -> jax.Array:
    """Mixes uint32 bits by the finaliser "lowbias32" (Ettinger, Wellons 2018): low bias on every bit."""
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
    return bits ^ (bits >> 16)
