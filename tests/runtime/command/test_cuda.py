"""Whether a process uses a CUDA driver, by what the system says of it."""

import pytest

from forge_jobs.runtime.command import cuda

pytestmark = pytest.mark.once

PLAIN = """\
55d0c0a00000-55d0c0a01000 r--p 00000000 fd:01 1311 /usr/bin/python3.11
7f0000000000-7f0000021000 rw-p 00000000 00:00 0
7f1d5c000000-7f1d5c400000 r-xp 00000000 fd:01 4711 /usr/lib/x86_64-linux-gnu/libc.so.6
7ffd3b5e2000-7ffd3b603000 rw-p 00000000 00:00 0 [stack]
"""
TORCH = """\
7f1d70000000-7f1d70100000 r-xp 00000000 fd:01 90 /env/lib/torch/lib/libtorch_cuda.so
7f1d71000000-7f1d71100000 r-xp 00000000 fd:01 91 /env/lib/nvidia/cuda_runtime/lib/libcudart.so.12
"""
MANAGEMENT = """\
7f1d72000000-7f1d72100000 r-xp 00000000 fd:01 92 /usr/lib/x86_64-linux-gnu/libnvidia-ml.so.570.86
"""
DRIVER = """\
7f1d73000000-7f1d73100000 r--p 00000000 fd:01 93 /usr/lib/x86_64-linux-gnu/libcuda.so.570.86.15
7f1d73100000-7f1d73800000 r-xp 00100000 fd:01 93 /usr/lib/x86_64-linux-gnu/libcuda.so.570.86.15
"""
IN_WINDOWS = """\
7f1d73000000-7f1d73100000 r--p 00000000 00:2b 7 /usr/lib/wsl/drivers/nv 1/libcuda.so.1.1
"""
DESCRIPTORS = ["/dev/null", "socket:[31461531]", "pipe:[7]", ""]
DEVICES = ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0"]


@pytest.mark.parametrize(
    ("mapped", "opened", "told"),
    [
        (
            PLAIN + TORCH + DRIVER,
            DEVICES,
            "libcuda.so.570.86.15 is loaded, /dev/nvidia-uvm is open",
        ),
        (PLAIN + IN_WINDOWS, ["/dev/dxg"], "libcuda.so.1.1 is loaded, /dev/dxg is open"),
    ],
)
def test_a_driver_is_in_use_where_it_is_loaded_and_has_a_device_open(
    mapped: str, opened: list[str], told: str
) -> None:
    assert cuda.found(mapped=mapped, opened=DESCRIPTORS + opened) == told


@pytest.mark.parametrize(
    ("mapped", "opened"),
    [
        pytest.param("", [], id="the system tells nothing"),
        pytest.param(PLAIN, [], id="nothing of it is there"),
        pytest.param(PLAIN + TORCH, [], id="PyTorch is loaded and has not been asked"),
        pytest.param(PLAIN + TORCH + MANAGEMENT, DEVICES[:1], id="devices have been counted"),
        pytest.param(PLAIN + TORCH + DRIVER, [], id="there is no device"),
    ],
)
def test_what_does_no_harm_to_forks_is_not_taken_for_it(mapped: str, opened: list[str]) -> None:
    assert cuda.found(mapped=mapped, opened=DESCRIPTORS + opened) == ""


def test_this_very_process_uses_none() -> None:
    assert cuda.driver_in_use() == ""
