"""Exports, films and reports are there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seedsoil.outputs import export, movie, report
from seedsoil.outputs.whole import whole_file


def test_it_is_there_at_the_end_and_not_before(tmp_path: Path) -> None:
    target = tmp_path / "film.gif"
    target.write_text("old")
    with whole_file(target) as file:
        file.write_text("new")
        assert file.suffix == ".gif" and target.read_text() == "old"
    assert target.read_text() == "new" and os.listdir(tmp_path) == ["film.gif"]


@pytest.mark.parametrize("before", [None, "old"])
def test_a_failure_leaves_what_was_there(tmp_path: Path, before: str | None) -> None:
    target = tmp_path / "frame.vti"
    if before:
        target.write_text(before)
    with pytest.raises(KeyboardInterrupt), whole_file(target) as file:
        file.write_text("half of a")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == (["frame.vti"] if before else [])
    assert not before or target.read_text() == before


def test_a_device_is_written_as_it_is() -> None:
    with whole_file(Path("/dev/null")) as file:
        assert file == Path("/dev/null")


class Broken(Exception):
    pass


def _breaks(*_: object, **__: object) -> None:
    raise Broken


WRITERS: dict[str, tuple[object, str, Callable[[Path, Path], object]]] = {
    "series.csv": (export.csv, "writer", lambda run, folder: export.export(run, "csv", folder)),
    "frame.vti": (export, "_slabs", lambda run, folder: export.export(run, "vti", folder / "frame.vti")),
    "film.gif": (movie, "_save_gif", lambda run, folder: movie.write_movie(run, folder / "film.gif")),
    "tree.nwk": (Path, "write_text", lambda run, folder: export.export(run, "newick", folder / "tree.nwk")),
    "report.html": (Path, "write_text", lambda run, folder: report.write_report(run, folder / "report.html")),
}


@pytest.mark.parametrize("name", WRITERS)
def test_no_writer_leaves_half_a_file(
    solid_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    where, what, write = WRITERS[name]
    (tmp_path / name).write_bytes(b"old")
    monkeypatch.setattr(report, "report_html", lambda _: "<html></html>")  # which takes seconds
    monkeypatch.setattr(where, what, _breaks)
    with pytest.raises(Broken):
        write(solid_run, tmp_path)
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"old"


def test_a_link_goes_on_to_point_and_permissions_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "soils.toml", tmp_path / "link.toml"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target.name)
    with whole_file(link) as file:
        file.write_text("new")
    assert link.is_symlink() and target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
