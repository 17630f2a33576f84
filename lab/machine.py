"""Machines: in, an instance, a host and the images; out, a QEMU of its own that runs Xen or Linux."""

from pathlib import Path
from typing import Final

from lab import network, processes
from lab.acceleration import cpu
from lab.commands import run
from lab.image.build import Images
from lab.landscape import Host, Instance
from lab.processes import Process

_DOM0_MIB: Final = 1024
_XEN: Final = (
    "placeholder console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning "
    f"dom0_mem={_DOM0_MIB}M,max:{_DOM0_MIB}M dom0_max_vcpus=1 dom0_vcpus_pin "
    # nobody attacks a lab, and each of these costs emulated cycles at every entry
    "spec-ctrl=no xpti=no pv-l1tf=no watchdog=0"
)
_LINUX: Final = (
    "root=/dev/vda rw rootfstype=ext4 net.ifnames=0 mitigations=off audit=0 apparmor=0 selinux=0 quiet "
    "systemd.show_status=1"
)


def command(lab: Instance, host: Host, images: Images, accelerator: str, restore: str | None = None) -> list[str]:
    """QEMU's words for a host; `restore` names the snapshot to start from, paused."""
    words = ["qemu-system-x86_64", "-name", f"{lab.namespace}-{host.name}", "-machine", "pc", "-nodefaults"]
    words += ["-display", "none", "-vga", "none", "-no-user-config", "-rtc", "base=utc"]
    words += [
        "-accel",
        accelerator,
        "-cpu",
        cpu(accelerator, xen=host.kind == "xen"),
        "-m",
        f"{host.memory_mib}",
        "-smp",
        f"{host.cpus}",
    ]
    words += [*([] if lab.plain else _kernel(host, images)), *_devices(lab, host)]
    return words + (["-loadvm", restore, "-S"] if restore else [])


def _kernel(host: Host, images: Images) -> list[str]:
    linux = f"{_LINUX} systemd.hostname={host.name} lab.address={host.address}/24"
    initrd = str(images.boot("initrd.img"))
    if host.kind == "nfs":
        return ["-kernel", f"{images.boot('vmlinuz')}", "-initrd", initrd, "-append", f"{linux} console=ttyS0"]
    # multiboot: Xen's modules are in -initrd, each with its words; a comma in them would end one, so none is there
    modules = f"{images.boot('vmlinux')} {linux} console=hvc0,{initrd}"
    return ["-kernel", f"{images.boot('xen')}", "-append", _XEN, "-initrd", modules]


def _devices(lab: Instance, host: Host) -> list[str]:
    disk = f"file={lab.disk(host)},if=virtio,format=qcow2,cache=writeback"
    serial = f"socket,id=serial,path={lab.console(host)},server=on,wait=off,logfile={lab.log(host)},logappend=on"
    return [
        *("-drive", disk),
        *("-netdev", f"tap,id=net,ifname={host.port},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=net,mac={host.mac},romfile="),
        *("-qmp", f"unix:{lab.monitor(host)},server=on,wait=off"),
        *("-chardev", serial, "-serial", "chardev:serial"),
    ]


def create_disk(lab: Instance, host: Host, images: Images) -> None:
    """An empty overlay over the image, unless the host has one already."""
    if not lab.disk(host).exists():
        base = images.disk("plain" if lab.plain else host.kind)
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", lab.disk(host))


def pid_file(lab: Instance, host: Host) -> Path:
    """Where the pid of a host's QEMU or nspawn is."""
    return lab.run / f"{host.name}.pid"


def find(lab: Instance, host: Host) -> Process | None:
    """The QEMU of a host while it runs."""
    return processes.find(pid_file(lab, host))


def start(lab: Instance, host: Host, images: Images, accelerator: str, restore: str | None = None) -> Process:
    """Start a host that is not running."""
    words = network.inside(lab.namespace, *command(lab, host, images, accelerator, restore))
    return processes.start(words, pid_file(lab, host), lab.log(host))
