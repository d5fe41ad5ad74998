"""Which implementation computes a call, and that the kernels of devices are lowered from any machine."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src.cudnn import fused_attention_stablehlo

from attention_lab import attention
from attention_lab.attention import choice
from attention_lab.attention.implementations import tokamax

B, H, T, S, K, V = 2, 3, 5, 7, 11, 13


@pytest.mark.parametrize("name, dtype", [
    ("cudnn", "bfloat16"), ("cudnn", "float16"), ("splash", "bfloat16"), ("splash", "float32")])
@pytest.mark.parametrize("groups", [H, 1])
def test_a_kernel_is_lowered_for_its_device_from_any_machine(lab, monkeypatch, name, dtype, groups):
    """cuDNN's version is asked of an installed cuDNN: a number stands in for it, and for nothing else."""
    entry = attention.IMPLEMENTATIONS[name]
    monkeypatch.setattr(choice, "here", lambda: entry.runs_on)
    monkeypatch.setattr(fused_attention_stablehlo, "check_cudnn_version", lambda: 91000)
    arrays = lab.normal(0, (B, H, T, K), (B, groups, S, K), (B, groups, S, V), dtype=dtype)
    calls = {"cudnn": "__cudnn$fmhaSoftmax", "splash": "tpu_custom_call"}
    for kind, mask in lab.masks_of(T, S).items():
        if kind in entry.masks:
            def gradient(q, k, v, scale, mask=mask):
                return jax.grad(lambda *x: attention.multi_head(*x, mask, scale, implementation="auto" if (
                    name == "cudnn") else name).astype(jnp.float32).sum(), (0, 1, 2))(q, k, v)
            lowered = jax.jit(gradient).trace(*arrays, 0.3).lower(lowering_platforms=(entry.runs_on,))
            text = lowered.as_text()
            assert f"custom_call @{calls[name]}(" in text, kind
            assert (f"custom_call @{calls[name]}Backward(" in text) == (name == "cudnn")


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_tokamax_lowers_its_triton_kernel_for_a_gpu_from_any_machine(
        lab, monkeypatch, allow_other_ranks, dtype):
    allow_other_ranks()
    config = pytest.importorskip("tokamax").config
    entry = attention.IMPLEMENTATIONS["tokamax"]
    monkeypatch.setattr(choice, "here", lambda: entry.runs_on)
    monkeypatch.setattr(tokamax, "LIBRARY", "triton")
    arrays = lab.normal(0, (B, H, T, K), (B, H, S, K), (B, H, S, V), dtype=dtype)
    gpu = jax.sharding.AbstractDevice("NVIDIA H100 80GB HBM3", 132, "gpu")
    mesh = jax.sharding.AbstractMesh((1,), ("x",), abstract_device=gpu)
    for kind, mask in lab.masks_of(T, S).items():
        if kind in entry.masks:
            def gradient(q, k, v, scale, mask=mask):
                return jax.grad(lambda *x: attention.multi_head(
                    *x, mask, scale, implementation="tokamax").astype(jnp.float32).sum(), (0, 1, 2))(q, k, v)
            with config.cross_compile(True), jax.sharding.use_abstract_mesh(mesh):
                lowered = jax.jit(gradient).trace(*arrays, 0.3).lower(lowering_platforms=("cuda",))
            assert "custom_call @__gpu$xla.gpu.triton(" in lowered.as_text(), kind


def test_a_kernel_whose_library_is_missing_is_refused_in_one_line(monkeypatch):
    call = choice.Call(T, S, jnp.float32, None, attention.dot, ())
    monkeypatch.setattr(choice, "here", lambda: "cuda")
    monkeypatch.setattr(choice.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="'tokamax' needs the library tokamax, which is not installed"):
        choice.checked("tokamax", call)


def test_auto_takes_the_kernel_of_the_device_where_it_can(monkeypatch):
    whole = choice.Call(T, S, jnp.float32, None, attention.dot, ())
    half, long = whole._replace(dtype=jnp.bfloat16), whole._replace(T=512, S=512)
    names = {here: [] for here in ("cpu", "gpu", "cuda", "tpu")}
    for here, found in names.items():
        monkeypatch.setattr(choice, "here", lambda here=here: here)
        found += [choice.automatic(call) for call in (
            whole, half, long, long._replace(dtype=jnp.bfloat16), half._replace(mask=attention.causal(T)),
            half._replace(mask=attention.window(T, 1)), half._replace(needed=("weights",)),
            half._replace(score=attention.cosine))]
    plain = ["reference", "reference", "blockwise", "blockwise"] + ["reference"] * 4
    assert names == {
        "cpu": plain, "gpu": plain, "tpu": ["reference", "reference", "splash", "splash"] + ["reference"] * 4,
        "cuda": ["reference", "cudnn", "blockwise", "cudnn", "cudnn"] + ["reference"] * 3}


@pytest.mark.parametrize("capability, largest", [("8.9", 128), ("9.0", 256), ("12.0", 256)])
def test_auto_leaves_keys_that_cudnn_has_no_room_for_to_others(monkeypatch, capability, largest):
    device = types.SimpleNamespace(compute_capability=capability)
    monkeypatch.setattr(jax, "local_devices", lambda: [device])
    monkeypatch.setattr(choice, "here", lambda: "cuda")
    call = choice.Call(512, 512, jnp.bfloat16, None, attention.dot, (), largest)
    assert choice.automatic(call) == "cudnn"
    assert choice.automatic(call._replace(size=largest + 1)) == "blockwise"
    with pytest.raises(ValueError, match=f"has {largest + 1} numbers; .* 'cudnn' allows {largest}"):
        choice.checked("cudnn", call._replace(size=largest + 1))


@pytest.mark.parametrize("wide", ["keys", "values"])
def test_keys_or_values_too_wide_for_cudnn_are_computed_by_another(lab, on_its_device, wide):
    on_its_device("cudnn")
    sizes = (K, 257) if wide == "values" else (257, V)
    halves = lab.normal(0, (B, H, T, sizes[0]), (B, H, S, sizes[0]), (B, H, S, sizes[1]), dtype=jnp.bfloat16)
    np.testing.assert_array_equal(*(np.asarray(attention.multi_head(*halves, implementation=name), np.float32)
                                    for name in ("auto", "reference")))
    with pytest.raises(ValueError, match="has 257 numbers; implementation 'cudnn' allows"):
        attention.multi_head(*halves, implementation="cudnn")
