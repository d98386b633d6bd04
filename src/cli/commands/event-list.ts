import type { Command } from '../command.ts';
import { textOption } from '../scope.ts';

interface Listed {
  readonly ID: string;
  readonly Name: string;
  readonly Payload: string | null;
  readonly LTime: number;
}

const SHOWN = 60;

/** Lists the last events that are for the agent's nodes. */
export const eventList: Command = {
  usage: 'event:list',
  summary: 'List the last events that are for the agent’s nodes, oldest first',
  example: 'drover event:list --name deploy',
  options: [{ flags: '--name <name>', text: 'only events of this name' }],
  async run({ client, options, output }) {
    const { body } = await client.request('/v1/event/list', { query: textOption('name', options) });
    const events = body as Listed[];
    output.data(
      events,
      events.map(({ LTime, Name, ID, Payload }) => `r${LTime}  ${Name}  ${ID}${payloadOf(Payload)}`),
    );
    return 0;
  },
};

/** Its text on one line, shortened; of bytes that are no text only how many. */
function payloadOf(payload: string | null): string {
  if (payload === null) return '';
  const bytes = Buffer.from(payload, 'base64');
  const text = bytes.toString('utf8');
  if (/[\p{Cc}\u{fffd}]/u.test(text)) return `  (${bytes.length} bytes)`;
  return `  ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`;
}
