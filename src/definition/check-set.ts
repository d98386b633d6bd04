import { type DroverError, nearest } from '../lib/index.ts';
import { findCycles } from './cycle.ts';
import type { Definition } from './definition.ts';
import { definitionNameTaken, definitionSecondProvider } from './errors.ts';
import { namesIn, parseTemplate, splitName } from './template.ts';

/** A datastore as far as its name matters: no value. */
export interface DatastoreName {
  readonly federation: string;
  readonly name: string;
}

/** What is there, and what is about to be applied to it. A definition replaces the one of the same federation and id. */
export interface DefinitionSet {
  readonly existing: readonly Definition[];
  readonly applied: readonly Definition[];
  readonly datastores: readonly DatastoreName[];
}

/** What people should know of a set before it is applied. With errors nothing may be applied. */
export interface SetReport {
  readonly errors: readonly DroverError[];
  readonly warnings: readonly string[];
  /** Legal and worth saying: cycles of requirements. */
  readonly notes: readonly string[];
}

/** Checks definitions against each other: who provides a name, who requires whom, which ports meet. Pure; the order of the lists does not matter. */
export function checkSet(set: DefinitionSet): SetReport {
  const federations = [...new Set(set.applied.map((definition) => definition.federation))].toSorted();
  const reports = federations.map((federation) => checkFederation(new FederationSet(set, federation)));
  return {
    errors: reports.flatMap((report) => report.errors),
    warnings: reports.flatMap((report) => report.warnings),
    notes: reports.flatMap((report) => report.notes),
  };
}

function checkFederation(set: FederationSet): SetReport {
  return {
    errors: [...secondProviders(set), ...namesTaken(set)],
    warnings: [...unprovidedNames(set), ...lostNames(set), ...unknownServices(set), ...samePorts(set)],
    notes: cycleNotes(set),
  };
}

/** So many names get a guess of what was meant: each is compared with every name there is, while nothing else can run. */
const MOST_GUESSES = 10;

/** One federation before and after. */
class FederationSet {
  readonly #byId: ReadonlyMap<string, Definition>;
  readonly federation: string;
  readonly before: readonly Definition[];
  readonly after: readonly Definition[];
  readonly applied: ReadonlySet<Definition>;
  readonly datastores: ReadonlySet<string>;
  readonly providers: ReadonlyMap<string, readonly Definition[]>;

  constructor(set: DefinitionSet, federation: string) {
    const inside = <T extends { federation: string }>(list: readonly T[]): T[] =>
      list.filter((one) => one.federation === federation);
    const applied = inside(set.applied);
    const replaced = new Set(applied.map((definition) => definition.id));
    this.federation = federation;
    this.before = inside(set.existing);
    this.after = [...this.before.filter(({ id }) => !replaced.has(id)), ...applied].toSorted(byId);
    this.applied = new Set(applied);
    this.#byId = new Map(this.after.map((definition) => [definition.id, definition]));
    this.datastores = new Set(inside(set.datastores).map(({ name }) => name));
    this.providers = providersByName(this.after);
  }

  definition(id: string): Definition | undefined {
    return this.#byId.get(id);
  }

  provides(name: string): boolean {
    const { service, name: plain } = splitName(name);
    if (service !== null) return Object.hasOwn(this.definition(service)?.provides ?? {}, plain);
    return this.datastores.has(plain) || this.providers.has(plain);
  }
}

function byId(one: Definition, other: Definition): number {
  return one.id < other.id ? -1 : Number(one.id > other.id);
}

function providersByName(definitions: readonly Definition[]): ReadonlyMap<string, readonly Definition[]> {
  const pairs = definitions.flatMap((definition) =>
    Object.keys(definition.provides).map((name) => ({ name, definition })),
  );
  const byName = Map.groupBy(pairs, ({ name }) => name);
  return new Map([...byName].map(([name, list]) => [name, list.map(({ definition }) => definition)]));
}

function secondProviders(set: FederationSet): DroverError[] {
  return [...set.providers].flatMap(([name, [first, ...others]]) =>
    others
      .filter((other) => set.applied.has(other) || set.applied.has(first as Definition))
      .flatMap((other) => secondProvider(set.federation, name, first as Definition, other) ?? []),
  );
}

/** Services that both say `shared: true` count as one set, if consumers cannot tell them apart. */
function secondProvider(
  federation: string,
  name: string,
  first: Definition,
  other: Definition,
): DroverError | undefined {
  const hint = sharingProblem(name, first, other);
  return hint === undefined ? undefined : definitionSecondProvider.with({ hint }, name, federation, first.id, other.id);
}

function sharingProblem(name: string, first: Definition, other: Definition): string | undefined {
  const alone = [first, other].filter(({ shared }) => !shared).map(({ id }) => id);
  if (alone.length > 0) return `provide it under another name, or let ${alone.join(' and ')} say "shared": true`;
  if (first.provides[name] !== other.provides[name]) {
    return `shared providers must agree: ${first.id} says "${first.provides[name]}", ${other.id} "${other.provides[name]}"`;
  }
  if (first.localPort === other.localPort) return undefined;
  return `shared providers must agree on local_port: ${first.id} has ${first.localPort ?? 'none'}, ${other.id} ${other.localPort ?? 'none'}`;
}

