"""The fence on the NFS server: in, calls of the Xen hosts; out, one host at most that may write a guest's disk."""
