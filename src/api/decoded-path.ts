/** The path of a URL without its escapes, so that none gets past a rule. Never throws: each escape stands for one byte. */
export function decodedPath(url: string): string {
  const path = url.split('?', 1)[0] as string;
  if (!path.includes('%')) return path;
  return path.replaceAll(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)));
}
