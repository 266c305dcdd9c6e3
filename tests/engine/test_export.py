"""Datasets published as symlinks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafluid.engine.export import export_links, remove_links
from datafluid.errors import Conflict

OWNER = "default/flights"


@pytest.fixture
def tier(tmp_path: Path) -> Path:
    """A directory that looks like a tier's own."""
    own = tmp_path / "tier" / ".datafluid-ab"
    own.mkdir(parents=True)
    return own


def cached(tier: Path, name: str, text: str = "x") -> str:
    file = tier / name
    file.write_text(text)
    return str(file)


def links(directory: Path) -> dict[str, str]:
    """Every link below a directory, and where it points."""
    return {str(path.relative_to(directory)): os.readlink(path) for path in directory.rglob("*") if path.is_symlink()}


def test_files_appear_under_their_real_names(tier: Path, tmp_path: Path) -> None:
    """Each file of the dataset is a link that reads as the cached file."""
    targets = {"a.csv": cached(tier, "1", "one"), "year=2013/b.csv": cached(tier, "2", "two")}
    done = export_links(OWNER, targets, tmp_path / "out")
    assert (tmp_path / "out/year=2013/b.csv").read_text() == "two"
    assert done.files == 2
    assert set(done.added) == set(targets.values())


def test_exporting_again_changes_nothing(tier: Path, tmp_path: Path) -> None:
    """A second export of the same files adds and drops nothing."""
    targets = {"a.csv": cached(tier, "1")}
    export_links(OWNER, targets, tmp_path / "out")
    again = export_links(OWNER, targets, tmp_path / "out")
    assert (again.added, again.dropped) == ((), ())


def test_a_new_version_replaces_the_old_and_gone_files_go(tier: Path, tmp_path: Path) -> None:
    """Links follow the dataset: changed files point to the new version, removed ones disappear with their directory."""
    out = tmp_path / "out"
    export_links(OWNER, {"a": cached(tier, "1"), "old/b": cached(tier, "2")}, out)
    done = export_links(OWNER, {"a": cached(tier, "3")}, out)
    assert links(out) == {"a": str(tier / "3")}
    assert set(done.dropped) == {str(tier / "1"), str(tier / "2")}
    assert not (out / "old").exists()


def test_a_file_that_became_a_directory_is_followed(tier: Path, tmp_path: Path) -> None:
    """`a` then `a/b`, and back again: both exports succeed."""
    out, one, two = tmp_path / "out", cached(tier, "1"), cached(tier, "2")
    export_links(OWNER, {"a": one}, out)
    export_links(OWNER, {"a/b": two}, out)
    assert links(out) == {"a/b": two}
    export_links(OWNER, {"a": one}, out)
    assert links(out) == {"a": one}


@pytest.mark.parametrize("path", ["../evil", "a/../../evil", "/etc/evil", "", "a//b", "./a", "nul\0", "x" * 256])
def test_hostile_paths_are_skipped_and_told(path: str, tier: Path, tmp_path: Path) -> None:
    """A key that no directory can hold writes nothing anywhere and is named in the result."""
    before = sorted(tmp_path.rglob("*"))
    done = export_links(OWNER, {path: str(tier / "1")}, tmp_path / "out")
    assert done.skipped == (path,)
    assert [each for each in sorted(tmp_path.rglob("*")) if each not in before] == [
        tmp_path / "out",
        tmp_path / "out/.datafluid-export.json",
    ]


def test_a_planted_link_is_not_followed(tier: Path, tmp_path: Path) -> None:
    """A link inside the directory that leads out of it is refused, and nothing is written behind it."""
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    export_links(OWNER, {"a": cached(tier, "1")}, out)
    (out / "train").symlink_to(outside)
    with pytest.raises(Conflict):
        export_links(OWNER, {"a": str(tier / "1"), "train/b": cached(tier, "2")}, out)
    assert list(outside.iterdir()) == []


def test_a_file_of_somebody_else_is_not_overwritten(tier: Path, tmp_path: Path) -> None:
    """A regular file in the way is a conflict and keeps its bytes."""
    out = tmp_path / "out"
    export_links(OWNER, {"a": cached(tier, "1")}, out)
    (out / "b").write_text("mine")
    with pytest.raises(Conflict):
        export_links(OWNER, {"a": str(tier / "1"), "b": cached(tier, "2")}, out)
    assert (out / "b").read_text() == "mine"


def test_a_directory_in_use_is_refused(tier: Path, tmp_path: Path) -> None:
    """A directory with other files, or with another dataset's export, is not taken over."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(Conflict, match="not empty"):
        export_links(OWNER, {"a": cached(tier, "1")}, out)
    export_links(OWNER, {"a": str(tier / "1")}, tmp_path / "two")
    with pytest.raises(Conflict, match="default/flights"):
        export_links("default/other", {"a": str(tier / "1")}, tmp_path / "two")


def test_removing_leaves_what_is_not_ours(tier: Path, tmp_path: Path) -> None:
    """Removal takes the links and the empty directories; files, links and directories of others stay."""
    out = tmp_path / "out"
    export_links(OWNER, {"a": cached(tier, "1"), "b/c": cached(tier, "2")}, out)
    (out / "b/notes.txt").write_text("mine")
    (out / "elsewhere").symlink_to("/etc")
    (out / "empty").mkdir()
    done = remove_links(OWNER, out)
    assert set(done.dropped) == {str(tier / "1"), str(tier / "2")}
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.parent != Path("/etc")) == [
        "b",
        "b/notes.txt",
        "elsewhere",
        "empty",
    ]


def test_removing_all_of_it_removes_the_directory(tier: Path, tmp_path: Path) -> None:
    """Nothing is left when nothing of others was there; a second removal says so."""
    export_links(OWNER, {"a/b/c": cached(tier, "1")}, tmp_path / "out")
    remove_links(OWNER, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(FileNotFoundError):
        remove_links(OWNER, tmp_path / "out")


def test_removing_what_was_never_exported_is_refused(tmp_path: Path) -> None:
    """A directory without the marker is not touched."""
    (tmp_path / "a").symlink_to("/etc")
    with pytest.raises(Conflict):
        remove_links(OWNER, tmp_path)
    assert (tmp_path / "a").is_symlink()


segments = st.text(alphabet="ab.", min_size=0, max_size=3)
paths = st.lists(segments, min_size=1, max_size=4).map("/".join)


@settings(deadline=None, max_examples=60)
@given(first=st.sets(paths, max_size=8), second=st.sets(paths, max_size=8))
def test_links_are_exactly_the_last_export(
    first: set[str], second: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever was exported before, afterwards there is one link for each path that can be named, and no other."""
    base = tmp_path_factory.mktemp("export")
    out, tier = base / "out", base / "tier/.datafluid-ab"
    for paths in (first, second):
        targets = {path: str(tier / str(number)) for number, path in enumerate(sorted(paths))}
        done = export_links(OWNER, targets, out)
        assert links(out) == {path: target for path, target in targets.items() if path not in done.skipped}
    remove_links(OWNER, out)
    assert not out.exists()
    assert sorted(base.rglob("*")) == []
