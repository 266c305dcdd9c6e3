"""What one look at this machine finds: real tmpfs and loop mounts, where root can make them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from datafluid.agent import Host, Tier, survey
from datafluid.agent.mounts import mount_of, read_mounts
from datafluid.model.node_report import NodeReport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1 << 20


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 16 MiB, with a blank in its name."""
    if os.geteuid():
        pytest.skip("mounting needs root: run the tests as root")
    point = tmp_path / "a tier"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(point)], check=True)
    yield point
    subprocess.run(["umount", str(point)], check=True)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own: ext4 in a file of 32 MiB."""
    if os.geteuid() or not shutil.which("mkfs.ext4"):
        pytest.skip("a loop mount needs root and mkfs.ext4: run as root, install e2fsprogs")
    image, point = tmp_path / "disk.img", tmp_path / "disk"
    image.write_bytes(b"")
    os.truncate(image, 32 * MIB)
    point.mkdir()
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    if subprocess.run(["mount", "-o", "loop", str(image), str(point)], capture_output=True).returncode:
        pytest.skip("this kernel has no free loop device: load the module `loop`")
    yield point
    subprocess.run(["umount", str(point)], check=True)


def test_a_tier_in_memory_is_told_with_its_disk_and_its_fill(mounted: Path) -> None:
    """tmpfs is no disk of the node by itself, but one that a tier is on is told."""
    (mounted / "cached").write_bytes(b"x" * (3 * MIB))
    assert all(str(mounted) not in disk.mounts for disk in survey("n", now=NOW).disks)
    report = survey("n", now=NOW, tiers=[Tier(path=str(mounted), quota=8 * MIB)])
    disk = report.disk_under(f"{mounted}/deep/below")
    assert disk is not None
    assert (disk.medium, disk.capacity, disk.free) == ("MEM", 16 * MIB, 13 * MIB)
    (tier,) = report.tiers
    assert (tier.used, tier.device, tier.quota) == (3 * MIB, disk.device, 8 * MIB)


def test_a_second_disk_is_found_and_followed(loop: Path) -> None:
    """Its own capacity, not that of the disk it hangs in; what is written is seen at the next look."""
    before = survey("n", now=NOW).disk_under(str(loop))
    assert before is not None
    assert before.filesystem == "ext4"
    assert before.medium in ("SSD", "HDD")
    assert before.capacity < 32 * MIB
    (loop / "file").write_bytes(os.urandom(4 * MIB))
    os.sync()
    after = survey("n", now=NOW).disk_under(str(loop))
    assert after is not None
    assert before.free - after.free >= 4 * MIB


def test_a_disk_is_told_once_however_often_it_is_mounted(loop: Path, tmp_path: Path) -> None:
    """A bind mount of a directory adds neither capacity nor a disk."""
    (loop / "inner").mkdir()
    bound = tmp_path / "bound"
    bound.mkdir()
    subprocess.run(["mount", "--bind", str(loop / "inner"), str(bound)], check=True)
    try:
        report = survey("n", now=NOW, tiers=[Tier(path=str(bound))])
    finally:
        subprocess.run(["umount", str(bound)], check=True)
    devices = [disk.device for disk in report.disks]
    assert len(devices) == len(set(devices))
    disk = report.disk_under(str(loop))
    assert disk is not None
    assert report.tiers[0].device == disk.device


def test_files_with_two_names_and_holes_count_what_they_take(tmp_path: Path) -> None:
    """The blocks on disk, once each."""
    (tmp_path / "one").write_bytes(b"x" * MIB)
    os.link(tmp_path / "one", tmp_path / "two")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 1 << 40)
    (tmp_path / "link").symlink_to("/")
    os.sync()
    (tier,) = survey("n", now=NOW, tiers=[Tier(path=str(tmp_path))], pages=False).tiers
    assert tier.used == MIB
    assert tier.resident is None


def test_what_cannot_be_read_is_unknown_and_not_empty(tmp_path: Path) -> None:
    """A tier that is not there, or not ours: no figure, and a reason."""
    report = survey("n", now=NOW, tiers=[Tier(path=str(tmp_path / "none"), quota=5)])
    assert report.tiers[0].used is None
    assert report.unknown == (f"how full {tmp_path}/none is: No such file or directory.",)


def test_a_container_sees_the_nodes_directories(tmp_path: Path) -> None:
    """The mount table is that of the node's first process; sizes come from where the node's root appears."""
    (tmp_path / "proc/1").mkdir(parents=True)
    table = (
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "23 22 8:17 / /data rw - xfs /dev/sdb1 rw\n"
        "24 22 0:50 / /shared rw - nfs4 server:/x rw\n"
        "25 22 7:3 / /snap/x ro - squashfs /dev/loop3 ro\n"
        "26 22 8:17 /vol /var/lib/kubelet/pods/u/volumes/v rw - xfs /dev/sdb1 rw\n"
    )
    (tmp_path / "proc/1/mountinfo").write_text(table)
    for device, disk, rotational in (("8:1", "sda/sda1", "0"), ("8:17", "sdb/sdb1", "1")):
        (tmp_path / f"sys/block/{disk}").mkdir(parents=True)
        (tmp_path / f"sys/block/{disk}").parent.joinpath("queue").mkdir()
        (tmp_path / f"sys/block/{disk}").parent.joinpath("queue/rotational").write_text(f"{rotational}\n")
        (tmp_path / "sys/dev/block").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"sys/dev/block/{device}").symlink_to(tmp_path / f"sys/block/{disk}")
    (tmp_path / "data/cache").mkdir(parents=True)
    (tmp_path / "data/cache/block").write_bytes(b"y" * 8192)
    report = survey("n", now=NOW, tiers=[Tier(path="/data/cache")], host=Host(root=str(tmp_path)))
    assert [(disk.mounts, disk.medium) for disk in report.disks] == [(("/",), "SSD"), (("/data",), "HDD")]
    assert (report.tiers[0].used, report.tiers[0].device) == (8192, "8:17")
    assert report.elsewhere == ("/shared",)
    assert report.disk_under("/shared/cache") is None
    assert "the page cache: the kernel gives no figures." in report.unknown


def test_later_mounts_hide_earlier_ones(tmp_path: Path) -> None:
    """Two mounts on one point: the later one holds what is below."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:1 / /m rw - ext4 /dev/a rw\n3 1 8:2 / /m rw - xfs /dev/b rw\n"
    )
    mounts = read_mounts(str(table))
    holding = mount_of("/m/x", mounts)
    assert holding is not None
    assert holding.device == "8:2"
    assert mount_of("/mx", mounts) == mounts[0]
    assert read_mounts(str(tmp_path / "none")) == []


def test_a_report_survives_its_text(mounted: Path) -> None:
    """JSON and back, a real one."""
    report = survey("n", now=NOW, tiers=[Tier(path=str(mounted))], files={"x": __file__})
    assert NodeReport.parse(report.to_json()) == report
