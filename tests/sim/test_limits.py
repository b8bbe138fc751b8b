"""What does not fit is refused, and what is proposed instead fits; what a scenario is warned of."""

from pathlib import Path

import pytest
from sized_scenarios import TWO_ORGANS, scenario

from seedsoil.sim import limits
from seedsoil.sim.errors import InputError
from seedsoil.sim.estimate import estimate
from seedsoil.sim.limits import largest_lattice, refuse_what_cannot_run
from seedsoil.sim.warned import warnings_of

GIB = 2**30


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("arch", ["cpu", "cuda"])
def test_the_proposed_lattice_is_the_largest_that_fits(flat: bool, arch: str) -> None:
    asked = scenario(lattice={"shape": [1, 40_000, 40_000] if flat else [1000, 1000, 1000]}, body=TWO_ORGANS)
    room = {"host_bytes": 3 * GIB, "device_bytes": GIB, "disk_bytes": 2 * GIB}
    shape = largest_lattice(asked, arch, room)
    assert shape is not None

    def fits(edge: int) -> bool:
        table = {"shape": [1 if flat else edge, edge, edge]}
        needs = estimate(scenario(lattice=table, body=TWO_ORGANS), arch)
        return all(getattr(needs, key) <= most for key, most in room.items())

    assert shape[0] == (1 if flat else shape[1])
    assert fits(shape[1]) and not fits(shape[1] + 1)


def test_too_much_memory_is_refused_with_what_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 2 * GIB)
    large = scenario(lattice={"shape": [600, 600, 600]}, title="big \x1b[31m")
    with pytest.raises(InputError) as caught:
        refuse_what_cannot_run(large, tmp_path)
    message = str(caught.value)
    shape = largest_lattice(large, "cpu", {"host_bytes": 2 * GIB})
    assert shape is not None and f"lattice.shape = {list(shape)}" in message
    assert "2 GiB are free" in message and "big \\x1b[31m" in message
    assert message.endswith("Nothing was run.")
    fitting = scenario(lattice={"shape": list(shape)})
    assert refuse_what_cannot_run(fitting, tmp_path).voxels == shape[0] ** 3


def test_too_little_disk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = scenario(lattice={"shape": [64, 64, 64]}, output={"every_h": 0.5})
    monkeypatch.setattr(limits, "free_disk", lambda _: 10**6)
    with pytest.raises(InputError, match="of disk space, 977 KiB are free") as caught:
        refuse_what_cannot_run(asked, tmp_path)
    assert "A longer output.every_h" in str(caught.value)
    assert refuse_what_cannot_run(asked).frames == 201  # no folder, no disk to look at


def test_a_gpu_too_small_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 2**50)
    asked = scenario(lattice={"shape": [512, 512, 512]})
    with pytest.raises(InputError, match="of memory of the GPU, 1 GiB are free"):
        refuse_what_cannot_run(asked, device="cuda", gpu_free_bytes=GIB)
    assert refuse_what_cannot_run(asked, device="cuda").device_bytes > GIB


def test_organs_alone_can_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: GIB)
    with pytest.raises(InputError, match=r"smaller body\.organ_shape"):
        refuse_what_cannot_run(scenario(body={**TWO_ORGANS, "organ_shape": [500, 500, 500]}))


def test_more_ticks_or_substeps_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(InputError, match="10000000000 ticks"):
        refuse_what_cannot_run(scenario(until_h=1e4, lattice={"shape": [1, 32, 32], "tick_h": 1e-6}))
    with pytest.raises(InputError, match="protease substeps a tick"):
        refuse_what_cannot_run(scenario(solutes={"protease": {"diffusivity_um2_per_h": 1e8, "solver": "explicit"}}))


def test_warnings() -> None:
    given = {"matrix": {"contact_per_h": 0.1}, "solutes": {"protease": {"secretion_per_h": 0.1}}}
    assert warnings_of(scenario(**given)) == []
    slow = scenario(
        **given,
        lattice={"shape": [1, 32, 32], "tick_h": 12},
        proliferation={"epithelial_per_h": 0.001, "mesenchymal_per_h": 0.001},
        output={"every_h": 200},
        body={"transit_h": 1},
    )
    assert [text.split()[0] for text in warnings_of(slow)] == ["body.transit_h", "output.every_h"]


def test_a_default_for_another_voxel_and_a_rounded_clock_are_pointed_out() -> None:
    told = "\n".join(warnings_of(scenario()))
    assert "matrix.contact_per_h" in told and "secretion_per_h" in told
    exact = {
        "lattice": {"shape": [8, 16, 16], "voxel_um": 5.0, "tick_h": 0.5},
        "proliferation": {"law": "clock", "epithelial_per_h": 0.1, "mesenchymal_per_h": 0.05},
    }
    assert not warnings_of(scenario(**exact))
    off = {**exact, "proliferation": {"law": "clock", "epithelial_per_h": 1.5, "mesenchymal_per_h": 0.05}}
    assert "epithelial_per_h" in "\n".join(warnings_of(scenario(**off)))


def test_a_checkpoint_that_a_signal_would_wait_for_is_warned_of() -> None:
    def told(nz: int) -> list[str]:
        large = scenario(lattice={"shape": [nz, 1024, 1024], "voxel_um": 5.0})
        return [text for text in warnings_of(large) if "checkpoint" in text]

    assert told(100) == []
    (text,) = told(1000)
    assert "20 s" in text and "GiB" in text
