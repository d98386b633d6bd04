import { ApiError } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { kvPath } from '../kv-path.ts';

/** Lists the keys under a prefix. */
export const kvList: Command = {
  usage: 'kv:list [prefix]',
  summary: 'List the keys that begin with a prefix',
  example: 'drover kv:list config/',
  options: [],
  async run({ args, client, output }) {
    const [prefix = ''] = args;
    const keys = await client
      .request(prefix === '' ? '/v1/kv/' : kvPath(prefix), { query: { keys: '' } })
      .then(({ body }) => body as string[])
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      });
    output.data(keys, keys);
    return 0;
  },
};
