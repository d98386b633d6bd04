// Stands in for api: says which node answered.
import { serve } from './serve.mjs';

const [node = 'api', host = '127.0.0.1', port = '1100'] = process.argv.slice(2);
let answered = 0;

serve({
  host,
  port: Number(port),
  answer: (request) => ({ service: 'api', node, path: request.url, answered: ++answered }),
});
