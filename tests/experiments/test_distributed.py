"""One run of several processes on the loopback of this machine: as of one process; killed and continued."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from attention_lab.training import checkpoint
from experiments import hosts, sweep, train

ROOT = pathlib.Path(__file__).parents[2]
STEPS = 32
RUN = [f"--config={ROOT}/configs/recall.py:smoke", f"--config.training.steps={STEPS}",
       "--config.training.eval_every=16", "--config.training.checkpoint_every=4",
       "--config.training.log_every=2", "--config.training.average_decay=0.9"]


def free_port(ports):
    for port in ports:
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("", port))
            return free.getsockname()[1]


def started(count, *argv, group=None, slurm=False):
    """`count` processes of a group, of one device each.

    group: how many there are to be. slurm: they find each other by the environment of a job of Slurm.
    """
    port = free_port(range(65000, 61440, -7) if slurm else [0])
    flags = [flag for flag in os.environ["XLA_FLAGS"].split() if "device_count" not in flag]
    processes = []
    for index in range(count):
        described = {
            "SLURM_JOB_ID": str(port - 61440), "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": str(count),
            "SLURM_PROCID": str(index), "SLURM_LOCALID": str(index)} if slurm else {
            "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}", "JAX_NUM_PROCESSES": str(group or count),
            "JAX_PROCESS_ID": str(index)}
        env = os.environ | described | {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": " ".join([*flags, "--xla_force_host_platform_device_count=1"])}
        own = [word[index] if isinstance(word, tuple) else word for word in argv]
        processes.append(subprocess.Popen(
            [sys.executable, "-m", "experiments.train", "--distributed", *RUN, *own], env=env, cwd=ROOT,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    return processes


def ended(processes, timeout=300):
    """Status, stdout, and the lines of stderr of each that are errors."""
    ends = []
    for process in processes:
        out, err = process.communicate(timeout=timeout)
        assert "Traceback" not in err and "Check failure" not in err
        ends.append((process.returncode, out, [line for line in err.splitlines() if "error" in line]))
    return ends


def losses(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {(line["step"], name): line[name] for line in lines for name in ("loss", "dev_loss")
            if name in line}


@pytest.mark.once
def test_killed_at_two_processes_it_goes_on_at_one_and_ends_at_four(tmp_path, call, monkeypatch):
    folder, lone = tmp_path / "run", tmp_path / "lone"
    two = started(2, f"--workdir={folder}")
    while not (folder / "checkpoints" / "4").exists():
        assert all(process.poll() is None for process in two), ended(two)
        time.sleep(0.01)
    two[1].kill()
    begun = time.monotonic()
    (status, _, lines), (killed, _, _) = ended(two)
    assert (status, lines, killed) == (3, [f"train: error: {hosts.LOST}"], -9)
    assert time.monotonic() - begun < 60

    def stopped(checkpoints, *rest):
        if checkpoint.steps(checkpoints)[-1] >= 16:
            raise KeyboardInterrupt
        return prune(checkpoints, *rest)

    prune = checkpoint.prune
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "prune", stopped)
        assert call(train, *RUN, f"--workdir={folder}")[0] == 130
    elsewhere = f"--workdir={tmp_path / 'elsewhere'}"  # as on hosts that don't see the run's folder
    first, *others = ended(started(4, (f"--workdir={folder}", elsewhere, elsewhere, elsewhere), slurm=True))
    assert first[0] == 0 and f"steps\t{STEPS}" in first[1] and first[2] == []
    assert others == [(0, "", [])] * 3
    assert not (tmp_path / "elsewhere").exists()

    assert call(train, *RUN, f"--workdir={lone}")[0] == 0
    expected = losses(lone)
    assert losses(folder) == {key: pytest.approx(value, rel=1e-5) for key, value in expected.items()}
    assert len(expected) == STEPS // 2 + 2
    assert (folder / "predictions.tsv").exists() == (lone / "predictions.tsv").exists()
    # A finished run is not trained again, whoever asks.
    assert call(train, *RUN, f"--workdir={folder}")[0] == 0


def test_processes_of_different_configs_are_told_so_in_one_line(tmp_path):
    unlike = started(2, f"--workdir={tmp_path / 'run'}", ("--config.seed=3", "--config.seed=4"))
    first, second = ended(unlike)
    assert first == (2, "", ["train: error: the processes of one run differ: config.seed is 4 in process 1 "
                             "and 3 in process 0"])
    assert second[0] == 2
    assert not (tmp_path / "run").exists()


def test_a_process_whose_others_do_not_come_says_so(tmp_path):
    (end,) = ended(started(1, f"--workdir={tmp_path / 'run'}", "--wait=1", group=2))
    assert end[0] == 2
    assert len(end[2]) == 1 and "not all processes of the group came in time (--wait)" in end[2][0]


@pytest.mark.parametrize("program, flag, line", [
    (sweep, "--seeds=0:2", "sweep: error: --distributed trains one run: a sweep's cells go to several hosts "
                           "by --storage and --join\n"),
    (train, "--dry_run", "train: error: --distributed and --dry_run don't go together: estimates and "
                         "profiles are of one process\n")])
def test_what_is_not_distributed_is_refused(call, program, flag, line):
    assert call(program, RUN[0], "--distributed", flag) == (2, "", line)
