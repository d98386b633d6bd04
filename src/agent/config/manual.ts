import { keyTable } from '../../definition/index.ts';
import {
  expectSchema,
  httpHandlerSchema,
  onDownSchema,
  onUpSchema,
  reactionSchema,
  watchSchema,
} from '../../event/index.ts';
import { CONSUL_KEYS_WITHOUT_MEANING } from './foreign-keys.ts';
import {
  balancerSchema,
  configSchema,
  dnsSchema,
  environmentSchema,
  etcdSchema,
  httpConfigSchema,
  limitsSchema,
  nodeSchema,
  provisionSchema,
  snapshotsSchema,
  unixSocketsSchema,
} from './schema.ts';
import { serviceManualSchema } from './service-schema.ts';

/** `docs/reference/configuration.md`: each key of the agent's configuration with its form and meaning, from the schema itself. */
export function configurationManual(): string {
  const foreign = [...CONSUL_KEYS_WITHOUT_MEANING].filter((key) => key !== '$schema').map((key) => `\`${key}\``);
  return `${INTRODUCTION}
## The agent

${keyTable(configSchema)}

## A node of \`nodes\`

The keys of a node stand in each of \`nodes\`, or, for the agent's own node, at the top level.

${keyTable(nodeSchema)}

### balancer

${keyTable(balancerSchema)}

### environment

${keyTable(environmentSchema)}

### provision

${keyTable(provisionSchema)}

### service

Keys may also be written as Consul's API has them (\`EnableTagOverride\`). A service without a check of its own gets those of its definition, if that has some.
A check's keys are described in [the service file](service-file.md#a-check); beside a service it names it with \`service_id\`.

${keyTable(serviceManualSchema)}

### watches

What a handler gets, and when, is told in [Watches and reactions](../operating/watches.md).

${keyTable(watchSchema)}

#### http_handler_config

${keyTable(httpHandlerSchema)}

### reactions

${keyTable(reactionSchema)}

#### on_down

${keyTable(onDownSchema)}

#### expect

${keyTable(expectSchema)}

#### on_up

${keyTable(onUpSchema)}

## etcd

How etcd is run for drover is told in [A store of several machines](../operating/etcd.md).

${keyTable(etcdSchema)}

## snapshots

${keyTable(snapshotsSchema)}

## dns_config

${keyTable(dnsSchema)}

## http_config

${keyTable(httpConfigSchema)}

## limits

${keyTable(limitsSchema)}

## unix_sockets

${keyTable(unixSocketsSchema)}

${TRUST}
## Keys of Consul that mean nothing here

They are ignored with a warning: ${foreign.join(', ')}.
`;
}

const INTRODUCTION = `# The agent's configuration

<!-- Generated from the schema by \`npm run generate\`: change src/agent/config, not this file. -->

\`drover agent --config-file FILE… --config-dir DIR…\`: files ending in \`.json\` (comments are allowed), \`.hcl\`, \`.json5\`, \`.yaml\` or \`.yml\`; of a directory every such file in
lexical order. Consul's keys where Consul has one, so a directory of \`/etc/consul.d\` works. Of a key that several files have the last one counts; maps are
merged; \`services\`, \`checks\`, \`watches\`, \`reactions\`, \`nodes\` and \`runs\` add up. Flags win over files. Relative paths are relative to the file they stand in. Unknown keys are
errors. SIGHUP and \`PUT /v1/agent/reload\` read everything again; what is wrong leaves all as it was.

\`\`\`json
{
  "service": {
    "name": "elasticsearch",
    "port": 9200,
    "check": { "script": "curl -s http://127.0.0.1:9200", "interval": "10s" }
  }
}
\`\`\`
`;

const TRUST = `## Files that name commands

A file with a script check, a handler or a provision command is taken only if it and its directory belong to root or the agent's user, and nobody else can write them:
\`chown root FILE\`, \`chmod go-w FILE\`. A sticky directory such as /tmp, and the group of a user of the same number without members, are fine.
`;
