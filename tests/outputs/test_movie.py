"""A film holds the frames of the run, in order, each with its time."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from seedsoil.outputs import movie, planes, style
from seedsoil.outputs.reader import open_run


def test_a_gif_has_frames_of_the_run_evenly_thinned(flat_run: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = movie.write_movie(
        flat_run, tmp_path / "film.gif", frames_per_s=4, frames_most=2, progress=lambda *at: seen.append(at)
    )
    film = Image.open(path)
    frames = [np.asarray(frame.convert("RGB"), int) for frame in ImageSequence.Iterator(film)]
    assert len(frames) == 2 and seen == [(1, 2), (2, 2)]
    assert film.info["duration"] == 250
    height, width, _ = frames[0].shape
    assert width == 1280 and height % 2 == 0
    # the tumour grows: there is much more of its blue at the end
    blue = [(np.abs(frame - style.rgb(style.EPITHELIAL) * 255).sum(axis=2) < 40).sum() for frame in frames]
    assert 0 < 2 * blue[0] < blue[1]


def test_a_frame_has_time_scale_and_legend(flat_run: Path) -> None:
    run = open_run(flat_run)
    with run.dataset() as dataset, style.styled():
        shown = planes.window(dataset, 2, 20.0)
        figure = movie.movie_frame(dataset, run.series(), 1, shown, {"matrix": 1.0}, "costs $5 and $6")
    said = [text.get_text() for text in figure.texts]
    assert "day 5" in said and figure.get_suptitle() == r"costs \$5 and \$6"
    assert [text.get_text() for text in figure.axes[0].texts] == ["200 µm"]
    legend = [text.get_text() for part in figure.subfigs for own in part.legends for text in own.get_texts()]
    assert {"epithelial cell", "mesenchymal cell", "blood vessel"} <= set(legend)
    curve = next(axes for axes in figure.findobj() if getattr(axes, "get_ylabel", str)() == "tumour cells")
    time, _ = curve.lines[0].get_data()  # pyright: ignore
    assert time[-1] == pytest.approx(5.0)  # up to now, and no further


def test_mp4_needs_its_encoder_and_other_endings_are_refused(
    flat_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"\.mp4 or \.gif"):
        movie.write_movie(flat_run, tmp_path / "film.avi")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"imageio-ffmpeg"):
        movie.write_movie(flat_run, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("imageio_ffmpeg") is None, reason="the extra [movie] is not installed")
def test_an_mp4_can_be_read_back(flat_run: Path, tmp_path: Path) -> None:
    import imageio_ffmpeg  # pyright: ignore[reportMissingImports]

    path = movie.write_movie(flat_run, tmp_path / "film.mp4")
    frames = imageio_ffmpeg.read_frames(str(path))
    assert next(frames)["size"][0] == 1280
    assert len(list(frames)) == 3
