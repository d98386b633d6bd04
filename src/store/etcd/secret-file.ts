import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../lib/index.ts';
import { etcdFile } from '../errors.ts';

const OTHERS = 0o007;
/** More than any certificate with its chain, key or password. */
const MOST_BYTES = 1024 * 1024;

/**
 * The content of a file that the etcd settings name. One that holds a secret is taken only when it is not open to everyone.
 *
 * @throws STORE_ETCD_FILE
 */
export async function readEtcdFile(file: string, what: string, isSecret: boolean): Promise<Buffer> {
  try {
    const { mode, size } = await stat(file);
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes`);
    if (isSecret && (mode & OTHERS) !== 0) throw new Error('everyone may read or write it: chmod o= it');
    return await readFile(file);
  } catch (error) {
    throw etcdFile.with({ cause: error }, what, file, messageOf(error));
  }
}
