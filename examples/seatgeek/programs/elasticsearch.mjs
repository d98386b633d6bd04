// Stands in for Elasticsearch: answers as its root does.
import { serve } from './serve.mjs';

const [node = 'staging', host = '127.0.0.1', port = '9200'] = process.argv.slice(2);

serve({ host, port: Number(port), answer: () => ({ name: node, cluster_name: 'elasticsearch', tagline: 'You Know, for Search' }) });
