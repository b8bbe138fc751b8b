"""What a machine has left: memory, also of a control group and of a GPU, and disk."""

from pathlib import Path

import pytest

from seedsoil.sim import available

GIB = 2**30


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal:  9000 kB\nMemFree: 10 kB\nMemAvailable:    4000 kB\n"}


def test_memory_of_a_machine(tmp_path: Path) -> None:
    assert available.available_memory(tree(tmp_path, MEMINFO)) == 4000 * 1024
    assert available.available_memory(tmp_path / "nothing") is None


def test_memory_below_the_limit_of_a_control_group(tmp_path: Path) -> None:
    two = {
        **MEMINFO,
        "proc/self/cgroup": "0::/job/step\n",
        "sys/fs/cgroup/job/step/memory.max": "max\n",
        "sys/fs/cgroup/job/step/memory.current": "5\n",
        "sys/fs/cgroup/job/memory.max": "2000000\n",
        "sys/fs/cgroup/job/memory.current": "1500000\n",
        "sys/fs/cgroup/job/memory.stat": "anon 7\ninactive_file 300000\n",
    }
    assert available.available_memory(tree(tmp_path / "v2", two)) == 2_000_000 - 1_200_000
    one = {
        **MEMINFO,
        "proc/self/cgroup": "5:cpu:/x\n4:memory:/gone/away\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "400000\n",
    }
    assert available.available_memory(tree(tmp_path / "v1", one)) == 600_000
    one["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    assert available.available_memory(tree(tmp_path / "v1", one)) == 4000 * 1024
    one["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "300000\n"
    assert available.available_memory(tree(tmp_path / "v1", one)) == 0


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = available.free_disk(tmp_path / "a" / "b")
    assert free is not None and free > 0
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(("visible", "found"), [(None, 1234 * 2**20), ("1,0", 1234 * 2**20), ("", None), ("-1", None)])
def test_free_memory_of_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, found: int | None
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\necho "$@" > "$0.called"\necho 1234\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert available.gpu_free_bytes() == found
    if visible == "1,0":
        assert "-i 1 " in (tmp_path / "nvidia-smi.called").read_text()


def test_bytes_for_people() -> None:
    assert [available.readable_bytes(n) for n in (0, 1023, 1536, 5 * GIB, 2**45)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5 GiB",
        "32.0 TiB",
    ]
