"""Replicates domains from one Xen host to another, and decides there whether the copy may run."""
