"""Choose the device, and ask for its free memory."""

import os

import torch

from ganvas.errors import UserError

__all__ = ["free_memory", "pick_device"]

DEVICES = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str) -> torch.device:
    """The device that `--device` names; "auto" is the best one available.

    Raises:
        UserError: the name is unknown, or the machine has no such device.
    """
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])

    if name not in available:
        raise UserError(f"--device {name} is unknown; choose one of {', '.join(DEVICES)}")
    if not available[name]:
        raise UserError(f"--device {name}: this machine has no {name}; use --device cpu or auto")

    if name == "cuda":
        # torchrun gives each process of a machine its own GPU by LOCAL_RANK.
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
        return device
    return torch.device(name)


def free_memory(device: torch.device) -> int:
    """Free bytes of a GPU; 0 for any other device."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0
