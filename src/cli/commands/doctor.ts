import type { DroverClient } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly mend?: string;
}

/** Says what is wrong and how to mend it. */
export const doctor: Command = {
  usage: 'doctor',
  summary: 'Say what is wrong and how to mend it; exit 1 when something is',
  example: 'drover doctor',
  options: [],
  async run({ client, output }) {
    const findings = await examine(client);
    const lines = findings.flatMap(({ what, ok, detail, mend }) => [
      `${ok ? 'ok  ' : 'WRONG'} ${what}: ${detail}`,
      ...(mend === undefined ? [] : [`      mend: ${mend}`]),
    ]);
    output.data(findings, lines);
    return findings.every((finding) => finding.ok) ? EXIT.done : EXIT.failed;
  },
};

async function examine(client: DroverClient): Promise<Finding[]> {
  const status = await client.status();
  const services = await client.services();
  const nodes = await client.nodes();
  return [
    {
      what: 'store',
      ok: status.store.failure === undefined && !status.store.full,
      detail: status.store.failure ?? `${status.store.engine} at r${status.revision}`,
      ...(status.store.failure === undefined ? {} : { mend: 'see the log, mend the cause, restart the server' }),
    },
    ...nodes.map((node) => ({
      what: `node ${node.name}`,
      ok: node.external || node.status === 'up',
      detail: node.status,
      ...(node.external || node.status === 'up' ? {} : { mend: `start its agent, or remove it from the region` }),
    })),
    ...services.map((service) => ({
      what: `service ${service.id}`,
      ok: service.instances === 0 || service.health === 'passing' || service.health === 'warning',
      detail: `${service.health}, ${service.instances} instances`,
      ...(service.instances > 0 && !['passing', 'warning'].includes(service.health)
        ? { mend: `drover service:show ${service.id}` }
        : {}),
    })),
    ...(await late(client)),
    ...(await environments(client, status.nodes)),
  ];
}

/** Consumers that have not taken up the newest change that concerns them. */
async function late(client: DroverClient): Promise<Finding[]> {
  const pending = (await client.request('/v2/late')).body as {
    node: string;
    kind: string;
    revision: number;
    forMs: number;
  }[];
  return pending.map(({ node, kind, revision, forMs }) => ({
    what: `${kind}@${node}`,
    ok: false,
    detail: `late for r${revision} since ${Math.round(forMs / 1_000)} s`,
    mend: `drover trace ${revision}`,
  }));
}

/** Services whose environment has names without a value. */
async function environments(client: DroverClient, nodes: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const node of nodes) {
    const { runs } = await client.node(node);
    for (const service of runs) {
      const { variables } = await client.environment(service, { node });
      const missing = variables.filter((variable) => variable.state === 'missing').flatMap((one) => one.unresolved);
      if (missing.length === 0) continue;
      const detail = `${missing.join(', ')} missing`;
      findings.push({
        what: `environment of ${service}@${node}`,
        ok: false,
        detail,
        mend: `drover datastore:set ${missing[0]} VALUE`,
      });
    }
  }
  return findings;
}
