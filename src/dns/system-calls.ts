/** A pointer of C. */
type Pointer = bigint;

/** What libc offers for datagrams in batches. Every call returns a negative number when it failed. */
export interface SystemCalls {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Pointer, octets: number): number;
  setsockopt(fd: number, level: number, option: number, value: Pointer, octets: number): number;
  recvmmsg(fd: number, messages: Pointer, count: number, flags: number, timeout: Pointer): number;
  sendmmsg(fd: number, messages: Pointer, count: number, flags: number): number;
  close(fd: number): number;
  /** The address of memory. It is valid as long as something in JavaScript holds the memory, and no longer. */
  pointerTo(memory: ArrayBuffer): Pointer;
}

const INT = 'int32';
const UINT = 'uint32';
const POINTER = 'pointer';

/** The system calls where they can be had: Linux on a 64-bit machine, in a Node with `node:ffi`; else null. */
export async function loadSystemCalls(): Promise<SystemCalls | null> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return null;
  try {
    const ffi = await import('node:ffi');
    // The process's own image: Node is linked with the C library that the machine has.
    const { functions } = ffi.dlopen(null, {
      socket: { arguments: [INT, INT, INT], return: INT },
      bind: { arguments: [INT, POINTER, UINT], return: INT },
      setsockopt: { arguments: [INT, INT, INT, POINTER, UINT], return: INT },
      recvmmsg: { arguments: [INT, POINTER, UINT, INT, POINTER], return: INT },
      sendmmsg: { arguments: [INT, POINTER, UINT, INT], return: INT },
      close: { arguments: [INT], return: INT },
    });
    return { ...functions, pointerTo: (memory) => ffi.getRawPointer(memory) };
  } catch {
    // Switched off (`--no-experimental-ffi`), not permitted, or a Node without it.
    return null;
  }
}
