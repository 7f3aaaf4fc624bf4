"""What the kernel tells of bfloat16 is what torch finds."""

import pytest
import torch

from synthrank import devices

AVX512 = "avx512f avx512bw avx512dq avx512vl"


@pytest.mark.parametrize(
    ("cpuinfo", "found"),
    [
        (f"processor\t: 0\nflags\t\t: fpu avx2 {AVX512} avx512cd\n", True),
        (f"flags\t\t: fpu {AVX512} avx_vnni\n", True),
        ("flags\t\t: fpu avx avx2\n", False),
        ("flags\t\t: fpu avx2 avx512f avx512vl\n", False),
        ("flags\t\t: fpu avx2 avx_vnni\n", None),
        ("Features\t: fp asimd bf16\n", None),
        (None, None),
    ],
)
def test_the_flags_of_a_cpu_tell_of_bfloat16(tmp_path, monkeypatch, cpuinfo, found):
    monkeypatch.setattr(devices, "GPUS", [])
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    assert devices._bfloat16_of_cpu() is found
    monkeypatch.setattr(devices, "GPUS", [tmp_path])
    assert devices._bfloat16_of_cpu() is None, "torch is asked for a GPU"


def test_the_kernel_and_torch_agree():
    assert devices._bfloat16_of_cpu() in (None, bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))
