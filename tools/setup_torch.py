"""Give this virtual environment PyTorch, for the tests of its slice: ``make setup-torch``.

Debian's package is a twentieth of the default wheel's size, so it is linked in where it fits; elsewhere the wheel is
installed. Run it with the environment's own Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

_DEBIAN = Path("/usr/lib/python3/dist-packages")
_PACKAGES = ("torch", "torchgen", "functorch")


def main() -> None:
    """Install, link, and see that it can be imported."""
    if _works():
        return
    if _debian_fits():
        if not (_DEBIAN / "torch").exists():
            for command in (["update"], ["install", "-y", "--no-install-recommends", "python3-torch"]):
                subprocess.run(["apt-get", "-qq", *command], check=True, stdout=subprocess.DEVNULL)
        _link()
    else:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "torch"], check=True)
    if not _works():
        sys.exit("PyTorch was installed but cannot be imported; its tests will be skipped.")


def _works() -> bool:
    return subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0


def _debian_fits() -> bool:
    """Whether Debian's Python is ours in version, and its packages are there or may be installed."""
    system = Path("/usr/bin/python3")
    if not system.exists():
        return False
    ask = "import sys; print(*sys.version_info[:2])"
    same = subprocess.run([system, "-c", ask], capture_output=True, text=True).stdout.split() == [
        str(part) for part in sys.version_info[:2]
    ]
    return same and ((_DEBIAN / "torch").exists() or (os.getuid() == 0 and shutil.which("apt-get") is not None))


def _link() -> None:
    """Link the three packages only: all else must come from this environment."""
    links = Path(sys.prefix) / "debian-torch"
    links.mkdir(exist_ok=True)
    for name in _PACKAGES:
        link = links / name
        if (_DEBIAN / name).exists() and not link.is_symlink():
            link.symlink_to(_DEBIAN / name)
    Path(sysconfig.get_path("purelib"), "debian_torch.pth").write_text(f"{links}\n")


if __name__ == "__main__":
    main()
