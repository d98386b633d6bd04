import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A directory of files that is gone when it is disposed of. */
export interface TestDirectory extends AsyncDisposable {
  readonly path: string;
  /** The path of something in it. */
  at(name: string): string;
  /** Writes files by name; a value that is no text is written as JSON. */
  write(files: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Makes a directory with the given files in it, mode 0755 whatever the umask. */
export async function testDirectory(files: Readonly<Record<string, unknown>> = {}): Promise<TestDirectory> {
  const root = await mkdtemp(path.join(tmpdir(), 'drover-config-'));
  const directory: TestDirectory = {
    path: root,
    at: (name) => path.join(root, name),
    async write(more) {
      for (const [name, content] of Object.entries(more)) {
        const file = path.join(root, name);
        await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
        await writeFile(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content));
        await chmod(`${file}.new`, 0o644);
        // A reload that is under way reads the old file or the new one, never half of one.
        await rename(`${file}.new`, file);
      }
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
  await directory.write(files);
  return directory;
}
