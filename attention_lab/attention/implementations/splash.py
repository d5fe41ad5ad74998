"""The TPU kernel that JAX ships, splash attention, inside the contract of `attend`."""

import jax.numpy as jnp
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as splash
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as masks

from attention_lab.attention.implementations.kernel import by_kernel

SIZE = ROWS = 128  # sizes of heads and lengths are multiples of this, a TPU's lanes
BLOCK = 512  # queries and keys of a block, for arrays that have so many
INTERPRET = False  # whether Pallas interprets the kernel, as tests on a CPU do


def attention(q, k, v, options, score, readouts, return_weights):
    """The context of `attend`; logits and softmax are float32."""
    return by_kernel(kernel, q, k, v, options, ROWS, SIZE), None, {}


def kernel(q, k, v, causal, allowed):
    """The library's kernel for one head; keys that are not allowed are a segment of their own."""
    shape = q.shape[0], k.shape[0]
    rows, keys = (next(n for n in (BLOCK, 256, ROWS) if size % n == 0) for size in shape)
    mask = masks.CausalMask(shape) if causal else masks.FullMask(shape)
    run = splash.make_splash_mha_single_device(
        masks.MultiHeadMask([mask]), interpret=INTERPRET, block_sizes=splash.BlockSizes(
            block_q=rows, block_kv=keys, block_kv_compute=keys, block_q_dkv=rows, block_kv_dkv=keys,
            block_kv_dkv_compute=keys, block_q_dq=rows, block_kv_dq=keys))
    segments = None if allowed is None else splash.SegmentIds(
        jnp.ones(shape[0], jnp.int32), allowed.astype(jnp.int32))
    return run(q[None], k[None], v[None], segments)[0]
