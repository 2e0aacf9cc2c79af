"""Kernels of a keeper, as jupyter_client starts any kernel: through a provisioner.

Registered under ``jupyter_client.kernel_provisioners`` as ``crime-analysis-provisioner``. Where
no keeper can be reached, its kernels are ordinary processes, bound by the same limits.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import math
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Bool, Float, Unicode, default

from . import launch
from .keeper import ADDRESS

__all__ = ["NAME", "KeptProcess", "KeptProvisioner", "PromptClient", "register"]

NAME = "crime-analysis-provisioner"


class KeptProcess:
    """A kernel that a guard watches for us; used like `subprocess.Popen`.

    Closing the connection, on purpose or by dying, ends the kernel and all it started. Once it
    has a `pid`, `cold` says why it is not a warm kernel; it is empty if it is one.

    Parameters
    ----------
    address : str
        The keeper's socket.
    request : dict
        What kernel to start: see `keeper`.
    streams : list of int
        Descriptors of its stdout and stderr.

    Raises
    ------
    OSError
        No keeper answers there.
    """

    stdin = stdout = stderr = None

    def __init__(self, address: str, request: dict[str, Any], streams: list[int]) -> None:
        self.pid = 0
        self.cold: str | None = None
        self.returncode: int | None = None
        self._unread = b""
        self._lock = threading.Lock()
        self._connection = socket.socket(socket.AF_UNIX)
        try:
            self._connection.connect(address)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))
            line = json.dumps(request).encode() + b"\n"
            sent = self._connection.sendmsg([line], [rights])
            self._connection.sendall(line[sent:])
        except BaseException:
            self._connection.close()
            raise

    def poll(self) -> int | None:
        """Return the exit code, or None while the kernel or anything of it lives."""
        self._listen(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the kernel and all it started are gone; return the exit code."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            self._listen(0.5 if deadline is None else max(0, deadline - time.monotonic()))
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel's process group."""
        with contextlib.suppress(OSError):
            self._connection.sendall(json.dumps({"signal": int(number)}).encode() + b"\n")

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the kernel and all it started."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def _listen(self, timeout: float) -> None:
        """Take in what the guard says, waiting no longer than `timeout` for it."""
        if self.returncode is not None:
            return
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        if not poll.poll(timeout * 1000):
            return
        with self._lock, contextlib.suppress(BlockingIOError):
            try:
                said = self._connection.recv(4096, socket.MSG_DONTWAIT)
            except ConnectionError:
                said = b""
            *lines, self._unread = (self._unread + said).split(b"\n")
            for message in map(json.loads, lines):
                self.pid = message.get("pid", self.pid)
                self.cold = message.get("cold", self.cold)
                self.returncode = message.get("exit", self.returncode)
            if not said and self.returncode is None:
                # The guard itself was killed, and its kernel with it.
                self.returncode = -signal.SIGKILL
            if self.returncode is not None:
                self._connection.close()


class KeptProvisioner(LocalProvisioner):
    """Asks a keeper for a kernel, or starts an ordinary one."""

    address = Unicode(help="The keeper's socket; CRIME_ANALYSIS_KEEPER names it otherwise.")
    warm = Bool(True, help="Whether the kernel may be a fork of what the keeper has imported.")
    memory_gb = Float(0, help="How much data the kernel may hold, in GB; 0 is no limit.")
    home = Unicode(help="A folder to remove when the kernel is gone, whoever is left to do it.")
    patience = Float(120, help="Seconds that the keeper may take to start a kernel.")
    process: Any = None
    exit_code: int | None = None
    grace = Float(2, help="Seconds that a kernel may take to end when it is asked to.")

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch a kernel, through the keeper where there is one."""
        launcher = [sys.executable, "-m", "ipykernel_launcher"]
        memory = int(self.memory_gb * 1e9)
        address = self.address or os.environ.get(ADDRESS, "")
        if cmd[:3] != launcher:
            return await super().launch_kernel(cmd, **kwargs)
        streams = [_descriptor(kwargs.get(name)) for name in ("stdout", "stderr")]
        if address and min(streams) >= 0:
            request = {
                "arguments": cmd[3:],
                "env": kwargs["env"],
                "cwd": str(kwargs.get("cwd") or os.getcwd()),
                "home": self.home or None,
                "memory": memory or None,
                "warm": self.warm,
            }
            try:
                process = KeptProcess(address, request, streams)
            except OSError:
                process = None
            if process is not None:
                # From here on whoever wants to end the kernel has something to end.
                self.process = process
                deadline = time.monotonic() + self.patience
                while not process.pid and process.poll() is None and time.monotonic() < deadline:
                    await asyncio.sleep(0.002)
                if process.pid:
                    self.pid = process.pid
                    self.cwd = request["cwd"]
                    return self.connection_info
                process.kill()
                self.process = None
        bound = [sys.executable, launch.__file__, str(os.getpid()), str(memory)]
        return await super().launch_kernel([*bound, *cmd[3:]], **kwargs)

    async def poll(self) -> int | None:
        """Return the kernel's exit code, or None while it lives."""
        self.exit_code = await super().poll()
        return self.exit_code

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Give the kernel a moment to end by itself, without the manager's naps of 0.1 s."""
        deadline = time.monotonic() + self.grace
        while await self.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        if await self.poll() is None:
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and wait until it is gone."""
        if isinstance(self.process, KeptProcess):
            self.process.kill()
        else:
            await super().kill(restart)
        deadline = time.monotonic() + 12
        while await self.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.002)


class PromptClient(AsyncKernelClient):
    """Spares every kernel the 0.3 s in which jupyter_client waits for silence."""

    @default("context")
    def _context(self) -> Any:
        self._created_context = True
        context = zmq.asyncio.Context()
        # Sockets of a kernel that is not there yet are tried again after so many ms.
        context.reconnect_ivl = 5
        return context

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = True,
        hb: bool = False,
        control: bool = True,
    ) -> None:
        """Start all channels but the heart's: its provisioner knows whether a kernel lives."""
        super().start_channels(shell, iopub, stdin, hb, control)

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        deadline = time.monotonic() + (timeout or math.inf)
        while time.monotonic() < deadline:
            self.kernel_info()
            with contextlib.suppress(queue.Empty):
                reply = await self.shell_channel.get_msg(timeout=1)
                # That the other channel is connected too; otherwise ask again.
                await self.iopub_channel.get_msg(timeout=0.05)
                self._handle_kernel_info_reply(reply)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
        raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    wait_for_ready = _async_wait_for_ready


def register() -> None:
    """Make the provisioner known to this process, whether or not the package is installed."""
    from importlib.metadata import EntryPoint

    from jupyter_client.provisioning import KernelProvisionerFactory

    home = f"{__name__}:{KeptProvisioner.__name__}"
    factory = KernelProvisionerFactory
    factory.instance().provisioners[NAME] = EntryPoint(NAME, home, factory.GROUP_NAME)


def _descriptor(stream: Any) -> int:
    """Return the descriptor of a stream as `subprocess.Popen` takes it; below 0, none yet."""
    if stream is None:
        return 2
    return stream if isinstance(stream, int) else int(stream.fileno())
