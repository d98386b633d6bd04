import type * as ffiModule from 'node:ffi';

/** Both ends of a kernel pipe as file descriptors, closed on exec. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

const O_CLOEXEC = 0o2000000;

/**
 * Opens a real pipe (pipe(2)); null where the platform gives no way to it.
 *
 * Node's own stdio "pipes" are socket pairs: a child that opens `/dev/stdout` or `/dev/stderr`, as many shell scripts do,
 * gets ENXIO on those, and two of them lose the order between what was written to stdout and to stderr.
 */
export function openPipe(): Pipe | null {
  if (process.platform !== 'linux') return null;
  const ffi = process.getBuiltinModule('node:ffi') as typeof ffiModule | undefined;
  if (ffi === undefined) return null;
  try {
    return pipe2(ffi);
  } catch {
    return null; // no such symbol in this image, or FFI forbidden by a permission flag
  }
}

function pipe2(ffi: typeof ffiModule): Pipe | null {
  const { lib, functions } = ffi.dlopen(null, { pipe2: { arguments: ['pointer', 'int32'], return: 'int32' } });
  try {
    const ends = new Int32Array(2);
    const failed = functions.pipe2(ffi.getRawPointer(ends.buffer), O_CLOEXEC) !== 0;
    return failed ? null : { read: ends[0] as number, write: ends[1] as number };
  } finally {
    lib.close();
  }
}
