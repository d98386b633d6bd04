import type { Access } from '../access/index.ts';
import type { ExecutedQuery, PreparedQueries as DnsQueries } from '../dns/index.ts';
import type { PreparedQueries } from '../registry/index.ts';

/** Prepared queries as DNS asks them: one with a token of its own shows what that token may see, as over HTTP. */
export function preparedForDns({
  preparedQueries,
  acl,
}: {
  readonly preparedQueries: PreparedQueries;
  readonly acl: { readonly access: Pick<Access, 'authorityOfAccessor'> };
}): DnsQueries {
  return {
    execute(nameOrId, options): ExecutedQuery | undefined {
      const executed = preparedQueries.execute(nameOrId, options);
      const accessor = executed?.query.accessor ?? '';
      if (executed === undefined || accessor === '') return executed;
      return { ...executed, authority: acl.access.authorityOfAccessor(accessor) };
    },
  };
}
