"""Hosts in network namespaces, whose cables can be pulled: nobody hears a goodbye."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from tests.faults.servers import Host
from tests.running import PATIENCE

SWITCH: Final = f"fj{os.getpid()}-switch"


class Cabled(Host):
    """A host whose one cable goes to the switch."""

    @property
    def namespace(self) -> str:
        return f"fj{os.getpid()}-{self.port}"

    @property
    def port(self) -> str:
        """The name of its place at the switch."""
        return "port" + self.address.rpartition(".")[2]

    def unplug(self) -> None:
        """Lose whatever is sent from now on, in both directions; the interfaces stay up."""
        _ip("-n", SWITCH, "link", "set", self.port, "nomaster")

    def plug_in(self) -> None:
        _ip("-n", SWITCH, "link", "set", self.port, "master", "switch")

    def take_over(self, address: str, *, told: "Cabled") -> None:
        """Be reached at another host's address, too; `told` hears of it at once, as by ARP."""
        _ip("-n", self.namespace, "address", "add", f"{address}/24", "dev", "cable")
        _ip("-n", told.namespace, "neighbour", "flush", "all")


def is_missing() -> str:
    """Why there can be no network here, and what helps; empty if there can be."""
    if not shutil.which("ip"):
        return "the program ip is missing: apt-get install iproute2"
    if os.geteuid() != 0:
        return "network namespaces are root's to make"
    try:
        with network(1):
            return ""
    except AssertionError as error:
        return f"no network namespaces here: {error}"


@contextmanager
def network(hosts: int) -> Iterator[list[Cabled]]:
    """So many hosts at one switch, on a network that nobody else can reach."""
    with ExitStack() as stack:
        stack.enter_context(_namespace(SWITCH))
        _ip("-n", SWITCH, "link", "add", "switch", "type", "bridge")
        _ip("-n", SWITCH, "link", "set", "switch", "up")
        yield [stack.enter_context(_host(number)) for number in range(1, hosts + 1)]


@contextmanager
def _host(number: int) -> Iterator[Cabled]:
    namespace = f"fj{os.getpid()}-port{number}"
    address = f"10.77.0.{number}"
    host = Cabled(address, listen="*", within=("nsenter", f"--net=/run/netns/{namespace}", "--"))
    with _namespace(namespace):
        peer = ("peer", "name", host.port, "netns", SWITCH)
        _ip("link", "add", "cable", "netns", namespace, "type", "veth", *peer)
        _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "cable")
        _ip("-n", namespace, "link", "set", "cable", "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", SWITCH, "link", "set", host.port, "up")
        host.plug_in()
        yield host


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    _ip("netns", "add", name)
    try:
        yield
    finally:
        _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr.strip()}"
