"""The report stands alone, is well formed, and says in words what a run does not hold."""

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_up_run import RESOLVED, write
from PIL import Image

from seedsoil.outputs import report_facts, style
from seedsoil.outputs.errors import RunFileError
from seedsoil.outputs.reader import open_run
from seedsoil.outputs.report import report_html, write_report

VOID = {"meta", "img", "br", "col"}


class Page(HTMLParser):
    """What a browser would make of a page: its texts, images, links and whether its tags balance."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.images: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(html)
        self.faults += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "iframe", "object", "base"):
            self.faults.append(tag)
        if tag == "img":
            self.images.append(values["src"] or "")
            assert values["alt"]
        self.loads += [v or "" for k, v in attrs if k in ("src", "srcset", "data", "poster", "action")]
        self.faults += [k for k, _ in attrs if k.startswith("on")]
        if "id" in values:
            self.anchors.add(values["id"] or "")
        if tag == "a":
            self.links.append(values["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub("[ \n]+", " ", " ".join(self.texts))  # thin spaces stay


@pytest.fixture(scope="module")
def solid_page(solid_run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("page") / "elsewhere.html"
    assert write_report(solid_run, target) == target
    assert list(target.parent.iterdir()) == [target]  # nothing beside it
    return target.read_text("utf-8")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made, but not turned into pixels."""
    monkeypatch.setattr(style, "png", lambda figure, dpi=0: b"")
    monkeypatch.setattr(style, "svg", lambda figure, dpi=0: b"")


def test_the_page_is_well_formed_and_needs_nothing_else(solid_page: str) -> None:
    page = Page(solid_page)
    assert page.faults == []
    assert page.images and all(source.startswith("data:image/") for source in page.loads)
    assert all(link.startswith("#") and link[1:] in page.anchors for link in page.links)
    css = re.search(r"<style>(.*?)</style>", solid_page, re.DOTALL)
    assert css and "url(" not in css[1] and "@import" not in css[1]
    assert "default-src 'none'" in solid_page


def test_a_fault_in_a_page_would_be_seen() -> None:
    assert Page("<p><b></p>").faults
    assert Page('<p onclick="x"></p>').faults
    assert Page("<p>").faults
    assert Page("<script></script>").faults


def test_images_decode_and_are_not_blank(solid_page: str) -> None:
    kinds = {"png": 0, "svg+xml": 0}
    for source in Page(solid_page).images:
        head, data = source.split(";base64,")
        kind = head.removeprefix("data:image/")
        kinds[kind] += 1
        content = base64.b64decode(data)
        if kind == "png":
            assert Image.open(io.BytesIO(content)).convert("RGB").getcolors(maxcolors=100) is None  # there are more
        else:
            tree = ElementTree.fromstring(content)
            assert len(list(tree.iter("{http://www.w3.org/2000/svg}path"))) > 20
            assert not [e for e in tree.iter() if str(e.get("{http://www.w3.org/1999/xlink}href", "#"))[0] not in "#d"]
    assert kinds["png"] >= 3 and kinds["svg+xml"] >= 4


def test_text_of_the_run_is_escaped(solid_page: str) -> None:
    assert "<script" not in solid_page
    assert "<script>alert('$1')</script> & more" in Page(solid_page).text


def test_every_parameter_stands_there_with_its_value_and_source(solid_page: str) -> None:
    text = Page(solid_page).text
    for row in RESOLVED:
        assert str(row["name"]).rpartition(".")[2] in text
        assert str(row["source"]) in text
    assert "7 values, 3 of them given by the scenario" in text
    # two rows and the sentence that explains the mark
    assert solid_page.count("class='tag assumed'") == 3


def test_key_numbers_are_those_of_the_run(solid_run: Path, solid_page: str) -> None:
    run = open_run(solid_run)
    text = Page(solid_page).text
    assert f"tumour cells {style.count_text(int(run.series()['tumour_cells'][-1]))}" in text
    assert f"seeds released {int(run.series()['seeds_released'][-1])}" in text
    growing = int((run.colonies()["state"].values == 2).sum())
    assert growing > 0 and f"colonies growing {growing}" in text
    for fact in ("ab" * 32, "taichi 1.7.4", "cpu, 2 threads", "123.4 s", "--rng-key 7", "simulated time 10 d"):
        assert fact in text
    assert "Unfinished" not in text


def test_a_flat_unfinished_run_says_so(flat_run: Path, undrawn: None) -> None:
    page = Page(report_html(open_run(flat_run)))
    assert page.faults == []
    assert "Unfinished. This run was interrupted: it stands at day 10 of 10 days." in page.text
    assert "A tumour in a plane of tissue, 0.8 × 1.2\u00a0mm (40 × 60 voxels of 20\u00a0µm)" in page.text
    assert "parallel projection" not in page.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seeds": 0}, "No tumour cell entered a vessel in this run"),
        ({"organs": ()}, "The scenario has no organs, so no colony could be founded."),
        ({"organs": ("lung",), "seeds": 3}, "No seed founded a colony in lung."),
        ({"frames": 1}, "The run holds a single frame."),
        ({"fields": ("cell",)}, "Not recorded in this run: emt, vessel, matrix, protease."),
        ({"fields": ("cell", "matrix")}, "Not recorded in this run: emt, vessel, protease."),
        ({"cells": False}, "No tumour cell is left in any of the frames shown"),
        ({"frames": 0}, "The run holds no frame yet."),
    ],
)
def test_what_is_absent_is_said(tmp_path: Path, undrawn: None, changes: dict, sentence: str) -> None:
    settings = {"shape": (1, 16, 20), "frames": 3, **changes}
    page = Page(report_html(open_run(write(tmp_path / "run", **settings))))
    assert page.faults == []
    assert sentence in page.text


def test_a_note_in_the_scenario_goes_with_its_own_value_only() -> None:
    text = '[a.b]\nx = 0.5  # assumed: twice\n"y" = "#1"\nz = [1, 2] # "both"\n# x = 3 # no\nw = 2\n'
    notes = report_facts.comments(text)
    assert notes == {"a.b.x": (0.5, "assumed: twice"), "a.b.z": ([1, 2], '"both"')}
    row = {"name": "a.b.x", "value": 0.5, "source": "the scenario's choice (default 0.25: Smith 2001)"}
    assert report_facts._source(row, notes) == "assumed: twice (default 0.25: Smith 2001)"
    assert report_facts._is_assumed(row, notes)
    overridden = {**row, "value": 0.75}
    assert report_facts._source(overridden, notes) == row["source"]
    assert not report_facts._is_assumed(overridden, notes)
    assert report_facts.comments("not = = toml # x") == {}


def test_the_author_s_words_head_the_page() -> None:
    told = SimpleNamespace(attributes={"scenario": "#:schema x\n# One\n#   goes on.\n#\n# Two, <b>.\n\n# no\nt = 1"})
    assert report_facts.about(told) == '<div class="about">One goes on.\n\nTwo, &lt;b&gt;.</div>'  # pyright: ignore


def test_no_run_no_report(tmp_path: Path) -> None:
    with pytest.raises(RunFileError):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_made_up_run_is_one_that_the_reader_knows(solid_run: Path) -> None:
    run = open_run(solid_run)
    run.verify()
    assert json.loads(run.attributes["versions"])["taichi"] == "1.7.4"
    assert run.colonies().sizes["colony"] > 2
