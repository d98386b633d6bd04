import { ApiError, type DroverClient } from '../../client/src/index.ts';

/** The id of a policy or role by its name; undefined when there is none. */
export async function findAclId(
  client: DroverClient,
  kind: 'policy' | 'role',
  name: string,
): Promise<string | undefined> {
  try {
    const { body } = await client.request(`/v1/acl/${kind}/name/${encodeURIComponent(name)}`);
    return (body as { readonly ID: string }).ID;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
