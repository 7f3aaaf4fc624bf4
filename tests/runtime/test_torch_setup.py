"""The CPU flags that Linux lists agree with torch on bfloat16."""

import pytest
import torch

from synthrank.runtime import torch_setup as devices

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
def test_bfloat16_of_cpu_reads_the_flags(tmp_path, monkeypatch, cpuinfo, found):
    monkeypatch.setattr(devices, "GPUS", [])
    monkeypatch.setattr(devices, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    assert devices._bfloat16_of_cpu() is found
    monkeypatch.setattr(devices, "GPUS", [tmp_path])
    assert devices._bfloat16_of_cpu() is None, "torch decides if there is a GPU"


def test_bfloat16_of_cpu_agrees_with_torch():
    assert devices._bfloat16_of_cpu() in (None, bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))
