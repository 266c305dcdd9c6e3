"""Fluid's mutating webhook for pods, as a program of rules: what it would do, without a cluster."""

from __future__ import annotations

from datafluid.workload.webhook.preview import Preview, preview_webhook

__all__ = ["Preview", "preview_webhook"]
