import { access } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, writeAtomically } from '../lib/index.ts';
import { resetFile } from './errors.ts';

/** Leaves the reset index where the server looks for it. @throws CLI_RESET_FILE */
export async function writeResetFile(dataDirectory: string, index: string): Promise<void> {
  const directory = path.resolve(dataDirectory);
  try {
    await access(directory);
    await writeAtomically(path.join(directory, 'acl-bootstrap-reset'), index);
  } catch (error) {
    throw resetFile.with({ cause: error }, directory, messageOf(error));
  }
}
