"""The lab: in, this machine; out, a real Xen pair, an NFS server, a client and a monitor on it, in namespaces."""
