import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GENERATED_FILES } from './generated-files.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

for (const file of GENERATED_FILES) {
  const target = path.join(ROOT, file.path);
  const text = file.text();
  const changed = readIfThere(target) !== text;
  if (changed) {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  console.log(`${changed ? 'written  ' : 'unchanged'}  ${file.path}`);
}

function readIfThere(target: string): string | undefined {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return undefined;
  }
}
