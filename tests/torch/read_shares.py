"""Reads one dataset as several ranks and tells which samples each of them got."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from typing import Any, BinaryIO

import fsspec
from torch.utils.data import DataLoader

from datafluid.torch import FluidFiles, FluidStream, LocalSampler


def first_byte(file: BinaryIO) -> int:
    """The sample of a file."""
    return file.read(1)[0]


def first_bytes(file: BinaryIO) -> list[int]:
    """The samples of a file."""
    return [file.read(1)[0]]


def plain(samples: list[int]) -> list[int]:
    """Samples as they are: nothing is made a tensor."""
    return samples


def read(url: str, rank: int, world: int, **loading: Any) -> dict[str, list[int]]:
    """What one rank reads in two epochs, through both kinds of dataset."""
    files = FluidFiles(url, decode=first_byte)
    sampler = LocalSampler(files, rank=rank, world=world)
    stream = FluidStream(url, samples=first_bytes, shuffle=True, rank=rank, world=world)
    told = {}
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        stream.set_epoch(epoch)
        for what, loader in (
            ("map", DataLoader(files, batch_size=4, sampler=sampler, collate_fn=plain, **loading)),
            ("stream", DataLoader(stream, batch_size=4, collate_fn=plain, **loading)),
        ):
            told[f"{what} {epoch}"] = [sample for batch in loader for sample in batch]
    return told


def distributed_rank(url: str, rank: int, world: int, port: int) -> None:
    """A process of a group."""
    from torch import distributed

    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    distributed.init_process_group("gloo", rank=rank, world_size=world)
    files = FluidFiles(url, decode=first_byte)
    loader = DataLoader(files, batch_size=4, sampler=LocalSampler(files), collate_fn=plain)
    print(json.dumps({"map 0": [sample for batch in loader for sample in batch]}), flush=True)
    distributed.barrier()
    distributed.destroy_process_group()


def wrong() -> None:
    """What cannot be read."""
    import tempfile
    from pathlib import Path

    import datafluid

    name = f"empty-{os.getpid()}"
    directory = Path(tempfile.mkdtemp())
    mount = {"mountPoint": f"local://{directory}", "name": name, "path": "/"}
    api = {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": {"name": "images"}}
    (directory / "a.bin").write_bytes(b"a")
    datafluid.connect().apply({**api, "spec": {"mounts": [mount]}}).wait(timeout=60)
    os.environ["RANK"] = "first"
    for attempt in (
        lambda: FluidStream("fluid://default/images/"),
        lambda: FluidFiles(f"fluid://default/images/{name}/*.none"),
        lambda: FluidStream("fluid://default/images/", rank=2, world=2),
    ):
        try:
            attempt()
        except (FileNotFoundError, ValueError) as error:
            print(error)


def free_port() -> int:
    """A port of loopback that nobody has."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main(url: str, start: str, world: int) -> None:
    """Read as all ranks, one after the other, or as a group of processes."""
    if start == "distributed":
        port = free_port()
        context = multiprocessing.get_context("spawn")
        group = [context.Process(target=distributed_rank, args=(url, rank, world, port)) for rank in range(world)]
        for process in group:
            process.start()
        for process in group:
            process.join()
        sys.exit(max(process.exitcode or 0 for process in group))
    fs = fsspec.filesystem("fluid")
    fs.cat_file(fs.find(url)[-1])  # the parent has used the stores before it forks
    for rank in range(world):
        print(json.dumps(read(url, rank, world, num_workers=2, multiprocessing_context=start)))


if __name__ == "__main__":
    if sys.argv[1] == "wrong":
        wrong()
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
