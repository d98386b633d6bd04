// Stands in for app-www: asks api at API_URL, which its environment names.
import { serve } from './serve.mjs';

const [node = 'staging', host = '127.0.0.1', port = '8080'] = process.argv.slice(2);
const apiUrl = process.env.API_URL ?? 'http://127.0.0.1:1100';

serve({
  host,
  port: Number(port),
  answer: async () => ({ service: 'app-www', node, api: await (await fetch(apiUrl)).json() }),
});
