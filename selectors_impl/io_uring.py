"""The rings of io_uring, by its system calls alone (io_uring(7), io_uring_setup(2), io_uring_enter(2)).

Two rings of memory are shared with the kernel: requests go down one, completions come up the other.
This file knows their layout, from linux/io_uring.h, and nothing of selectors.

- Each ring has a head, which the reader moves, and a tail, which the writer moves: both count up without
  end in 32 bits and are masked to find a place.  The ring of requests holds numbers of places in a table
  of requests; we set place n to n once and never touch it again.
- The kernel reads the requests inside io_uring_enter and nowhere else (there is no SQPOLL here), so a
  request and then the tail may be stored in any order.  It writes completions whenever it likes, on
  another processor too, so a tail must have been read before the completions are: taking a lock in
  between, as ``Ring.peek`` does, is the barrier that Python has.
- A completion that finds its ring full is kept aside (IORING_FEAT_NODROP), and the next call that asks
  for events moves it in.  Until then old kernels refuse requests (EBUSY).  So whoever has emptied a full
  ring calls once more.
- io_uring_enter submits first and waits only when all went down, so a short count means that it did not
  wait.  With requests submitted it tells neither ETIME nor EINTR.  So look at the clock, not at the answer.
- The rings are mapped by ``mmap``, not by ctypes: touching them after ``close`` is then a ValueError,
  where a bare address would be a crash.
- The numbers of the system calls are the same on every architecture but Alpha and MIPS, where they
  are no system calls at all: ENOSYS.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

if sys.platform != "win32":
    from .kernel import require_open

_SETUP, _ENTER = 425, 426

_SETUP_CQSIZE, _SETUP_CLAMP = 1 << 3, 1 << 4
_ENTER_GETEVENTS, _ENTER_EXT_ARG = 1 << 0, 1 << 3
_OFF_RINGS, _OFF_REQUESTS = 0, 0x10000000

# What we cannot do without, and the kernel that brought it.
_NEEDED_FEATURES = {
    1 << 0: "one mapping for both rings (Linux 5.4)",
    1 << 1: "completions that are never dropped (Linux 5.5)",
    1 << 8: "waits with a time limit (Linux 5.11)",
}

_OP_NOP, _OP_POLL_ADD, _OP_POLL_REMOVE = 0, 6, 7

# Sizes and offsets are the same everywhere: all fields are of fixed width and lie at multiples of it.
_PARAMS = struct.Struct("=7I 12x 7I 12x 7I 12x")
_REQUEST = struct.Struct("=BBHi QQ I HH Q 24x")
_COMPLETION = struct.Struct("=QiI")
_WAIT = struct.Struct("=QIIQ qq")  # io_uring_getevents_arg, and the timespec that it points at
_TIMESPEC, _TIMESPEC_AT = struct.Struct("=qq"), 24
_REQUEST_SIZE, _COMPLETION_SIZE = 64, 16
assert (_PARAMS.size, _REQUEST.size, _COMPLETION.size) == (120, _REQUEST_SIZE, _COMPLETION_SIZE)
assert _WAIT.size == _TIMESPEC_AT + _TIMESPEC.size == 40

_U32 = 0xFFFFFFFF

CQE_F_MORE = 1 << 1
"""Flag of a completion: its request stays, and will complete again."""


def poll_add(name: int, fd: int, bits: int, multishot: bool = False) -> bytes:
    """A request that completes, as *name*, with the bits of poll(2) that *fd* is ready for.

    Once; a multishot one whenever the file's driver says so, and it stays while CQE_F_MORE is set.
    The bits fill the lower half of a field of 32 bits whose halves are swapped on big-endian machines.
    """
    return _REQUEST.pack(_OP_POLL_ADD, 0, 0, fd, 0, 0, multishot, bits, 0, name)


def poll_remove(name: int) -> bytes:
    """A request that ends the ``poll_add`` called *name*; both complete, this one as 0."""
    return _REQUEST.pack(_OP_POLL_REMOVE, 0, 0, -1, 0, name, 0, 0, 0, 0)


NOP = _REQUEST.pack(_OP_NOP, 0, 0, -1, 0, 0, 0, 0, 0, 0)
"""A request that completes at once, as 0."""


class SystemCalls:
    """The system calls that a ring is made of; a test puts another object here.

    Each raises OSError.  The first use raises ImportError where Python has no ctypes, or the C library
    no ``syscall``.
    """

    @cached_property
    def _ctypes(self) -> Any:
        import ctypes  # late: it costs milliseconds, and most programs use another backend

        return ctypes

    @cached_property
    def _syscall(self) -> Any:
        # Without argtypes: they make a call three times as long (3.1 us instead of 1.0).  So an
        # argument that is wider than an int, or may lie on the stack, is a ctypes object.
        syscall = getattr(self._ctypes.CDLL(None, use_errno=True), "syscall", None)
        if syscall is None:
            raise ImportError("the C library has no syscall()")
        syscall.restype = self._ctypes.c_long
        return syscall

    @cached_property
    def _number_of_enter(self) -> Any:
        return self._ctypes.c_long(_ENTER)

    def io_uring_setup(self, entries: int, params: bytearray) -> int:
        shared = (self._ctypes.c_char * len(params)).from_buffer(params)
        fd: int = self._syscall(self._ctypes.c_long(_SETUP), entries, shared)
        return fd if fd >= 0 else self._fail()

    def wait_argument(self) -> tuple[Any, Any, Any]:
        """Memory for ``_WAIT``, and the argument and its size as ``io_uring_enter`` takes them."""
        buffer = self._ctypes.create_string_buffer(_WAIT.size)
        address = self._ctypes.addressof(buffer)
        memory = memoryview(buffer).cast("B")  # PyPy's struct does not write into the array itself
        _WAIT.pack_into(memory, 0, 0, 0, 0, address + _TIMESPEC_AT, 0, 0)
        return memory, self._ctypes.c_void_p(address), self._ctypes.c_size_t(_TIMESPEC_AT)

    def io_uring_enter(
        self, fd: int, to_submit: int, min_complete: int, flags: int, argument: Any, size: Any
    ) -> int:
        count: int = self._syscall(self._number_of_enter, fd, to_submit, min_complete, flags, argument, size)
        return count if count >= 0 else self._fail()

    def _fail(self) -> int:
        number = self._ctypes.get_errno()
        raise OSError(number, os.strerror(number))

    def mmap(self, fd: int, length: int, offset: int) -> mmap.mmap:
        # From 3.13 on Python can do without a duplicate of the descriptor for each mapping.
        untracked: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
        flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
        if sys.implementation.name != "pypy":
            return mmap.mmap(fd, length, flags=flags, offset=offset, **untracked)
        # PyPy's duplicate would be inherited by programs that are started; it gets the lowest free number.
        duplicate = os.dup(fd)
        os.close(duplicate)
        memory = mmap.mmap(fd, length, flags=flags, offset=offset)
        os.set_inheritable(duplicate, False)
        return memory

    def close(self, fd: int) -> None:
        os.close(fd)

    def require_open(self, fd: int) -> None:
        require_open(fd)


class Ring:
    """One io_uring: ``push`` requests, ``enter`` the kernel, ``peek`` at completions and ``consume`` them.

    One thread at a time may push, one may peek and consume, and any number may be in ``enter``.
    Raises OSError when the kernel refuses; EOPNOTSUPP names what an old one lacks.
    """

    def __init__(self, kernel: Any, entries: int, completions: int) -> None:
        self._kernel = kernel
        self._barrier = threading.Lock()
        self._fd = -1
        params = bytearray(_PARAMS.size)
        struct.pack_into("=3I", params, 0, 0, completions, _SETUP_CQSIZE | _SETUP_CLAMP)
        self._fd = kernel.io_uring_setup(entries, params)
        try:
            self._map(*_PARAMS.unpack(params))
        except BaseException:
            kernel.close(self._fd)
            self._fd = -1
            raise

    def _map(self, *params: int) -> None:
        for bit, what in _NEEDED_FEATURES.items():
            if not params[5] & bit:
                raise OSError(errno.EOPNOTSUPP, f"this kernel's io_uring lacks {what}")
        self._entries, self._completions = params[:2]
        sq, cq = params[7:14], params[14:21]
        self._sq_head, self._sq_tail = sq[0] // 4, sq[1] // 4
        self._cq_head, self._cq_tail, self._cqes = cq[0] // 4, cq[1] // 4, cq[5]
        array = sq[6]
        length = max(array + 4 * self._entries, self._cqes + _COMPLETION_SIZE * self._completions)
        self._memory, self._argument, self._argument_size = self._kernel.wait_argument()
        self._requests = self._kernel.mmap(self._fd, _REQUEST_SIZE * self._entries, _OFF_REQUESTS)
        try:
            self._rings = self._kernel.mmap(self._fd, length, _OFF_RINGS)
        except BaseException:
            self._requests.close()
            raise
        self._words = memoryview(self._rings).cast("I")
        # Ours to move, so what we stored last is what they are.
        self._tail = self._words[self._sq_tail]
        self._head = self._words[self._cq_head]
        for place in range(self._entries):
            self._words[array // 4 + place] = place

    @property
    def unsubmitted(self) -> int:
        """How many requests were pushed and have not gone down."""
        return self._tail - self._words[self._sq_head] & _U32

    @property
    def full(self) -> bool:
        """Whether nothing can be pushed before an ``enter``."""
        return self.unsubmitted == self._entries

    def push(self, requests: Sequence[bytes]) -> int:
        """Put *requests* into the ring, as far as there is room, and return how many."""
        count = len(requests)
        tail = self._tail
        room = self._entries - (tail - self._words[self._sq_head] & _U32)
        if count > room:
            count = room
            requests = requests[:count]
        start = tail & self._entries - 1
        packed = b"".join(requests)
        if start + count <= self._entries:
            start *= _REQUEST_SIZE
            self._requests[start : start + len(packed)] = packed
        else:
            before_the_end = (self._entries - start) * _REQUEST_SIZE
            self._requests[start * _REQUEST_SIZE :] = packed[:before_the_end]
            self._requests[: len(packed) - before_the_end] = packed[before_the_end:]
        self._tail = self._words[self._sq_tail] = tail + count & _U32
        return count

    def enter(self, min_complete: int = 0, wait_ns: int | None = None) -> None:
        """Submit what was pushed, then wait for *min_complete* completions, at most *wait_ns* nanoseconds.

        Returns early when not all went down.  When nothing did, a signal raises InterruptedError.
        """
        to_submit = self._tail - self._words[self._sq_head] & _U32
        flags, argument, size = _ENTER_GETEVENTS, None, None
        if wait_ns is not None:
            _TIMESPEC.pack_into(self._memory, _TIMESPEC_AT, *divmod(wait_ns, 1_000_000_000))
            flags, argument, size = _ENTER_GETEVENTS | _ENTER_EXT_ARG, self._argument, self._argument_size
        try:
            self._kernel.io_uring_enter(self._fd, to_submit, min_complete, flags, argument, size)
        except OSError as error:
            if error.errno != errno.ETIME:
                raise

    def peek(self) -> list[tuple[int, int, int]]:
        """The completions in the ring: the name of each request, its result or minus an errno, its flags."""
        head, tail = self._head, self._words[self._cq_tail]
        if head == tail:
            return []
        mask = self._completions - 1
        first = self._cqes + (head & mask) * _COMPLETION_SIZE
        last = self._cqes + (tail & mask) * _COMPLETION_SIZE
        with self._barrier:
            if first < last:
                packed = self._rings[first:last]
            else:
                end = self._cqes + self._completions * _COMPLETION_SIZE
                packed = self._rings[first:end] + self._rings[self._cqes : last]
        return list(_COMPLETION.iter_unpack(packed))

    def consume(self, count: int) -> None:
        """Give the places of the first *count* completions back to the kernel."""
        self._head = self._words[self._cq_head] = self._head + count & _U32

    @property
    def closed(self) -> bool:
        """Whether it was closed: by the collector, too, which may take a ring before what uses it."""
        return self._fd < 0

    def close(self) -> None:
        """Close the descriptor and unmap the memory, reading none of it; may be called again."""
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        self._words.release()
        self._rings.close()
        self._requests.close()
        self._kernel.close(fd)

    def __del__(self) -> None:
        self.close()
