import { readDocument } from '../../definition/index.ts';
import type { Document } from '../../definition/index.ts';
import { readHclDocument } from './hcl-document.ts';

/** A configuration that stands in no file: the operator says it with the command itself, so what it names may run. */
export interface InlineConfig {
  /** Where it comes from, for errors: `-hcl`, `CONSUL_LOCAL_CONFIG`. */
  readonly from: string;
  readonly text: string;
  readonly format: 'json' | 'hcl';
}

/** As a document with places. @throws DEFINITION_SYNTAX, LIB_BAD_HCL */
export function readInlineDocument({ from, text, format }: InlineConfig): Document {
  if (format === 'hcl') return readHclDocument(text, from);
  const document = readDocument(text, `${from}.json`);
  return {
    file: from,
    text,
    value: document.value,
    secret: document.secret,
    placeOf: (path, of) => ({ ...document.placeOf(path, of), file: from }),
    excerptOf: (place) => document.excerptOf(place),
    writtenAt: (path) => document.writtenAt(path),
  };
}
