"""PyTorch's scaled_dot_product_attention as a peer of `benchmark attention`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from attention_lab.attention import Mask


def facts() -> dict[str, Any]:
    """Version and threads."""
    return {"version": torch.__version__, "threads": torch.get_num_threads()}


def product(matrix: np.ndarray) -> tuple[Callable, torch.Tensor]:
    """A function that squares a matrix, and the matrix."""
    return lambda x: x @ x, torch.from_numpy(matrix)


def programs(case: Any, mask: Mask | None) -> tuple[Callable, Callable] | None:
    """Ways for `interleaved`, as of our implementations; None for a case that PyTorch cannot compute."""
    if case.readouts:
        return None
    causal = case.mask == "causal"
    dense = None if mask is None or causal else torch.from_numpy(np.array(mask.as_array(case.T, case.T)))
    dense = dense if dense is None or dense.ndim == 2 else dense[:, None]

    def attend(q, k, v):
        return torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=dense, dropout_p=case.dropout, is_causal=causal)

    def tensor(x):
        return torch.from_numpy(x).to(getattr(torch, case.dtype))

    def forward(*arrays):
        q, k, v = map(tensor, arrays[:3])

        def work():
            with torch.no_grad():
                return attend(q, k, v)
        return work

    def backward(*arrays):
        q, k, v = (tensor(x).requires_grad_() for x in arrays[:3])
        g = tensor(arrays[3])

        def work():
            attend(q, k, v).backward(g)
            return q.grad, k.grad, v.grad
        return work
    return forward, backward
