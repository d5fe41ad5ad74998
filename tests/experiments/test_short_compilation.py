"""Brief commands: equal programs are compiled once, and nothing is left behind."""

import os

import jax
import jax.numpy as jnp
import pytest

from attention_lab.storage import xla
from experiments import short_compilation

NAMES = ("jax_disable_most_optimizations", "jax_compilation_cache_dir",
         "jax_persistent_cache_min_compile_time_secs", "jax_persistent_cache_min_entry_size_bytes")


def settings():
    return [jax.config.values[name] for name in NAMES]


def hits(listened):
    return sum(event.endswith("compilation_cache/cache_hits") for event in listened)


def test_equal_programs_are_compiled_once_and_settings_come_back(monkeypatch):
    listened = []
    jax.monitoring.register_event_listener(lambda event, **_: listened.append(event))
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    held = settings()
    monkeypatch.setattr(short_compilation, "SHORTEST", 0.0)
    try:
        with pytest.raises(ZeroDivisionError), short_compilation.short_compilation():
            assert settings()[0] is True and settings()[1]
            for _ in range(2):
                jax.jit(lambda x: jnp.cumsum(x * 7.0))(jnp.arange(5.0)).block_until_ready()
            assert hits(listened) == 1
            1 / 0
        assert settings() == held
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


def test_a_cache_that_is_there_is_kept(tmp_path):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    try:
        with short_compilation.short_compilation():
            assert settings()[:2] == [True, str(tmp_path)]
        assert settings()[0] is False
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


def test_xla_is_given_the_flags_that_shorten_compilation(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_a=1")
    with short_compilation.short_compilation():
        assert os.environ["XLA_FLAGS"].split() == ["--xla_a=1", *xla.supported(xla.SHORT_COMPILATION)]
    assert os.environ["XLA_FLAGS"] == "--xla_a=1"