function namesTaken(set: FederationSet): DroverError[] {
  return [...set.providers].flatMap(([name, providers]) =>
    set.datastores.has(name)
      ? providers
          .filter((provider) => set.applied.has(provider))
          .map((provider) => definitionNameTaken(name, set.federation, provider.id))
      : [],
  );
}

/** The names that a definition's own `requires` holds, each once. */
export function requiredNames(definition: Pick<Definition, 'requires'>): string[] {
  return [...new Set(Object.values(definition.requires).flatMap((template) => namesIn(parseTemplate(template))))];
}

function unprovidedNames(set: FederationSet): string[] {
  const unprovided = [...set.applied].toSorted(byId).flatMap(({ id, ...definition }) =>
    requiredNames(definition)
      .filter((name) => !set.provides(name))
      .map((name) => ({ id, name })),
  );
  return unprovided.map(({ id, name }, index) => {
    const guess = index < MOST_GUESSES ? suggestion(set, name) : '';
    return `${id} requires ${name}, which nobody in ${set.federation} provides${guess}`;
  });
}

function suggestion(set: FederationSet, name: string): string {
  const { service, name: plain } = splitName(name);
  const own = service === null ? undefined : set.definition(service);
  const known =
    own === undefined
      ? [...set.datastores, ...set.providers.keys(), ...(service === null ? [] : qualifiedNames(set))]
      : Object.keys(own.provides).map((provided) => `${own.id}.${provided}`);
  const near = nearest(name, known) ?? (service === null ? undefined : nearest(plain, known));
  return near === undefined ? '' : `: did you mean ${near}?`;
}

function qualifiedNames(set: FederationSet): string[] {
  return set.after.flatMap(({ id, provides }) => Object.keys(provides).map((name) => `${id}.${name}`));
}

/** Names that others require and that the change takes away. */
function lostNames(set: FederationSet): string[] {
  const before = providersByName(set.before);
  return set.after
    .filter((definition) => !set.applied.has(definition))
    .flatMap((definition) =>
      requiredNames(definition)
        .filter((name) => !set.provides(name) && before.has(splitName(name).name))
        .map((name) => `${definition.id} requires ${name}, which nobody in ${set.federation} provides any more`),
    );
}

function unknownServices(set: FederationSet): string[] {
  let guesses = 0;
  return [...set.applied]
    .toSorted(byId)
    .flatMap(({ id: by, requiresServices }) => requiresServices.map((id) => ({ by, id })))
    .flatMap(({ by, id }) => {
      const required = set.definition(id);
      if (required === undefined) return [unknownService(set, by, id, guesses++ < MOST_GUESSES)];
      return Object.keys(required.provides).length > 0 ? [] : [`${by} requires ${id}, which provides nothing`];
    });
}

function unknownService(set: FederationSet, by: string, id: string, isGuessed: boolean): string {
  const ids = isGuessed ? set.after.map((definition) => definition.id) : [];
  const near = nearest(id, ids);
  const meant = set.provides(id)
    ? `: for the name ${id} write {"${id}": "{${id}}"}`
    : near && `: did you mean ${near}?`;
  return `${by} requires the service ${id}, which ${set.federation} does not have${meant ?? ''}`;
}

function samePorts(set: FederationSet): string[] {
  const byPort = Map.groupBy(
    set.after.filter(({ localPort }) => localPort !== null),
    ({ localPort }) => localPort,
  );
  return [...byPort].flatMap(([port, [first, ...others]]) =>
    others
      .filter((other) => set.applied.has(other) || set.applied.has(first as Definition))
      .filter((other) => !(other.shared && first?.shared))
      .map(
        (other) =>
          `${first?.id} and ${other.id} have the same local_port ${port}: a balancer that carries both can listen for one of them only`,
      ),
  );
}

function cycleNotes(set: FederationSet): string[] {
  const edges = new Map(set.after.map((definition) => [definition.id, neededServices(set, definition)]));
  const changed = new Set([...set.applied].map(({ id }) => id));
  return findCycles(edges)
    .filter((cycle) => cycle.some((id) => changed.has(id)))
    .map((cycle) =>
      cycle.length === 1
        ? `${cycle[0]} requires what it provides itself`
        : `these services require each other: ${[...cycle, cycle[0]].join(' → ')}`,
    );
}

function neededServices(set: FederationSet, definition: Definition): string[] {
  const byName = requiredNames(definition).flatMap((name) => {
    const { service, name: plain } = splitName(name);
    return service === null ? (set.providers.get(plain) ?? []).map(({ id }) => id) : [service];
  });
  return [...new Set([...byName, ...definition.requiresServices])].toSorted();
}
