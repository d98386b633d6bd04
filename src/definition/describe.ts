/** The way to a value from the document's root. */
export type KeyPath = readonly (string | number)[];

const LONGEST = 60;
const PLAIN_KEY = /^[\w-]+$/;
const SECRET_KEY =
  /(?:passw(?:or)?d|passphrase|secret|token|credential|encrypt|private_?key|api_?key|access_?key|^initial_management|^agent_recovery|^(?:agent_)?master|^replication)s?$/i;

/** `provides.API_URL`, `checks[0].interval`, `environment["a b"]`. */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** What an operator wrote, short enough for one line: `"ten"`, `99999`, `a list`, `nothing`. */
export function describeValue(value: unknown, secret = false): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (secret) return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
  const text = maskUrls(typeof value === 'string' ? JSON.stringify(value) : `${value as number | boolean}`);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Whether a key's name says that its value is secret: such values stay out of errors. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** The text with the password of each URL (`mysql://user:password@host`) replaced by stars of the same length. */
export function maskUrls(text: string): string {
  return text.replace(
    /(:\/\/[^\s/:@"']*:)([^\s"']+)(@)/g,
    (_all, before: string, password: string, after: string) => before + '*'.repeat(password.length) + after,
  );
}
