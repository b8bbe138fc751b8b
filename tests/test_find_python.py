"""`make` on a machine with an unsuitable Python ends with one line that says what to install."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "find-python"


def pretend(folder: Path, name: str, version: str, *, venv: bool = True) -> None:
    """Put a Python of this version on a PATH: it answers what the script asks and nothing else."""
    fake = folder / name
    answer = f"case $2 in *version_info*) echo {version} ;; *venv*) {'exit 0' if venv else 'exit 1'} ;; esac"
    fake.write_text(f"#!/bin/sh\n{answer}\n", "utf-8")
    fake.chmod(0o755)


def find(path: Path, *candidates: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the script with nothing but `path` on PATH."""
    done = subprocess.run(
        ["/bin/sh", str(SCRIPT), *candidates],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(path)},
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_python3_is_taken_if_it_will_do(tmp_path: Path, version: str) -> None:
    pretend(tmp_path, "python3", version)
    pretend(tmp_path, "python3.13", "3.13")
    assert find(tmp_path) == (0, str(tmp_path / "python3"), "")


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14", "3.110"])
def test_another_is_taken_if_python3_is_too_old_or_too_new(tmp_path: Path, version: str) -> None:
    pretend(tmp_path, "python3", version)
    pretend(tmp_path, "python3.11", "3.11")
    assert find(tmp_path) == (0, str(tmp_path / "python3.11"), "")


def test_a_python_without_venv_or_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    pretend(tmp_path, "python3", "3.11", venv=False)
    (tmp_path / "python3.13").write_text("#!/bin/sh\necho 'no such version' >&2\nexit 127\n", "utf-8")
    (tmp_path / "python3.13").chmod(0o755)
    pretend(tmp_path, "python3.12", "3.12")
    assert find(tmp_path) == (0, str(tmp_path / "python3.12"), "")


def test_a_named_python_is_the_only_candidate(tmp_path: Path) -> None:
    pretend(tmp_path, "python3", "3.12")
    pretend(tmp_path, "old", "3.8")
    status, chosen, message = find(tmp_path, str(tmp_path / "old"))
    assert (status, chosen) == (1, "")
    assert "found: 3.8;" in message


def test_the_message_names_what_was_found(tmp_path: Path) -> None:
    pretend(tmp_path, "python3", "3.14")
    status, chosen, message = find(tmp_path)
    assert (status, chosen) == (1, "")
    assert message.startswith("seedsoil: needs Python 3.11, 3.12 or 3.13") and "found: 3.14;" in message
    assert len(message.splitlines()) == 1


def test_the_message_without_any_python(tmp_path: Path) -> None:
    status, _, message = find(tmp_path)
    assert status == 1 and "found: none;" in message


def test_the_message_names_the_missing_venv_package(tmp_path: Path) -> None:
    pretend(tmp_path, "python3", "3.12", venv=False)
    status, _, message = find(tmp_path)
    assert status == 1 and "apt install python3.12-venv" in message
    assert len(message.splitlines()) == 1
