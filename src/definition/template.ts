import { definitionTemplate } from './errors.ts';

/** A stretch of plain text, or a name to be filled in. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string };

/** A parsed value such as `http://{HOST}:{PORT}/mount`. Neighbouring texts are one part; no part is empty. */
export interface Template {
  readonly parts: readonly TemplatePart[];
}

/** What a name may be: `API_URL`, `api.API_URL`, `META.rack`, `meta.rack-unit`. */
const NAME = /^[A-Za-z_][\w-]*(\.[\w-]+)*$/;

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;

/**
 * Reads `{NAME}` with text around, several in one value; `{{` and `}}` stand for braces.
 *
 * @throws DEFINITION_TEMPLATE for a lone brace and for what cannot be a name
 */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let pending = '';
  for (const [token, name] of text.matchAll(TOKEN)) {
    if (name === undefined) pending += plainText(token);
    else {
      if (pending !== '') parts.push({ kind: 'text', text: pending });
      pending = '';
      parts.push({ kind: 'name', name: checkedName(name) });
    }
  }
  if (pending !== '') parts.push({ kind: 'text', text: pending });
  return { parts };
}

function plainText(token: string): string {
  if (token === '{{') return '{';
  if (token === '}}') return '}';
  if (token !== '{' && token !== '}') return token;
  throw definitionTemplate.with(
    { hint: `write ${token}${token} for a brace that stands for itself` },
    `a lone "${token}" in a template`,
  );
}

function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  if (name === '') throw definitionTemplate.with({ hint: 'write {NAME}, or {{}} for two braces' }, 'empty braces "{}"');
  const trimmed = name.trim();
  const hint = NAME.test(trimmed) ? `write {${trimmed}}` : 'write {{ and }} for braces that stand for themselves';
  throw definitionTemplate.with({ hint }, `"{${name}}" names nothing`);
}

/** The names of a template, each once, in order of appearance. */
export function namesIn(template: Template): string[] {
  return [...new Set(template.parts.flatMap((part) => (part.kind === 'name' ? [part.name] : [])))];
}

/**
 * The template's text with each name replaced by what `lookup` gives. `undefined` from `lookup` makes the whole undefined:
 * a value is never half filled in. Braces in what is filled in are left alone.
 */
export function renderTemplate(template: Template, lookup: (name: string) => string | undefined): string | undefined {
  let text = '';
  for (const part of template.parts) {
    const value = part.kind === 'text' ? part.text : lookup(part.name);
    if (value === undefined) return undefined;
    text += value;
  }
  return text;
}

/** The text that parses to this template. */
export function formatTemplate(template: Template): string {
  return template.parts.map((part) => (part.kind === 'name' ? `{${part.name}}` : escapeBraces(part.text))).join('');
}

/** Text that a template renders as it is. */
export function escapeBraces(text: string): string {
  return text.replaceAll('{', '{{').replaceAll('}', '}}');
}

/** A required name and the service that must provide it: `api.API_URL` (P18), or `service` null for any. */
export interface QualifiedName {
  readonly service: string | null;
  readonly name: string;
}

/** Splits `api.API_URL` at its last dot. */
export function splitName(name: string): QualifiedName {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? { service: null, name } : { service: name.slice(0, dot), name: name.slice(dot + 1) };
}
