"""cuDNN's fused attention, as `jax.nn.dot_product_attention` calls it, inside the contract of `attend`."""

import jax
import jax.numpy as jnp

from attention_lab.attention.implementations.kernel import by_kernel

LIBRARY = "cudnn"  # tests on a CPU put jax's own "xla" in its place
SIZE = 8  # sizes of heads are multiples of this
ROWS = 2  # of odd lengths cuDNN has no gradient in some versions


def attention(q, k, v, options, score, readouts, return_weights):
    """The context of `attend`, in the query's precision, which is half."""
    return by_kernel(kernel, q, k, v, options, ROWS, SIZE), None, {}


def largest():
    """The largest K and V on the GPU that is here: 128, from compute capability 9.0 on 256."""
    return 256 if float(getattr(jax.local_devices()[0], "compute_capability", 0)) >= 9 else 128


def kernel(q, k, v, causal, allowed):
    """The library's kernel for one head: keys are a prefix, so that those not allowed go to the end."""
    # jax 0.10 can't lift the library's function where an argument is the same for all heads: none is then.
    nothing = 0 * jnp.isnan(q[0, 0]).astype(jnp.int32)
    k, v, lengths = k + nothing.astype(k.dtype), v + nothing.astype(v.dtype), {}
    if allowed is not None:
        lengths = {"query_seq_lengths": jnp.full(1, q.shape[0], jnp.int32) + nothing,
                   "key_value_seq_lengths": allowed.sum(dtype=jnp.int32)[None] + nothing}
        if not causal:  # where the order of keys has no meaning
            order = jnp.argsort(~allowed, stable=True)
            k, v = k[order], v[order]
    return jax.nn.dot_product_attention(
        q[None, :, None], k[None, :, None], v[None, :, None], scale=1.0, is_causal=causal,
        implementation=LIBRARY, **lengths)[0, :, 0]
