/** JSON with four spaces of indent and a newline, as Consul has it; 64-bit numbers such as KV flags keep every digit. */
export function prettyJson(json: string | Buffer): string {
  return `${JSON.stringify(parse(String(json), keepDigits), null, 4)}\n`;
}

/** ES2026, which the compiler's library does not describe yet: a reviver sees the source text, rawJSON puts it out as it was. */
interface PreciseJson {
  parse(this: void, text: string, revive: typeof keepDigits): unknown;
  rawJSON(this: void, text: string): unknown;
}
const { parse, rawJSON } = JSON as unknown as PreciseJson;

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined ? value : rawJSON(source);
}
