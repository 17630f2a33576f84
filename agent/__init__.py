"""Watches a Xen host, a machine or the inside of a guest, and carries decisions to the pacer."""
